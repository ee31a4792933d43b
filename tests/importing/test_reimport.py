"""Importing an organization file again: it restores nothing, lists what it left alone, and records who gave what."""

import re
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from actions import activation, building, grants, hand_over, members, resume, signatures, withdraw
from actions.organization_files import Imported, import_and_wait
from db.sequences import built, sequences
from db.views import lookups
from domain.errors import NotFound
from domain.team import Role
from importing.problems import ImportRejected
from lab.access_records import Grant, Lane, Mailbox, Member, Organization
from lab.factories import World
from lab.records import AuditEntry, Delivery, Notice, OutboxJob, Receipt, Sequence, Step
from lab.stage import Stage
from lab.tables import PRESENT, ago

FILE = """\
organizations:
  - name: {name}
    time_zone: Europe/Berlin
    members:
      - {{name: Rita, email: rita@acme.example, role: owner}}
      - {{name: Hans, email: hans@acme.example}}
      - {{name: Mona, email: mona@acme.example}}
    mailboxes:
      - {{address: hans@acme.example, owner: hans@acme.example, daily_cap: 200}}
      - {{address: mona@acme.example, owner: mona@acme.example}}
    grants:
      - {{mailbox: hans@acme.example, to: rita@acme.example}}
      - {{mailbox: mona@acme.example, to: everyone}}
    sequences:
      - name: Engineers
        owner: rita@acme.example
        send_from: hans@acme.example
        status: active
        steps:
          - {{delay: PT0S, subject: "A role", body: "Text A"}}
          - {{delay: P3D, body: "Text B"}}
"""


ZONE = "    time_zone: Europe/Berlin\n"


