"""A mailbox at Gmail through the whole pipeline: sending, doubt, answers, a lost sign-in."""

from uuid import UUID

import pytest

from lab.access_records import Mailbox
from lab.records import Candidate, Delivery, Notice
from lab.stage import Stage
from lab.tables import PRESENT

SEND = "POST /gmail/drafts/send"


@pytest.fixture
def box(stage: Stage) -> UUID:
    """It has one person to write to, three times."""
    owner = stage.world.member()
    mailbox = stage.google_mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, mailbox, ("PT0S", "PT1H", "PT1H")))
    return mailbox


def submissions(stage: Stage) -> int:
    return int(stage.emulator.control.stats()["requests"].get(SEND, 0))


def test_emails_leave_one_after_another_in_one_thread(stage: Stage, box: UUID) -> None:
    for _ in range(3):
        stage.send_due()
        stage.later(3600)
    first, second, third = stage.left("gmail")
    assert first.sender == stage.address(box)
    assert len({each.conversation_id for each in (first, second, third)}) == 1
    assert third.references == f"{first.internet_message_id} {second.internet_message_id}"
    assert len({each.correlation_id for each in (first, second, third)}) == 3
    assert stage.world.states() == {"sent": 3}
    assert stage.emulator.control.stats()["violations"] == []
    assert stage.left() == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_answer_makes_one_email_whether_or_not_it_had_been_accepted(
    stage: Stage, box: UUID, when: str
) -> None:
    stage.emulator.control.fault(SEND, when=when, reset=True)
    stage.send_due()
    assert stage.world.states() == {"in_doubt": 1}
    for _ in range(4):
        stage.later(700)
        stage.look()
        stage.send_due()
    assert len([each for each in stage.left("gmail") if not each.in_reply_to]) == 1
    assert stage.emulator.control.stats()["violations"] == []


def test_an_email_that_cannot_be_found_again_is_decided_by_a_person(stage: Stage, box: UUID) -> None:
    stage.emulator.control.switch(google_keeps_message_id=False)
    stage.emulator.control.fault(SEND, when="after", reset=True)
    stage.send_due()
    for _ in range(4):
        stage.later(700)
        stage.look()
        stage.send_due()
    assert stage.world.states() == {"review": 1}
    assert len(stage.left("gmail")) == submissions(stage) == 1


def test_an_email_has_left_when_gmail_has_answered(stage: Stage, box: UUID) -> None:
    stage.send_due()
    assert stage.count(Delivery, state="sent", left_check_at=PRESENT) == 0


def test_an_answer_stops_what_follows(stage: Stage, box: UUID) -> None:
    stage.send_due()
    (sent,) = stage.left("gmail")
    candidate = stage.only(Candidate)
    stage.emulator.control.incoming(
        stage.address(box),
        sender=candidate.email,
        subject=f"Re: {sent.subject}",
        text="Yes, call me.",
        in_reply_to=sent.internet_message_id,
    )
    stage.later(3600)
    stage.send_due()
    assert len(stage.left("gmail")) == 1


def test_an_email_that_the_owner_sends_by_hand_is_not_taken_for_ours(stage: Stage, box: UUID) -> None:
    stage.send_due()
    assert stage.read(box)
    stage.later(3600)
    stage.send_due()
    assert len(stage.left("gmail")) == 2


def test_a_lost_sign_in_stops_the_mailbox_once_for_all_its_emails(stage: Stage, box: UUID) -> None:
    owner = stage.owner(box)
    for _ in range(2):
        stage.world.enroll(stage.world.sequence(owner, box))
    stage.emulator.control.revoke(stage.address(box))
    stage.send_due()
    stage.run_outbox()
    assert stage.only(Mailbox).standing == ("disconnected", "sign_in_expired")
    assert stage.left("gmail") == []
    (notice,) = stage.all(Notice, channel="in_app", owner_id=owner)
    assert stage.address(box) in notice.title
