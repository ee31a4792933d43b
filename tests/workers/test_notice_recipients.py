"""Notices are true for each recipient: bounded, sent to who can act, not about one's own acts, never about nobody."""

from datetime import timedelta
from uuid import UUID

import pytest

from actions import grants, withdraw
from db.core.session import database_now
from db.withdrawing.losing import lose_connection
from domain.grant import Bounds
from lab.access_records import Grant, Mailbox
from lab.records import Enrollment, Notice, Sequence
from lab.stage import Stage
from scheduler import early_warnings


class Office:
    """Hans, whose mailbox it is; Rita, Theo and Paula, who may send from it; Ada, an admin."""

    def __init__(self, stage: Stage) -> None:
        world = self.world = stage.world
        self.stage = stage
        self.hans, self.ada = world.member("Hans Holder"), world.member("Ada Admin", role="admin")
        self.rita, self.theo, self.paula = (
            world.member(name) for name in ("Rita Recruiter", "Theo Talent", "Paula Plain")
        )
        self.box = stage.mailbox(self.hans)
        self.address = stage.address(self.box)

    def start(self, owner: UUID, people: int = 2, name: str = "") -> UUID:
        sequence_id = self.world.sequence(owner, self.box, ("P1D",))
        if people:
            self.world.enroll(sequence_id, people)
        if name:
            self.world.put(Sequence, sequence_id, name=name)
        return sequence_id

    def told(self, member: UUID) -> list[tuple[str, str, list[list[str]]]]:
        self.stage.run_outbox()
        found = self.world.all(Notice, owner_id=member, channel="in_app")
        return [(each.title, each.body, each.links) for each in found]

    def lose(self) -> None:
        with self.world.database.transaction() as tx:
            lose_connection(
                tx, self.box, connection_version=1, reason="sign_in_expired", detail="AADSTS50173"
            )


@pytest.fixture
def office(stage: Stage) -> Office:
    return Office(stage)


def test_a_bounded_permission_names_its_bounds_and_only_the_sequences_it_covers(office: Office) -> None:
    covered = office.start(office.rita, name="Site reliability engineers")
    other = office.start(office.rita, name="Backend engineers")
    for each in (covered, other):
        withdraw.pause_sequence(office.stage.runtime, each, actor="Olga", reason="wait")
    office.told(office.rita)
    with office.world.database.transaction() as tx:
        end = database_now(tx) + timedelta(days=90)
    grants.give_grant(
        office.stage.runtime, mailbox_id=office.box, mailbox_owner_id=office.hans, grantee_id=office.rita, actor="Hans Holder",
        bounds=Bounds(expires_at=end, sequence_ids=frozenset({covered}), daily_limit=50),
    )  # fmt: skip
    _, body, links = office.told(office.rita)[-1]
    assert "Hans Holder lets you send from" in body
    assert "only for Site reliability engineers, at most 50 emails a day, until " in body
    assert "Backend" not in body
    assert links[0] == ["Resume", f"/sequences/{covered}/resume"]


def test_whoever_can_sign_in_again_hears_that_they_have_to(office: Office) -> None:
    office.world.grant(office.box, office.rita)
    office.start(office.rita, name="Engineers")
    office.lose()
    ((title, body, links),) = office.told(office.hans)
    assert title == f"{office.address} cannot send"
    assert "Microsoft asks you to sign in again" in body
    assert "- Engineers (Rita Recruiter): 2 people waiting" in body
    assert links == [["Connect again", "/settings/sequences"]]
    ((_, body, _),) = office.told(office.rita)
    assert "We have notified them" in body


def test_admins_hear_of_a_companys_address(office: Office) -> None:
    office.world.put(Mailbox, office.box, owner_id=None)
    office.lose()
    ((_, _, links),) = office.told(office.ada)
    assert links == [["Connect again", f"/settings/email/addresses/{office.box}"]]
    assert office.told(office.paula) == []


@pytest.mark.parametrize("by", ["Hans Holder", "Ada Admin"])
def test_whose_permission_ended_hears_of_it_and_so_does_the_mailboxs_owner(office: Office, by: str) -> None:
    grant = office.world.grant(office.box, office.paula)  # who has no sequence
    withdraw.revoke_grant(office.stage.runtime, grant, actor=by)
    ((title, body, _),) = office.told(office.paula)
    assert title == f"{by} ended your permission to send from {office.address}"
    assert "None of your sequences is paused." in body
    hans = office.told(office.hans)
    assert len(hans) == (by != "Hans Holder")  # nobody hears of their own act
    assert all(f"{by} ended the permission of Paula Plain" in title for title, _, _ in hans)


def test_a_removed_mailbox_tells_everybody_whose_permission_ended_with_it(office: Office) -> None:
    for each in (office.rita, office.paula):
        office.world.grant(office.box, each)
    office.start(office.rita)
    withdraw.disconnect_mailbox(office.stage.runtime, office.box, actor="Hans Holder")
    ((title, body, links),) = office.told(office.rita)
    assert title == f"Paused: {office.address} was removed"
    assert "Your permission ended with it." in body
    assert links[0][0] == "Ask Hans Holder"
    ((title, _, _),) = office.told(office.paula)
    assert title == f"Your permission to send from {office.address} has ended"
    assert office.told(office.hans) == []


