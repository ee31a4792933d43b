"""The first email on a permission waits until the mailbox's owner has read it: nothing leaves before, and a no still stops it. Judged by the ledger."""

import threading
from contextlib import suppress
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from actions import approvals, resume, withdraw
from actions.approvals import ChangedSince
from db.access import first_emails as permissions
from db.core.ids import new_id
from db.sending import claims, gate
from domain.approval import WAITS_FOR_OWNER
from domain.errors import NotFound, NotPermitted, OnbehalfError
from domain.grant import Bounds
from domain.preflight import Clear, Hold, preflight
from lab.access_records import Grant
from lab.records import AuditEntry, Candidate, Delivery, Receipt, Sequence, Step
from lab.stage import Stage
from lab.tables import ago, ahead
from scheduler import first_emails
from tests.actions.test_grants import Desk, desk  # noqa: F401 - a fixture
from tests.web.visitor import Visitor, email_of, known_account

READ = Bounds(reads_first=True)


def waiting(stage: Stage, grant_id: UUID) -> permissions.First:
    with stage.database.transaction() as tx:
        (found,) = permissions.waiting(tx, grant_id=grant_id)
    return found


def mark(stage: Stage, delivery_id: UUID) -> str:
    with stage.database.transaction() as tx:
        found = approvals.letter(tx, delivery_id).mark
    assert found is not None
    return found


def approve(stage: Stage, desk: Desk, grant_id: UUID, read: str | None = None) -> None:  # noqa: F811
    email = waiting(stage, grant_id).delivery_id
    approvals.approve_first(
        stage.runtime,
        grant_id,
        email,
        read or mark(stage, email),
        mailbox_owner_id=desk.hans,
        actor="Hans Holder",
    )


def held(stage: Stage) -> int:
    return stage.count(Delivery, state="pending", held=True, reason=WAITS_FOR_OWNER)


def test_the_first_waits_and_holds_up_no_other_of_its_mailbox(stage: Stage, desk: Desk) -> None:  # noqa: F811
    grant_id = desk.give(READ)
    desk.start(2)
    desk.start(2, owner=desk.hans)  # his own
    assert stage.send_due() == 2
    assert len(stage.left()) == 2
    assert (held(stage), stage.send_due()) == (2, 0)
    assert waiting(stage, grant_id).emails == 2


def test_once_approved_the_permission_sends_by_itself_and_receipts_say_who_read_it(
    stage: Stage,
    desk: Desk,  # noqa: F811
) -> None:
    grant_id = desk.give(READ)
    sequences = [desk.start(delays=("PT0S", "PT0S")), desk.start()]  # two on one permission
    stage.send_due()
    read = mark(stage, waiting(stage, grant_id).delivery_id)
    approve(stage, desk, grant_id)
    stage.send_due()
    stage.later(60)
    stage.send_due()
    assert len(stage.left()) == 3
    assert {each.sequence_id for each in stage.all(Delivery, state="sent")} == set(sequences)
    for each in stage.all(Receipt):
        said = each.detail("permission")
        assert said is not None
        assert "its first email approved by Hans Holder at" in said
        assert said.endswith(f"text {read}")
    (audited,) = stage.all(AuditEntry, action="first_email_approved")
    assert audited.data["text"] == read
    with pytest.raises(NotPermitted):
        approvals.approve_first(
            stage.runtime,
            grant_id,
            stage.all(Delivery)[0].id,
            read,
            mailbox_owner_id=desk.hans,
            actor="Hans Holder",
        )


def test_what_changed_since_it_was_read_is_not_approved(stage: Stage, desk: Desk) -> None:  # noqa: F811
    grant_id = desk.give(READ)
    desk.start()
    stage.send_due()
    read = mark(stage, waiting(stage, grant_id).delivery_id)
    stage.put(Step, body="Hello, something else.")
    with pytest.raises(ChangedSince):
        approve(stage, desk, grant_id, read)
    assert (stage.send_due(), held(stage)) == (0, 1)


def test_each_recruiters_permission_is_read_by_itself(stage: Stage, desk: Desk) -> None:  # noqa: F811
    theo = stage.world.member("Theo Marsh")
    ritas, theos = desk.give(READ), desk.give(READ, to=theo)
    desk.start()
    desk.start(owner=theo)
    stage.send_due()
    approve(stage, desk, ritas)
    stage.send_due()
    (sent,) = stage.all(Delivery, state="sent")
    assert stage.only(Sequence, sent.sequence_id).owner_id == desk.rita
    assert waiting(stage, theos).person == "Theo Marsh"


