"""No follow-up leaves after an answer that is in the mailbox, nor while nobody can know whether there is one. Judged by the ledger."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import structlog

from commands.words import explain
from db.core.ids import new_id
from db.listening import reads
from db.views import lookups
from lab.access_records import Lane
from lab.listening_records import MailboxRead
from lab.records import Candidate, Delivery, Enrollment, Receipt, Suppression
from lab.stage import Stage
from lab.tables import ago, ahead
from workers import read_before_send, read_mailbox

LIST = "GET /me/messages"


@pytest.fixture
def box(stage: Stage) -> UUID:
    """A mailbox whose owner writes to somebody, who has had the first email and waits for the second."""
    owner = stage.world.member("Hans Holder")
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box, ("PT0S", "PT1H", "PT1H")), 1)
    stage.send_due()
    assert len(stage.left()) == 1
    return box


def answers(stage: Stage, box: UUID, **values: Any) -> None:
    (entry,) = stage.left()
    given = {
        "sender": entry.to[0],
        "subject": f"Re: {entry.subject}",
        "text": "Thank you, please call me.",
        "in_reply_to": entry.internet_message_id,
    } | values
    stage.emulator.control.incoming(stage.address(box), **given)


def waits_for(stage: Stage) -> tuple[str | None, bool]:
    found = stage.only(Delivery, state="pending")
    return found.reason, found.held


def why(stage: Stage) -> str:
    enrollment = stage.all(Enrollment)[0].id
    with stage.world.database.transaction() as tx:
        return explain(lookups.situation(tx, enrollment))


def checks(stage: Stage) -> list[str | None]:
    found = sorted(stage.all(Receipt), key=lambda each: each.accepted_at)
    return [each.detail("answers") for each in found]


@pytest.mark.row("E1")
def test_an_answer_that_came_just_before_a_follow_up_stops_it(stage: Stage, box: UUID) -> None:
    stage.later(3700)
    answers(stage, box)
    stage.send_due()
    assert len(stage.left()) == 1
    assert stage.only(Enrollment).standing == ("stopped", "answered")
    assert stage.world.states() == {"sent": 1, "closed": 1}


def test_a_follow_up_reads_first_and_its_receipt_says_as_of_when_nobody_had_answered(
    stage: Stage, box: UUID
) -> None:
    stage.later(3700)
    stage.send_due()
    assert len(stage.left()) == 2
    first, second = checks(stage)
    assert first == "first email of the sequence to this person"
    assert str(second).startswith("no answer as of 20")


def test_an_answer_that_comes_after_the_reading_and_is_recorded_before_the_gate_stops_it(
    stage: Stage, box: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.later(3700)
    at_the_gate = read_before_send.up_to_date

    def and_then_an_answer(*args: Any) -> Any:
        found = at_the_gate(*args)
        answers(stage, box)
        stage.read(box)
        return found

    monkeypatch.setattr(read_before_send, "up_to_date", and_then_an_answer)
    stage.send_due()
    assert len(stage.left()) == 1


@pytest.mark.parametrize("status", [500, 410, 429])
def test_a_mailbox_that_cannot_be_read_just_now_holds_its_follow_ups(
    stage: Stage, box: UUID, status: int
) -> None:
    stage.emulator.control.fault(LIST, status=status, times=100)
    stage.later(3700)
    answers(stage, box)
    stage.send_due()
    assert len(stage.left()) == 1
    assert waits_for(stage) == ("mailbox_not_read", False)
    assert stage.only(Delivery, state="pending").due_at > ahead(seconds=50)
    assert ("asked this mailbox to wait" if status == 429 else "we could not read") in why(stage)
    stage.emulator.control.clear_faults()
    stage.later(3700)
    stage.send_due()
    assert len(stage.left()) == 1
    assert stage.only(Enrollment).standing == ("stopped", "answered")


def test_first_emails_do_not_wait_for_a_reading(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault(LIST, status=500, times=100)
    stage.world.enroll(stage.world.sequence(stage.owner(box), box, ("PT0S",)), 1)
    stage.send_due()
    assert len(stage.left()) == 2


def test_one_reading_serves_all_follow_ups_of_a_minute(stage: Stage, box: UUID) -> None:
    stage.world.enroll(stage.world.sequence(stage.owner(box), box, ("PT0S", "PT1H")), 3)
    stage.send_due()
    stage.later(3700)
    with structlog.testing.capture_logs() as logs:
        stage.send_due()
    assert len(stage.left()) == 8
    assert [each["event"] for each in logs].count("mailbox_read") == 1


def test_while_another_worker_reads_a_follow_up_waits_a_moment(stage: Stage, box: UUID) -> None:
    stage.later(3700)
    stage.read(box)
    stage.put(MailboxRead, lease_token=new_id(), lease_until=ahead(seconds=40), read_as_of=ago(seconds=95))
    stage.send_due()
    assert len(stage.left()) == 1
    assert waits_for(stage) == ("mailbox_not_read", False)
    assert stage.only(Delivery, state="pending").due_at < ahead(seconds=5)


def test_a_reading_that_grows_old_before_the_gate_does_not_count(
    stage: Stage, box: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.later(3700)
    read = read_before_send.up_to_date

    def slow(*args: Any) -> Any:
        found = read(*args)
        stage.put(MailboxRead, read_as_of=ago(seconds=91))
        return found

    monkeypatch.setattr(read_before_send, "up_to_date", slow)
    job = stage.due()[0]
    from workers import send_step

    send_step.send(stage.runtime, job)
    assert len(stage.left()) == 1
    assert waits_for(stage)[0] == "mailbox_not_read"


@pytest.mark.row("E2", "N4")
def test_an_automatic_reply_holds_the_person_in_every_sequence_and_ends_nothing(
    stage: Stage, box: UUID
) -> None:
    answers(
        stage,
        box,
        subject="Automatic reply: A role at Acme",
        text="I am out of the office.",
        headers={"Auto-Submitted": "auto-replied"},
    )
    stage.later(3700)
    stage.send_due()
    assert len(stage.left()) == 1
    assert waits_for(stage) == ("person_away", False)
    assert "is away" in why(stage)
    other = stage.world.sequence(stage.owner(box), box, ("PT0S",))
    candidate = stage.only(Candidate).id
    from db.core.session import database_now
    from db.sending.enrollments import enroll_many

    with stage.world.database.transaction() as tx:
        enroll_many(tx, other, [candidate], database_now(tx))
    stage.send_due()
    assert len(stage.left()) == 1
    stage.later(timedelta(days=12).total_seconds())
    stage.send_due()
    assert len(stage.left()) == 3
    assert {each.status for each in stage.all(Enrollment)} <= {"active", "finished"}


def test_a_colleagues_automatic_reply_that_lists_leave_out_is_searched_for(stage: Stage) -> None:
    owner = stage.world.member("Hans Holder")
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box, ("PT0S", "PT1H")), 1, email="ada@acme.example")
    stage.emulator.control.behaviour("ada@acme.example", kind="auto_reply")
    stage.send_due()
    stage.later(3700)
    stage.send_due()
    assert len(stage.left()) == 1
    assert waits_for(stage) == ("person_away", False)


def test_a_colleague_is_searched_for_before_a_follow_up_although_another_worker_reads_the_mailbox(
    stage: Stage,
) -> None:
    owner = stage.world.member("Hans Holder")
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box, ("PT0S", "PT1H")), 1, email="ada@acme.example")
    stage.emulator.control.behaviour("ada@acme.example", kind="auto_reply")
    stage.send_due()
    stage.later(3700)
    assert stage.read(box)  # fresh enough for the gate, and without what lists leave out
    with stage.world.database.transaction() as tx:
        assert reads.begin(tx, box, None)
    stage.send_due()
    assert len(stage.left()) == 1
    assert waits_for(stage) == ("mailbox_not_read", False)
    stage.later(600)
    stage.send_due()
    assert len(stage.left()) == 1
    assert waits_for(stage) == ("person_away", False)


def test_words_that_sound_like_an_opt_out_hold_the_person_until_somebody_decides(
    stage: Stage, box: UUID
) -> None:
    answers(stage, box, text="Please remove me from your list and do not contact me again.")
    stage.later(3700)
    stage.send_due()
    assert len(stage.left()) == 1
    assert stage.only(Enrollment).standing == ("paused", "opt_out_proposed")
    stage.run_outbox()
    assert {each.title for each in stage.notices()} == {"Does Cand0 want no more emails?"}


@pytest.mark.row("N3")
def test_what_the_mailbox_owner_writes_by_hand_ends_the_sequence_for_that_person(
    stage: Stage, box: UUID
) -> None:
    (entry,) = stage.left()
    stage.emulator.control.wrote_by_hand(
        stage.address(box), entry.to[0], subject="One more thing", text="Are you free on Friday?"
    )
    stage.later(3700)
    stage.send_due()
    assert len(stage.left()) == 1
    assert stage.only(Enrollment).standing == ("stopped", "sender_wrote")


def test_a_hard_bounce_ends_every_sequence_and_suppresses_the_address(stage: Stage, box: UUID) -> None:
    (entry,) = stage.left()
    raw = (
        f"From: MAILER-DAEMON@mx.example.org\r\nTo: {entry.sender}\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        "MIME-Version: 1.0\r\nAuto-Submitted: auto-replied\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nUser unknown\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.org\r\n\r\n"
        f"Final-Recipient: rfc822; {entry.to[0]}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {entry.internet_message_id}\r\n\r\n--b--\r\n"
    )
    stage.emulator.control.incoming(stage.address(box), raw=raw)
    stage.later(3700)
    stage.send_due()
    assert len(stage.left()) == 1
    assert stage.only(Enrollment).standing == ("stopped", "bounced")
    assert [(each.value, each.reason) for each in stage.all(Suppression)] == [(entry.to[0], "bounced")]


@pytest.mark.row("N10")
def test_strangers_mail_under_the_same_subject_stops_nobody(stage: Stage, box: UUID) -> None:
    (entry,) = stage.left()
    answers(
        stage, box, sender="stranger@elsewhere.example", in_reply_to="", conversation_id=entry.conversation_id
    )
    stage.later(3700)
    stage.send_due()
    assert len(stage.left()) == 2


def test_a_follow_up_is_not_kept_from_leaving_by_its_own_mailboxs_busy_slot_for_long(
    stage: Stage, box: UUID
) -> None:
    stage.later(3700)
    stage.put(Lane, slot_token=new_id(), slot_until=ahead(seconds=40))
    stage.send_due()
    assert len(stage.left()) == 1
    stage.later(60)
    assert read_mailbox.read(stage.runtime, box)
    stage.send_due()
    assert len(stage.left()) == 2