def test_after_reconnecting_only_who_may_send_reads_that_they_can_resume(office: Office) -> None:
    office.world.grant(office.box, office.rita)
    mine = office.start(office.rita, name="With a permission")
    office.start(office.theo, name="Without one")
    office.lose()
    office.told(office.rita)
    office.stage.check_mailboxes()
    _, body, links = office.told(office.rita)[-1]
    assert "You can resume these" in body
    assert links == [["Resume", f"/sequences/{mine}/resume"]]
    _, body, links = office.told(office.theo)[-1]
    assert "Without one needs a new permission from Hans Holder." in body
    assert "You can resume" not in body
    assert [label for label, _ in links] == ["Ask Hans Holder"]


def test_one_hears_nothing_of_ones_own_pause_but_others_do_with_a_link(office: Office) -> None:
    sequence_id = office.start(office.rita, name="Engineers")
    withdraw.pause_sequence(
        office.stage.runtime, sequence_id, actor="Rita Recruiter", reason="on the Sequences page"
    )
    assert office.told(office.rita) == []
    other = office.start(office.theo, name="Designers")
    withdraw.pause_sequence(office.stage.runtime, other, actor="Ada Admin", reason="on the Sequences page")
    ((title, body, links),) = office.told(office.theo)
    assert title == "Ada Admin paused Designers"
    assert "on the Sequences page" not in body
    assert links == [["Resume", f"/sequences/{other}/resume"]]


def test_a_namesake_is_not_spared(office: Office) -> None:
    office.world.member("Rita Recruiter")
    sequence_id = office.start(office.rita)
    withdraw.pause_sequence(office.stage.runtime, sequence_id, actor="Rita Recruiter", reason="x")
    assert len(office.told(office.rita)) == 1


def test_a_sequence_with_nobody_left_in_it_is_no_news(office: Office) -> None:
    grant = office.world.grant(office.box, None)
    office.start(office.theo, people=0)
    office.start(office.rita, name="Engineers")
    ended = office.start(office.rita, name="Over")
    office.world.put(Enrollment, where={"sequence_id": ended}, status="finished")
    withdraw.revoke_grant(office.stage.runtime, grant, actor="Hans Holder")
    assert office.told(office.theo) == []
    ((_, body, _),) = office.told(office.rita)
    assert "Engineers: 2 people waiting" in body
    assert "Over" not in body


def test_people_are_named_the_first_three_and_the_rest_counted(office: Office) -> None:
    sequence_id = office.world.sequence(
        office.hans, office.box, ("PT0S",), body="A {{role}}", fields=("role",)
    )
    for name in ("Weber", "Adler", "Mori", "Brandt"):
        office.world.enroll(sequence_id, 1, first_name="Jo", last_name=name)
    office.stage.send_due()
    title, body, links = office.told(office.hans)[-1]
    assert title == "Role is missing for Jo Adler, Jo Brandt, Jo Mori and 1 other"
    assert "until you fill it in" in body
    assert links == [["Fill in", f"/attention?sequence={sequence_id}"]]


def test_a_permission_from_a_file_says_so_and_who_entered_it(office: Office) -> None:
    grants.give_grant(
        office.stage.runtime,
        mailbox_id=office.box,
        mailbox_owner_id=office.hans,
        grantee_id=office.rita,
        actor="operator root",
        by="import",
    )
    body = office.told(office.rita)[-1][1]
    assert "An operator entered this permission." in body
    assert "root" not in body


def test_more_time_can_be_asked_for_and_given_while_nothing_pauses(office: Office) -> None:
    with office.world.database.transaction() as tx:
        now = database_now(tx)
    short = Bounds(expires_at=now + timedelta(hours=20))
    give = {
        "mailbox_id": office.box,
        "mailbox_owner_id": office.hans,
        "grantee_id": office.rita,
        "actor": "Hans Holder",
    }
    grants.give_grant(office.stage.runtime, bounds=short, **give)  # type: ignore[arg-type]
    sequence_id = office.start(office.rita)
    early_warnings.warn_early(office.world.database)
    links = next(links for title, _, links in office.told(office.rita) if "ends" in title)
    assert links[0][0] == "Ask Hans Holder for more time"
    asked = grants.ask_for_grant(
        office.stage.runtime,
        mailbox=office.address,
        requester_id=office.rita,
        words="",
        actor="Rita Recruiter",
    )
    longer = Bounds(expires_at=now + timedelta(days=30))
    grants.accept_request(
        office.stage.runtime, asked, mailbox_owner_id=office.hans, actor="Hans Holder", bounds=longer
    )
    office.stage.run_outbox()
    assert office.world.only(Sequence, sequence_id).status == "active"
    assert [each.archived_reason for each in office.world.all(Grant)] == ["replaced", None]