def test_a_permission_for_everyone_is_read_once(stage: Stage, desk: Desk) -> None:  # noqa: F811
    grant_id = desk.give(READ, everyone=True)
    desk.start()
    desk.start(owner=stage.world.member("Theo Marsh"))
    stage.send_due()
    assert (len(stage.left()), waiting(stage, grant_id).emails) == (0, 2)
    approve(stage, desk, grant_id)
    stage.send_due()
    assert len(stage.left()) == 2


def test_after_its_end_nothing_leaves_and_a_new_permission_is_read_again(stage: Stage, desk: Desk) -> None:  # noqa: F811
    grant_id = desk.give(READ)
    sequence = desk.start()
    stage.send_due()
    email = waiting(stage, grant_id).delivery_id
    read = mark(stage, email)
    withdraw.revoke_grant(stage.runtime, grant_id, actor="Hans Holder")
    with pytest.raises(NotFound):
        approvals.approve_first(
            stage.runtime, grant_id, email, read, mailbox_owner_id=desk.hans, actor="Hans Holder"
        )
    stage.run_outbox()
    again = desk.give(READ)
    resume.resume_sequence(stage.runtime, sequence, actor="Rita Recruiter")
    assert (stage.send_due(), len(stage.left())) == (0, 0)
    approve(stage, desk, again)
    stage.send_due()
    assert len(stage.left()) == 1


def test_an_approval_and_the_end_of_the_permission_at_once_let_nothing_leave_after_the_end(
    stage: Stage,
    desk: Desk,  # noqa: F811
) -> None:
    for _ in range(4):
        grant_id = desk.give(READ)
        desk.start()
        stage.send_due()
        email = waiting(stage, grant_id).delivery_id
        read, together = mark(stage, email), threading.Barrier(2)

        def give_leave(grant: UUID = grant_id, of: UUID = email, said: str = read) -> None:
            together.wait(20)  # noqa: B023 - the thread ends within its round
            with suppress(NotFound):  # it had ended
                approvals.approve_first(
                    stage.runtime, grant, of, said, mailbox_owner_id=desk.hans, actor="Hans Holder"
                )

        thread = threading.Thread(target=give_leave)
        thread.start()
        together.wait(20)
        withdraw.revoke_grant(stage.runtime, grant_id, actor="Hans Holder")
        thread.join(30)
        stage.send_due()
        stage.run_outbox()
        stage.send_due()
        assert stage.left() == []
        assert stage.only(Grant, grant_id).archived_at is not None


def test_it_can_be_asked_for_later_and_taken_back(stage: Stage, desk: Desk) -> None:  # noqa: F811
    grant_id = desk.give()

    def ask(*, asks: bool) -> bool:
        return approvals.ask_for_first(
            stage.runtime, grant_id, asks=asks, mailbox_owner_id=desk.hans, actor="Hans Holder"
        )

    assert ask(asks=True)
    assert not ask(asks=True)
    desk.start()
    stage.send_due()
    assert held(stage) == 1
    assert ask(asks=False)
    stage.send_due()
    assert len(stage.left()) == 1
    with pytest.raises(NotFound):
        approvals.ask_for_first(
            stage.runtime, grant_id, asks=True, mailbox_owner_id=desk.rita, actor="Rita Recruiter"
        )


def test_what_another_permission_covers_waits_no_longer_than_its_own(stage: Stage, desk: Desk) -> None:  # noqa: F811
    grant_id = desk.give(READ)
    desk.give(everyone=True)
    desk.start()
    assert (stage.send_due(), held(stage)) == (0, 1)  # a personal one comes first
    withdraw.revoke_grant(stage.runtime, grant_id, actor="Hans Holder")
    first_emails.notify(stage.database)
    stage.send_due()
    assert len(stage.left()) == 1


def test_its_owner_hears_once_each_time_that_one_waits(stage: Stage, desk: Desk) -> None:  # noqa: F811
    grant_id = desk.give(READ)
    desk.start(3)
    for _ in range(3):
        stage.send_due()
        first_emails.notify(stage.database)
        stage.run_outbox()
    (notice,) = [
        each for each in stage.notices(channel="in_app", owner_id=desk.hans) if "first email" in each.title
    ]
    assert notice.title == f"The first email of Rita Recruiter from {stage.address(desk.box)} waits for you"
    assert f"/settings/sequences/grants/{grant_id}/first" in str(notice)