class Files:
    """A stage's organization, loaded from a file."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage, self.path = stage, folder / "acme.yaml"
        name = stage.only(Organization).name
        self.text = FILE.format(name=name)
        self.load()
        for address in ("hans@acme.example", "mona@acme.example"):
            stage.emulator.control.add_mailboxes({"address": address})
            token = stage.emulator.control.refresh_token(address)
            from actions.connect import connect_mailbox

            connect_mailbox(stage.runtime, self.id("mailbox", address), refresh_token=token, actor="test")

    def load(self, *changes: tuple[str, str], **options: bool) -> Imported:
        text = self.text
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        self.path.write_text(text)
        return import_and_wait(self.stage.runtime, self.path, actor="operator ops", **options)  # type: ignore[arg-type]  # names of bools

    def id(self, kind: str, name: str) -> UUID:
        with self.stage.world.database.transaction() as tx:
            return lookups.by_name(tx, kind, name)

    def grant(self, to: str | None = "rita@acme.example") -> UUID:
        grantee_id = self.id("member", to) if to else None
        return self.stage.only(Grant, archived_at=None, grantee_id=grantee_id).id

    def standing(self) -> int:
        return self.stage.count(Grant, archived_at=None)

    def status(self) -> str:
        return self.stage.only(Sequence).status


@pytest.fixture
def files(stage: Stage, tmp_path: Path) -> Files:
    return Files(stage, tmp_path)


def left_alone(done: Imported) -> str:
    return " ".join(done.summary.left_alone)


def test_a_permission_that_was_ended_stays_ended(files: Files, stage: Stage) -> None:
    withdraw.revoke_grant(stage.runtime, files.grant(), actor="Hans")
    withdraw.revoke_grant(stage.runtime, files.grant(None), actor="Mona")
    before = files.standing()
    for _ in range(2):
        done = files.load()
        assert files.standing() == before == 0
        assert (
            "2 permissions of this file have ended since; only their owners can give them again"
            in left_alone(done)
        )
        assert "hans@acme.example for rita@acme.example (ended by its owner on 20" in left_alone(done)
        assert done.summary.grants == 0


@pytest.mark.parametrize(
    "change",
    [
        ("to: rita@acme.example}", "to: everyone}"),
        (
            "      - {mailbox: mona",
            "      - {mailbox: hans@acme.example, to: everyone}\n      - {mailbox: mona",
        ),
    ],
)
def test_an_ended_permission_does_not_come_back_as_one_for_everyone(
    files: Files, stage: Stage, change: tuple[str, str]
) -> None:
    withdraw.revoke_grant(stage.runtime, files.grant(), actor="Hans")
    before = files.standing()
    files.load(change)
    assert files.standing() == before


def test_one_for_everyone_that_was_ended_does_not_come_back_for_one_person(
    files: Files, stage: Stage
) -> None:
    withdraw.revoke_grant(stage.runtime, files.grant(None), actor="Mona")
    files.load(("mona@acme.example, to: everyone}", "mona@acme.example, to: rita@acme.example}"))
    assert files.standing() == 1


def test_an_expired_permission_stays_expired(files: Files, stage: Stage) -> None:
    from db.withdrawing import withdrawals

    stage.put(Grant, where={"grantee_id": PRESENT}, expires_at=ago(minutes=1))
    with stage.world.database.transaction() as tx:
        assert withdrawals.expire_grant(tx) is not None
    assert "its time is over" in left_alone(files.load())
    assert files.standing() == 1


def test_a_disconnected_mailbox_stays_so_and_so_do_its_permissions(files: Files, stage: Stage) -> None:
    withdraw.disconnect_mailbox(stage.runtime, files.id("mailbox", "hans@acme.example"), actor="Hans")
    done = files.load(("daily_cap: 200", "daily_cap: 100"))
    assert files.standing() == 1
    assert [each.status for each in stage.all(Mailbox, owner_id=PRESENT)] == ["disconnected", "connected"]
    assert "hans@acme.example stays disconnected: only hans@acme.example can connect it again" in left_alone(
        done
    )


def test_a_deactivated_member_stays_so_and_the_file_still_loads(files: Files, stage: Stage) -> None:
    withdraw.deactivate_member(stage.runtime, files.id("member", "hans@acme.example"), actor="Rita")
    done = files.load()
    assert stage.only(Member, email="hans@acme.example").active is False
    assert "hans@acme.example stays deactivated" in left_alone(done)
    assert files.standing() == 1
    members.reactivate_member(stage.runtime, files.id("member", "hans@acme.example"), actor="Rita")
    assert "1 permission of this file has ended since" in left_alone(files.load())


def test_a_role_that_an_owner_changed_stays_changed_and_is_named(files: Files, stage: Stage) -> None:
    hans, rita = (files.id("member", f"{name}@acme.example") for name in ("hans", "rita"))
    organization_id = stage.world.organization_id
    for who, role in ((hans, Role.OWNER), (rita, Role.MEMBER)):
        members.change_role(stage.runtime, organization_id, who, role, by=Role.OWNER, actor="Hans")
    changed = stage.count(AuditEntry, action="member_role_changed")
    done = files.load(("email: hans@acme.example}", "email: hans@acme.example, role: member}"))
    roles = {each.email: each.role for each in stage.all(Member)}
    assert (roles["rita@acme.example"], roles["hans@acme.example"]) == ("member", "owner")
    assert stage.count(AuditEntry, action="member_role_changed") == changed
    assert (
        "rita@acme.example stays member; the file's role: owner was ignored. An owner changes it on the Team page"
        in left_alone(done)
    )
    assert "hans@acme.example stays owner; the file's role: member was ignored." in left_alone(done)
    assert done.summary.members == 0


def test_a_file_gives_a_role_to_nobody_who_was_there_before_it(files: Files, stage: Stage) -> None:
    files.load(
        ("{name: Mona, email: mona@acme.example}", "{name: Mona, email: mona@acme.example, role: owner}"),
        ("    mailboxes:\n", "      - {name: Nora, email: nora@acme.example, role: admin}\n    mailboxes:\n"),
    )
    assert stage.only(Member, email="mona@acme.example").role == "member"
    assert stage.only(Member, email="nora@acme.example").role == "admin"  # the file adds her


def test_what_no_page_changes_is_as_the_file_says(files: Files, stage: Stage) -> None:
    files.load(("name: Mona,", "name: Mona Lind,"), ("daily_cap: 200", "daily_cap: 100"))
    assert stage.only(Member, email="mona@acme.example").name == "Mona Lind"
    assert stage.only(Lane, files.id("mailbox", "hans@acme.example")).daily_cap == 100


def test_a_sequence_that_a_person_handed_over_is_not_handed_back(files: Files, stage: Stage) -> None:
    sequence = files.id("sequence", "Engineers")
    withdraw.pause_sequence(stage.runtime, sequence, actor="Rita", reason="Hans leaves")
    files.load(("send_from: hans@", "send_from: mona@"))
    files.load()
    assert stage.address(stage.only(Sequence).mailbox_id) == "hans@acme.example"  # by files alone, to and fro
    with stage.world.database.transaction() as tx:
        known = sequences.known_sequence(tx, sequence)
        hand_over.hand_over(
            tx,
            known,
            owner_id=known.owner_id,
            mailbox_id=files.id("mailbox", "mona@acme.example"),
            uses_sender_address=False,
            actor="Rita",
        )
    done = files.load()
    assert stage.address(stage.only(Sequence).mailbox_id) == "mona@acme.example"
    assert (
        "Engineers keeps its present owner and sender: Rita handed it over since; the file's sender"
        " (hans@acme.example) was ignored." in left_alone(done)
    )


def test_a_paused_sequence_stays_paused_whatever_the_file_says(files: Files, stage: Stage) -> None:
    withdraw.pause_sequence(stage.runtime, files.id("sequence", "Engineers"), actor="Rita", reason="no")
    done = files.load()
    assert files.status() == "paused"
    assert "Engineers stays paused; the file's status: active was ignored" in left_alone(done)
    assert "status: draft was ignored" in left_alone(files.load(("status: active", "status: draft")))
    assert files.status() == "paused"


def test_a_draft_that_a_person_set_back_is_not_started_by_a_file(files: Files, stage: Stage) -> None:
    withdraw.deactivate_sequence(stage.runtime, files.id("sequence", "Engineers"), actor="Rita", reason="no")
    done = files.load()
    assert files.status() == "draft"
    assert "Engineers was set back to draft by Rita and stays a draft" in left_alone(done)
    files.load(("status: active", "status: draft"))
    files.load()
    assert files.status() == "draft"
    activation.activate_sequence(stage.runtime, files.id("sequence", "Engineers"), actor="Rita")
    assert files.status() == "active"


def test_an_archived_sequence_stays_archived_and_is_named(files: Files, stage: Stage) -> None:
    withdraw.archive_sequence(stage.runtime, files.id("sequence", "Engineers"), actor="Rita", reason="no")
    done = files.load(("Text B", "Text C"))
    assert files.status() == "archived"
    assert "Engineers stays archived, and nothing in it was changed" in left_alone(done)
    assert stage.count(Step, body="Text C") == 0


def test_a_file_starts_its_draft_and_sets_it_back_again(files: Files, stage: Stage) -> None:
    back = files.load(("status: active", "status: draft"))
    assert files.status() == "draft"
    assert back.withdrawal is not None
    assert back.withdrawal.complete
    stage.world.enroll(files.id("sequence", "Engineers"))
    assert stage.send_due() == 0
    done = files.load()
    assert files.status() == "active"
    assert [re.sub(r"20\d\d.*UTC", "…", each) for each in done.summary.edits] == [
        "Engineers: It is activated; 1 person gets their next email, the first at …."
    ]
    stage.later(5)
    stage.send_due()
    assert len(stage.left()) == 1


def test_a_file_that_does_not_say_a_status_changes_none(files: Files, stage: Stage) -> None:
    files.load(("status: active", "status: draft"))
    done = files.load(("        status: active\n", ""))
    assert files.status() == "draft"
    assert "Engineers stays a draft" in left_alone(done)


def test_a_file_cannot_start_what_is_not_permitted_and_says_why(files: Files, stage: Stage) -> None:
    files.load(("status: active", "status: draft"))
    withdraw.revoke_grant(stage.runtime, files.grant(), actor="Hans")
    done = files.load()
    assert files.status() == "draft"
    assert "stays a draft, it cannot be activated yet: rita@acme.example has no permission" in left_alone(
        done
    )


def test_another_owner_or_sender_is_named_while_the_sequence_runs(files: Files, stage: Stage) -> None:
    before = [(each.owner_id, each.mailbox_id) for each in stage.all(Sequence)]
    done = files.load(
        ("send_from: hans@", "send_from: mona@"), ("owner: rita@acme.example\n", "owner: mona@acme.example\n")
    )
    assert [(each.owner_id, each.mailbox_id) for each in stage.all(Sequence)] == before
    assert "the file's owner (mona@acme.example) and sender (mona@acme.example) was ignored" in left_alone(
        done
    )


def test_a_paused_sequence_gets_another_sender_and_goes_on_in_a_new_thread(
    files: Files, stage: Stage
) -> None:
    sequence = files.id("sequence", "Engineers")
    stage.world.enroll(sequence)
    stage.send_due()
    withdraw.pause_sequence(stage.runtime, sequence, actor="Rita", reason="Hans leaves")
    stage.run_outbox()
    done = files.load(("send_from: hans@", "send_from: mona@"))
    assert "Engineers: It has another sender (mona@acme.example) now" in " ".join(done.summary.edits)
    resume.resume_sequence(stage.runtime, sequence, actor="Rita")
    stage.later(4 * 86400)
    stage.send_due()
    first, second = stage.left()
    assert [first.mailbox, second.mailbox] == ["hans@acme.example", "mona@acme.example"]
    assert second.subject == "A role"  # not "Re:": this person never had an email from Mona
    assert second.conversation_id != first.conversation_id
    assert "In-Reply-To" not in str(second)
    stage.run_outbox()
    assert "Engineers has a new owner or sender" in [each.title for each in stage.all(Notice)]
    assert stage.count(AuditEntry, action="sequence_handed_over") == 1


def test_another_sender_without_permission_is_not_taken(files: Files, stage: Stage) -> None:
    withdraw.revoke_grant(stage.runtime, files.grant(None), actor="Mona")
    withdraw.pause_sequence(stage.runtime, files.id("sequence", "Engineers"), actor="Rita", reason="no")
    done = files.load(("send_from: hans@", "send_from: mona@"))
    assert (
        "keeps its present owner and sender: rita@acme.example has no permission to send from mona@"
        in left_alone(done)
    )
    assert stage.address(stage.only(Sequence).mailbox_id) == "hans@acme.example"


def test_what_a_file_gave_says_so_and_its_owner_confirms(files: Files, stage: Stage) -> None:
    given = {(each.given_by_kind, each.given_by, each.confirmed_at) for each in stage.all(Grant)}
    assert given == {("import", "operator ops", None)}
    stage.run_outbox()
    asked = sorted(
        (stage.only(Member, each.owner_id).email, each.body)
        for each in stage.all(Notice, channel="in_app")
        if each.title.startswith("Confirm who")
    )
    assert [email for email, _ in asked] == ["hans@acme.example", "mona@acme.example"]
    assert (
        "An operator gave rita@acme.example permission to send from hans@acme.example on your behalf."
        in asked[0][1]
    )
    hans = files.id("member", "hans@acme.example")
    for _ in range(2):
        grants.confirm_grant(stage.runtime, files.grant(), mailbox_owner_id=hans, actor="Hans")
    assert stage.count(AuditEntry, action="grant_confirmed") == 1
    with pytest.raises(NotFound):
        grants.confirm_grant(stage.runtime, files.grant(None), mailbox_owner_id=hans, actor="Hans")


def test_an_unconfirmed_permission_sends_and_its_receipt_says_so(files: Files, stage: Stage) -> None:
    stage.world.enroll(files.id("sequence", "Engineers"))
    stage.send_due()
    delivery = stage.only(Receipt).delivery_id
    with stage.world.database.transaction() as tx:
        receipt = lookups.receipt(tx, delivery)
    assert receipt is not None
    assert receipt["grant_by_hand_of"] == "an operator's file (operator ops)"
    assert receipt["grant_confirmed_at"] is None


def test_a_dry_run_says_it_all_and_changes_nothing(files: Files, stage: Stage) -> None:
    stage.world.enroll(files.id("sequence", "Engineers"), 2)
    stage.send_due()
    tables = (Organization, Member, Grant, Sequence, Step, Delivery, Lane, AuditEntry, OutboxJob)
    before = stage.everything(*tables)
    done = files.load(
        (
            '          - {delay: P3D, body: "Text B"}',
            '          - {delay: P1D, body: "Text N"}\n          - {delay: P3D, body: "Text B"}',
        ),
        ("status: active", "status: draft"),
        dry_run=True,
    )
    assert done.summary.edits[0] == "Engineers: Step 2 is new: 2 people get it."
    assert done.summary.edits[1].startswith("Engineers: Due times of 2 people move from ")
    assert done.withdrawal is None
    assert stage.everything(*tables) == before


def test_changed_sending_hours_reach_who_waits(files: Files, stage: Stage) -> None:
    stage.world.enroll(files.id("sequence", "Engineers"))
    stage.send_due()
    before = stage.only(Delivery, state="pending").due_at
    files.load((ZONE, f'{ZONE}    sending: {{days: [mon], from: "04:10", to: "04:20"}}\n'))
    moved = stage.only(Delivery, state="pending").due_at.astimezone(ZoneInfo("Europe/Berlin"))
    assert f"{moved:%a %H:%M}".startswith("Mon 04:1")
    files.load((ZONE, f"{ZONE}    sending: null\n"))
    assert stage.only(Delivery, state="pending").due_at == before


@pytest.mark.parametrize(
    ("name", "place", "removed"),
    [
        ("Engineers", "        status: active\n", "Its own sending hours are removed"),
        (None, ZONE, "Its sending hours are removed"),
    ],
)
def test_sending_hours_that_a_file_does_not_name_stay_and_null_removes_them(
    files: Files, stage: Stage, name: str | None, place: str, removed: str
) -> None:
    def hours_of() -> object:
        return stage.only(Sequence).sending if of_sequence else stage.only(Organization).sending

    of_sequence = name is not None
    name = name or stage.only(Organization).name
    indent = place[: len(place) - len(place.lstrip())]
    files.load((place, f'{place}{indent}sending: {{days: [mon], from: "04:10", to: "04:20"}}\n'))
    hours = hours_of()
    assert isinstance(hours, dict)
    assert hours["days"] == ["mon"]
    for dry_run in (True, False):
        done = files.load(dry_run=dry_run)
        assert (
            f"{name} keeps its sending hours: the file names none. sending: null removes them"
            in left_alone(done)
        )
        assert hours_of() == hours
    removing = (place, f"{place}{indent}sending: null\n")
    done = files.load(removing, dry_run=True)
    assert any(each.startswith(f"{name}: {removed}") for each in done.summary.edits)
    assert hours_of() == hours
    files.load(removing)
    assert hours_of() is None
    assert files.load(removing).summary.edits == []


def test_hours_that_were_set_on_a_page_survive_the_file(files: Files, stage: Stage) -> None:
    sequence = files.id("sequence", "Engineers")
    with stage.world.database.transaction() as tx:
        now = built.built(tx, sequence)
    hours = {"zone": "Europe/Berlin", "days": ["tue"], "from": "09:00", "to": "10:00", "holidays": []}
    wanted = building.Settings(now.name, now.mailbox_id, hours, ["role"])
    building.change(stage.runtime, sequence, wanted, version=now.version, actor="Rita")
    files.load(("Text B", "Text C"))
    kept = stage.only(Sequence)
    assert (kept.sending["days"], kept.fields) == (["tue"], ["role"])


@pytest.mark.parametrize("written", ["", '"null"', "[]", "no"])
def test_hours_that_are_neither_hours_nor_null_are_refused(files: Files, written: str) -> None:
    with pytest.raises(ImportRejected, match="sending must be a mapping"):
        files.load((ZONE, f"{ZONE}    sending: {written}\n"))


def test_what_a_file_says_of_answers_changes_only_what_it_names(files: Files, stage: Stage) -> None:
    files.load((ZONE, f'{ZONE}    answers: {{opt_out_line: "No more emails"}}\n'))
    done = files.load((ZONE, f"{ZONE}    answers: {{away_days: 9}}\n"))
    now = stage.only(Organization)
    assert (now.away_days, now.opt_out_line) == (9, "No more emails")
    assert any("Answers and opt-outs are as the file says" in each for each in done.summary.edits)
    files.load((ZONE, f"{ZONE}    answers: {{opt_out_line: null}}\n"))
    assert (stage.only(Organization).away_days, stage.only(Organization).opt_out_line) == (9, None)


def test_what_a_file_does_not_say_stays_as_it_is(files: Files, stage: Stage) -> None:
    files.load((", role: owner", ""), (", daily_cap: 200", ""))
    assert stage.only(Member, email="rita@acme.example").role == "owner"
    assert stage.only(Lane, files.id("mailbox", "hans@acme.example")).daily_cap == 200


def test_a_file_gives_the_first_signature_and_its_owner_has_the_next_word(files: Files, stage: Stage) -> None:
    hans, plain = files.id("mailbox", "hans@acme.example"), "owner: hans@acme.example, daily_cap: 200"
    signed = (plain, f'{plain}, signature: "Hans\\nAcme"')

    def body() -> str:
        with stage.world.database.transaction() as tx:
            return signatures.show(tx, hans).signed.body

    files.load(signed)
    assert body() == "Hans\nAcme"
    assert files.load(signed).summary.unchanged
    signatures.change(stage.runtime, hans, "Hans, at the sea", actor="Hans")
    assert "hans@acme.example keeps its signature" in left_alone(files.load(signed))
    files.load()
    assert body() == "Hans, at the sea"
    with pytest.raises(ImportRejected, match="a signature has no merge fields"):
        files.load((plain, plain + ', signature: "{{first_name}}"'))


def test_a_file_says_whether_a_sequence_carries_a_signature(files: Files, stage: Stage) -> None:
    status = "        status: active\n"
    for said, carries in (("off", False), ("", False), ("on", True)):
        files.load((status, f"{status}        signature: {said}\n") if said else (status, status))
        assert stage.only(Sequence).with_signature is carries
    with pytest.raises(ImportRejected, match="signature cannot be 'of'"):
        files.load((status, f"{status}        signature: of\n"))


def test_a_bound_file_touches_no_other_organization(files: Files, stage: Stage, world: World) -> None:
    name = world.only(Organization).name
    files.path.write_text(
        files.text
        + "  - name: Globex\n    time_zone: UTC\n    members: [{name: X, email: x@x.example, role: owner}]\n"
    )
    with pytest.raises(ImportRejected, match=r"acme.yaml:\d+:\d+: this is about Globex, and only"):
        import_and_wait(stage.runtime, files.path, actor="test", organization=name)
    assert world.count(Organization) == 1
    files.path.write_text(files.text)
    assert import_and_wait(
        stage.runtime, files.path, actor="test", organization=name.upper()
    ).summary.unchanged


def test_a_file_says_which_steps_need_approval_and_takes_it_back_only_by_a_word(files: Files) -> None:
    plain = 'body: "Text B"}'

    def kinds() -> list[str]:
        return [each.kind for each in sorted(files.stage.all(Step), key=lambda each: each.position)]

    files.load((plain, 'body: "Text B", kind: approval}'))
    assert kinds() == ["automatic", "approval"]
    files.load()
    assert kinds() == ["automatic", "approval"]
    files.load((plain, 'body: "Text B", kind: automatic}'))
    assert kinds() == ["automatic", "automatic"]
    with pytest.raises(ImportRejected, match="kind cannot be 'aproval'"):
        files.load((plain, 'body: "Text B", kind: aproval}'))


def test_a_file_has_tasks_and_a_task_is_never_taken_for_an_email(files: Files) -> None:
    plain = 'body: "Text B"}'

    def steps() -> list[tuple[str, str | None]]:
        found = [each for each in files.stage.all(Step) if each.retired_at is None]
        return [(each.kind, each.subject) for each in sorted(found, key=lambda each: each.position)]

    files.load((plain, 'body: "Text B", kind: task}'))
    assert [kind for kind, _ in steps()] == ["automatic", "task"]
    assert files.load((plain, 'body: "Text B", kind: task}')).summary.unchanged
    (task,) = files.stage.all(Step, kind="task")
    files.load()  # the same words, now as an email: another step
    assert [kind for kind, _ in steps()] == ["automatic", "automatic"]
    retired = files.stage.only(Step, task.id)
    assert (retired.kind, retired.retired_at is not None) == ("task", True)
    with pytest.raises(ImportRejected, match="a task has no subject"):
        files.load((plain, 'body: "Text B", kind: task, subject: "Call"}'))
