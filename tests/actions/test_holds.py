"""Holds: after one returned nothing leaves, nothing is lost by it, and once it is over everything goes on in order, at its pace."""

import threading
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from actions import by_hand, holds, resume, verify, withdraw
from db.core.session import database_now
from db.sending import dispatch
from db.withdrawing.holds import Whose
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.holds import Level
from domain.verification import Outcome
from domain.withdrawal import WithdrawalResult
from lab.access_records import HoldRow, Lane, Mailbox
from lab.factories import World
from lab.records import AuditEntry, Delivery, Enrollment, Event, Pause, Sequence
from lab.stage import Stage
from lab.tables import ago
from scheduler import incidents, sweeper
from workers import send_step

SEND = "POST /me/messages/{id}/send"


class Office:
    """Hans lets Rita send from his mailbox; Rita has a sequence of two steps with four people. Olga is an admin."""

    def __init__(self, stage: Stage) -> None:
        world = stage.world
        self.stage = stage
        self.hans, self.rita = world.member("Hans Holder"), world.member("Rita Recruiter")
        self.olga = world.member("Olga Owner", role="owner")
        self.box = stage.mailbox(self.hans)
        world.grant(self.box, self.rita)
        self.sequence = world.sequence(self.rita, self.box, ("PT0S", "PT1H"))
        self.people = world.enroll(self.sequence, 4)
        self.mailbox = Whose(world.organization_id, self.box)
        self.organization = Whose(world.organization_id)

    def hold(
        self,
        whose: Whose | None = None,
        *,
        level: Level = Level.OWNER,
        actor: str = "Hans Holder",
        reason: str = "a mistake in my signature",
        until: datetime | None = None,
    ) -> WithdrawalResult:
        return holds.hold(
            self.stage.runtime,
            whose or self.mailbox,
            level=level,
            actor=actor,
            reason=reason,
            until=until,
        )

    def release(self, whose: Whose | None = None, *, level: Level = Level.OWNER) -> holds.Released:
        return holds.release(self.stage.runtime, whose or self.mailbox, level=level, actor="Hans Holder")

    def in_a_while(self, **span: float) -> datetime:
        with self.stage.database.transaction() as tx:
            return database_now(tx) + timedelta(**span)


@pytest.fixture
def office(stage: Stage) -> Office:
    return Office(stage)


def send_everything(stage: Stage) -> None:
    """Let time pass until nothing more leaves, also of what was queued and of which no worker took the message."""
    for _ in range(12):
        stage.later(60)
        with stage.world.database.transaction() as tx:
            lost = dispatch.enqueue_again(tx)
        for job in lost:
            send_step.send(stage.runtime, job)
        stage.send_due()


@pytest.mark.parametrize("whom", ["mailbox", "organization"])
def test_a_hold_answers_what_waits_and_what_had_left_and_nothing_leaves_after_it(
    stage: Stage, office: Office, whom: str
) -> None:
    first, *others = stage.due()
    send_step.send(stage.runtime, first)
    answer = office.hold(getattr(office, whom), level=Level.ADMIN, actor="Olga Owner")
    assert (answer.stopped, answer.already_sent, list(answer.in_doubt)) == (4, 1, [])
    for job in others:  # queued before
        send_step.send(stage.runtime, job)
    send_everything(stage)
    assert len(stage.left()) == 1
    assert stage.due() == []


def test_a_hold_changes_no_email_and_what_it_met_on_its_way_waits_as_planned(
    stage: Stage, office: Office
) -> None:
    before = {each.id: each.due_at for each in stage.all(Delivery)}
    jobs = stage.due()
    office.hold()
    for job in jobs:
        send_step.send(stage.runtime, job)
    assert {each.id: each.due_at for each in stage.all(Delivery)} == before
    assert stage.states() == {"pending": 4}
    assert {each.reason for each in stage.all(Delivery)} <= {"on_hold", None}
    assert (stage.only(Sequence).status, stage.only(Mailbox).status) == ("active", "connected")
    assert stage.count(Enrollment, status="active") == 4
    assert stage.count(Pause) == 0