class TestEarlierReleases:
    """Processes that know nothing of it send none of these emails: the database does not let them."""

    def test_their_workers_do_not_pass_the_gate(self, stage: Stage, desk: Desk) -> None:  # noqa: F811
        desk.give(READ)
        desk.start()
        token = new_id()
        email = stage.only(Delivery).id
        stage.overwrite(
            Delivery,
            email,
            state="drafted",
            lease_token=token,
            lease_until=ahead(seconds=45),
            draft_id="x",
            correlation_id="c",
            attempts=1,
        )
        with stage.database.transaction() as tx:
            claim = claims.load_claim(tx, email, token)
            assert claim is not None
            lane = gate.lock_lane(tx, desk.box)
            assert not gate.pass_gate(tx, claim, lane, Clear("grant_to_person", None, ()))
        assert stage.only(Delivery, email).state == "drafted"


def test_the_database_holds_what_the_gate_holds(stage: Stage, desk: Desk) -> None:  # noqa: F811
    """``waits_for_mailbox_owner`` mirrors ``usable_grant`` over every pair of permissions, for two of Rita's sequences."""
    named, other = desk.start(), desk.start()
    kinds: tuple[dict[str, Any] | None, ...] = (
        None,
        {},
        {"first_email": {"since": "x"}},
        {"first_email": {"since": "x", "by": "Hans", "at": ago().isoformat(), "text": "y"}},
        {"first_email": {"since": "x"}, "expires_at": ago(hours=1)},
        {"first_email": {"since": "x"}, "sequence_ids": [named]},
        {"first_email": {"since": "x"}, "daily_limit": 1, "used_today": 1, "used_on": ago().date()},
        {"daily_limit": 1, "used_today": 1, "used_on": ago().date()},
    )
    seen = set()
    for personal, everyone in product(kinds, kinds):
        stage.purge(Grant)
        for values, grantee in ((personal, desk.rita), (everyone, None)):
            if values is not None:
                stage.add(
                    Grant,
                    {
                        "id": new_id(),
                        "organization_id": stage.world.organization_id,
                        "mailbox_id": desk.box,
                        "mailbox_owner_id": desk.hans,
                        "grantee_id": grantee,
                        **values,
                    },
                )
        for sequence in (named, other):
            email = stage.only(Delivery, sequence_id=sequence)
            with stage.database.transaction() as tx:
                decision = preflight(claims.present(tx, email.id)[1])
            stage.put(Delivery, email.id, state="queued", queued_at=ago())
            found = stage.only(Delivery, email.id)
            by_database = (found.state, found.held, found.reason) == ("pending", True, WAITS_FOR_OWNER)
            assert by_database == (decision == Hold(WAITS_FOR_OWNER)), (personal, everyone, decision)
            seen.add(by_database)
            stage.overwrite(Delivery, email.id, state="pending", held=False, reason=None, queued_at=None)
    assert seen == {True, False}


def test_pages_give_it_show_the_email_and_approve_it(stage: Stage, desk: Desk) -> None:  # noqa: F811
    for each in (desk.hans, desk.rita):
        known_account(stage, email_of(stage, each))
    hans = Visitor(stage).sign_in(email_of(stage, desk.hans)).get("/settings/sequences/grants/new")
    hans.send("/settings/sequences/grants", to=str(desk.rita), first="yes")
    grant_id = stage.only(Grant).id
    assert "You read the first email before it leaves." in hans.get("/settings/sequences").text
    desk.start()
    stage.send_due()
    here = f"/settings/sequences/grants/{grant_id}/first"
    assert here in hans.get("/attention").text
    shown = hans.get(here)
    assert "Hello Cand0, this is step 1." in shown.text
    rita = Visitor(stage).sign_in(email_of(stage, desk.rita))
    assert rita.get(here).status == 404
    assert "reads the first email before it leaves" in rita.get("/outbox?which=held").text
    person = stage.only(Candidate).id
    assert "reads the first email on their permission" in rita.get(f"/people/{person}").text
    email = waiting(stage, grant_id).delivery_id
    read = mark(stage, email)
    assert "has changed since you read it" in hans.get(here).send(here, email=str(email), mark="another").text
    hans.get(here).send(here, email=str(email), mark=read)
    stage.send_due()
    assert len(stage.left()) == 1
    assert "You have read the first email" in hans.get(here).text


def test_nobody_else_approves_it(stage: Stage, desk: Desk) -> None:  # noqa: F811
    grant_id = desk.give(READ)
    desk.start()
    stage.send_due()
    email = waiting(stage, grant_id).delivery_id
    for somebody in (desk.rita, stage.world.member("Ada Novak", role="admin")):
        with pytest.raises(OnbehalfError):
            approvals.approve_first(
                stage.runtime, grant_id, email, mark(stage, email), mailbox_owner_id=somebody, actor="x"
            )
    assert held(stage) == 1