def test_released_all_go_on_each_once_in_order_and_at_the_mailboxs_pace(stage: Stage, office: Office) -> None:
    stage.world.enroll(office.sequence, 16)
    planned = [each.id for each in stage.all(Delivery)]
    for number, each in enumerate(planned):
        stage.put(Delivery, each, due_at=ago(seconds=60 - number))
    office.hold()
    stage.later(7200)
    assert stage.send_due() == 0
    assert office.release() == holds.Released(ended=True, left=None)
    # As always: what the bucket holds, and from then on 26 a minute.
    assert stage.send_due() == 4
    assert len(stage.left()) == 4
    for _ in range(12):
        before = len(stage.left())
        stage.older(Lane, "refilled_at", seconds=10)
        stage.send_due()
        assert len(stage.left()) - before <= 5
    assert len(stage.left()) == 20
    sent = {each.correlation_id: each.id for each in stage.all(Delivery, state="sent")}
    assert [sent[entry.correlation_id] for entry in stage.left()] == planned
    stage.later(3700)
    send_everything(stage)
    assert stage.count(Enrollment, status="finished") == 20
    assert len({(entry.body, *entry.to) for entry in stage.left()}) == len(stage.left()) == 40


def test_a_request_in_flight_is_waited_for_and_counted_as_sent(stage: Stage, office: Office) -> None:
    (job, *_) = stage.due()
    stage.emulator.control.fault(SEND, when="after", delay=1)
    sender = threading.Thread(target=send_step.send, args=(stage.runtime, job))
    sender.start()
    while stage.states().get("sending") != 1:
        pass
    answer = office.hold()
    left = len(stage.left())
    sender.join()
    assert (answer.already_sent, list(answer.in_doubt)) == (1, [])
    send_everything(stage)
    assert len(stage.left()) == left == 1


def test_a_request_that_hangs_finds_nothing_to_send_after_the_hold_returned(
    stage: Stage, office: Office
) -> None:
    (job, *_) = stage.due()
    stage.emulator.control.fault(SEND, hang=4)
    sender = threading.Thread(target=send_step.send, args=(stage.runtime, job))
    sender.start()
    while stage.states().get("sending") != 1:
        pass
    answer = office.hold()
    assert list(answer.in_doubt) == [job.delivery_id]
    sender.join()
    assert stage.left() == []
    office.release()
    send_everything(stage)
    # It may have left, so only a person sends it again; all others went on.
    assert len(stage.left()) == 3
    assert stage.only(Delivery, job.delivery_id).state in ("in_doubt", "review")


def test_an_email_whose_answer_was_lost_is_found_under_the_hold_and_goes_on_after_it(
    stage: Stage, office: Office
) -> None:
    stage.emulator.control.fault(SEND, when="after", reset=True)
    (job, *_) = stage.due()
    send_step.send(stage.runtime, job)
    assert list(office.hold().in_doubt) == [job.delivery_id]
    for _ in range(30):
        stage.later(60)
        stage.look()
    assert stage.only(Delivery, job.delivery_id).state == "sent"
    assert len(stage.left()) == 1


def test_what_is_held_of_one_holds_no_other(stage: Stage, office: Office) -> None:
    other = stage.mailbox(office.rita)
    stage.world.enroll(stage.world.sequence(office.rita, other), 2)
    elsewhere = World(stage.world.database)
    stranger = elsewhere.member()
    theirs = elsewhere.mailbox(stranger)
    stage.emulator.control.add_mailboxes({"address": stage.address(theirs)})
    elsewhere.enroll(elsewhere.sequence(stranger, theirs), 1)
    office.hold()
    assert {stage.only(Delivery, each.delivery_id).mailbox_id for each in stage.due()} == {other, theirs}


def test_a_mailbox_that_is_added_to_a_held_organization_is_held_too(stage: Stage, office: Office) -> None:
    office.hold(office.organization, level=Level.ADMIN)
    box = stage.mailbox(office.rita)
    stage.world.enroll(stage.world.sequence(office.rita, box), 2)
    assert stage.send_due() == 0
    office.release(office.organization, level=Level.ADMIN)
    assert stage.send_due() == 6


def test_answers_are_read_and_count_while_the_mailbox_is_held(stage: Stage, office: Office) -> None:
    stage.send_due()
    office.hold()
    entry = stage.left()[0]
    stage.emulator.control.incoming(
        stage.address(office.box),
        sender=entry.to[0],
        text="Tell me more.",
        in_reply_to=entry.internet_message_id,
    )
    stage.later(300)
    stage.read_due()
    assert stage.count(Enrollment, status="stopped", reason="answered") == 1
    office.release()
    stage.later(3700)
    send_everything(stage)
    assert len(stage.left()) == 4 + 3


def test_what_somebody_writes_by_hand_and_a_test_email_wait_too(stage: Stage, office: Office) -> None:
    stage.attend()
    office.hold()
    verdict = verify.send_test_email(stage.runtime, office.box, actor="Hans Holder")
    assert verdict.outcome is Outcome.NOT_SENT
    assert "sends nothing now: a mistake in my signature." in verdict.explanation
    assert "owner can release it" in verdict.fix
    written, _ = by_hand.write(
        stage.runtime,
        stage.world.organization_id,
        stage.only(Enrollment, office.people[0]).candidate_id,
        member_id=office.rita,
        mailbox_id=office.box,
        in_thread=False,
        subject="Tuesday",
        text="Does Tuesday suit you?",
        key="k",
        actor="Rita Recruiter",
    )
    send_everything(stage)
    assert stage.left() == []
    office.release()
    send_everything(stage)
    assert stage.only(Delivery, written).state == "sent"


def test_a_second_hold_makes_one_last_longer_and_never_shorter(stage: Stage, office: Office) -> None:
    soon, later = office.in_a_while(hours=1), office.in_a_while(hours=5)
    office.hold(until=later)
    office.hold(until=soon, reason="only for an hour")
    (row,) = stage.all(HoldRow)
    assert (row.until, row.reason) == (later, "a mistake in my signature")
    office.hold(reason="until I am back")
    (row,) = stage.all(HoldRow)
    assert (row.until, row.reason) == (None, "until I am back")
    stage.run_outbox()
    assert stage.count(Event, kind="MailboxHeld") == 1
    assert [
        each.action for each in stage.all(AuditEntry) if "h" in each.action and "hold" in each.action
    ] == ["hold_lengthened"]


def test_its_time_ends_it_by_itself(stage: Stage, office: Office) -> None:
    office.hold(until=office.in_a_while(hours=1))
    assert stage.send_due() == 0
    stage.older(HoldRow, "until", "since", hours=2)
    assert stage.send_due() == 4
    for _ in range(2):
        sweeper.expire_holds(stage.world.database)
    assert stage.only(HoldRow).ended_by == "onbehalf"
    assert [each.action for each in stage.all(AuditEntry)].count("hold_expired") == 1
    office.hold()
    assert stage.count(HoldRow, ended_at=None) == 1


@pytest.mark.parametrize(
    ("held", "asks", "says"),
    [
        (Level.ADMIN, Level.OWNER, "owners and admins can release it"),
        (Level.OPERATOR, Level.OWNER, "Only Onbehalf's operators"),
        (Level.OPERATOR, Level.ADMIN, "Only Onbehalf's operators"),
    ],
)
def test_nobody_releases_what_somebody_above_them_holds(
    stage: Stage, office: Office, held: Level, asks: Level, says: str
) -> None:
    office.hold(level=held, actor="Olga Owner")
    with pytest.raises(NotPermitted, match=says):
        office.release(level=asks)
    assert stage.send_due() == 0
    assert office.release(level=held).ended
    assert stage.send_due() == 4


def test_who_may_not_release_a_mailbox_hears_so_whatever_else_is_held(stage: Stage, office: Office) -> None:
    office.hold(level=Level.ADMIN, actor="Olga Owner", until=office.in_a_while(hours=1))
    office.hold(office.organization, level=Level.OPERATOR, actor="operator olga")
    with pytest.raises(NotPermitted, match="Olga Owner holds it"):
        office.release()


def test_an_owners_release_leaves_an_admins_hold_and_says_so(stage: Stage, office: Office) -> None:
    office.hold()
    office.hold(level=Level.ADMIN, actor="Olga Owner", reason="the offer has changed")
    released = office.release()
    assert released.ended
    assert released.left is not None
    assert released.left.reason == "the offer has changed"
    assert stage.send_due() == 0


def test_a_mailbox_that_is_not_held_is_released_without_effect(stage: Stage, office: Office) -> None:
    assert office.release() == holds.Released(ended=False, left=None)
    assert stage.count(AuditEntry, action="hold_released") == 0
    office.hold(office.organization, level=Level.ADMIN)
    released = office.release()
    assert not released.ended
    assert released.left is not None
    assert stage.send_due() == 0


def test_a_hold_needs_a_reason_a_time_to_come_and_something_to_hold(stage: Stage, office: Office) -> None:
    with pytest.raises(InvalidInput, match="needs a reason"):
        office.hold(reason=" ")
    with pytest.raises(InvalidInput, match="has passed"):
        office.hold(until=ago(seconds=1))
    with pytest.raises(NotFound):
        office.hold(Whose(UUID(int=1)))
    assert stage.count(HoldRow) == 0
    assert stage.send_due() == 4


def test_a_hold_during_a_withdrawal_and_a_withdrawal_during_a_hold_both_stand(
    stage: Stage, office: Office
) -> None:
    (job, *_) = stage.due()
    stage.emulator.control.fault(SEND, when="after", delay=1.5)
    sender = threading.Thread(target=send_step.send, args=(stage.runtime, job))
    sender.start()
    while stage.states().get("sending") != 1:
        pass
    answers: list[WithdrawalResult] = []
    pausing = threading.Thread(
        target=lambda: answers.append(
            withdraw.pause_sequence(stage.runtime, office.sequence, actor="rita", reason="holiday")
        )
    )
    pausing.start()
    held = office.hold()
    for each in (pausing, sender):
        each.join()
    assert [each.already_sent for each in (held, *answers)] == [1, 1]
    send_everything(stage)
    assert len(stage.left()) == 1
    office.release()
    send_everything(stage)
    assert len(stage.left()) == 1
    assert stage.only(Sequence).status == "paused"


def test_a_resumption_is_planned_for_the_end_of_the_hold_and_says_why(stage: Stage, office: Office) -> None:
    withdraw.pause_sequence(stage.runtime, office.sequence, actor="rita", reason="holiday")
    stage.run_outbox()
    until = office.in_a_while(hours=5)
    office.hold(until=until)
    plan = resume.resume_sequence(stage.runtime, office.sequence, actor="rita")
    assert min(each.send_at for each in plan.planned if each.send_at is not None) >= until
    assert any("is held since" in note for note in plan.notes)
    assert stage.send_due() == 0


def test_owners_hear_of_it_once_and_the_incident_closes_when_it_is_released(
    stage: Stage, office: Office
) -> None:
    for _ in range(2):
        office.hold(level=Level.ADMIN, actor="Olga Owner", reason="the offer has changed")
    stage.run_outbox()
    heard = stage.notices(channel="in_app")
    assert {each.owner_id for each in heard} == {office.hans, office.rita}
    assert len(heard) == 2
    assert {each.title for each in heard} == {f"{stage.address(office.box)} is held"}
    assert all("Olga Owner stopped all sending" in each.body for each in heard)
    incidents.examine(stage.world.database)
    assert stage.notices(channel="in_app", closed_at=None) == heard
    office.release(level=Level.ADMIN)
    incidents.examine(stage.world.database)
    assert all(each.closed_at is not None for each in stage.notices(channel="in_app"))


def test_everybody_with_a_mailbox_or_a_sequence_hears_of_a_held_organization(
    stage: Stage, office: Office
) -> None:
    lena = stage.world.member("Lena Late")
    stage.mailbox(lena)
    stage.world.member("Nora Nobody")
    office.hold(office.organization, level=Level.OPERATOR, actor="operator olga", reason="an investigation")
    stage.run_outbox()
    heard = stage.notices(channel="in_app")
    assert sorted(each.owner_id for each in heard) == sorted([office.hans, office.rita, lena])
    assert {each.title for each in heard} == {"All sending is held"}
