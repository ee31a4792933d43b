"""A mail server's refusal of the sender fails no person. One without a reason is first compared with other emails."""

from dataclasses import replace
from uuid import UUID

import pytest

from actions import attention
from domain.refusals import GIVEN_UP
from lab.access_records import Lane, Mailbox
from lab.emulator.world import LedgerEntry
from lab.records import Candidate, Delivery, Enrollment, Sequence
from lab.stage import Stage
from tests.workers import test_send_by_smtp
from tests.workers.test_send_by_smtp import left_by_smtp

mailbox_owner, box = test_send_by_smtp.mailbox_owner, test_send_by_smtp.box
pytestmark = pytest.mark.usefixtures("trusted_mail_server")


@pytest.fixture(autouse=True)
def notices_in_the_app_only(stage: Stage) -> None:
    """Notices in the app only: the refusals below are of the mailbox's server, which is also the notices' relay here."""
    stage.runtime.settings = replace(stage.runtime.settings, default_mail_url="")


def refuse(stage: Stage, at: str, line: str, *, times: int = 99, mailbox: str = "") -> None:
    stage.emulator.control.fault(
        f"SMTP {at}", status=int(line[:3]), body=line[4:], times=times, mailbox=mailbox
    )


def sequence(stage: Stage, owner: UUID, mailbox: UUID, people: int) -> None:
    stage.world.enroll(stage.world.sequence(owner, mailbox, ("PT0S",)), people)


@pytest.mark.parametrize(
    ("at", "line"),
    [
        ("RCPT", "550 5.4.5 Daily user sending limit exceeded"),
        ("DATA", "554 5.7.0 limit on the number of allowed outgoing messages was exceeded. Try again later."),
        ("DATA", "550 5.7.233 Your message can't be sent because your tenant exceeded its daily limit"),
        ("DATA", "454 Throttling failure: Daily message quota exceeded."),
        ("RCPT", "452 Too many recipients received this hour"),
        ("DATA", "552 daily sending size limit exceeded"),
    ],
)
def test_a_sending_limit_holds_the_lane_is_told_once_and_uses_up_nobody(
    stage: Stage,
    mailbox_owner: UUID,
    box: UUID,
    at: str,
    line: str,
) -> None:
    sequence(stage, mailbox_owner, box, 8)
    refuse(stage, at, line)
    stage.send_due()
    stage.run_outbox()
    for _ in range(3):
        stage.later(3700)
        stage.send_due()
        stage.run_outbox()
    assert stage.count(Delivery, state="pending") == 8
    assert stage.count(Enrollment, status="active") == 8
    assert stage.only(Mailbox).status == "connected"
    assert [each.channel for each in stage.notices()].count("in_app") == 1
    stage.emulator.control.clear_faults()
    for _ in range(4):
        stage.later(3700)
        stage.send_due()
    assert len(_to(left_by_smtp(stage))) == 8


@pytest.mark.parametrize(
    ("at", "line"),
    [
        ("DATA", "550 5.1.8 Access denied, bad outbound sender"),
        ("RCPT", "554 5.7.1 <ann@example.org>: Relay access denied"),
        ("DATA", "550 5.7.705 Access denied, tenant has exceeded threshold."),
        ("RCPT", "550 relay not permitted"),
        ("RCPT", "550 5.2.1 Sender mailbox disabled"),
        ("DATA", "554 Message rejected: Email address is not verified."),
    ],
)
def test_a_sender_that_is_refused_pauses_the_mailbox_and_uses_up_nobody(
    stage: Stage,
    mailbox_owner: UUID,
    box: UUID,
    at: str,
    line: str,
) -> None:
    sequence(stage, mailbox_owner, box, 8)
    refuse(stage, at, line)
    stage.send_due()
    stage.run_outbox()
    assert stage.count(Delivery, state="pending", held=True) == 8
    assert stage.count(Enrollment, status="active") == 8
    assert stage.only(Mailbox).status == "disconnected"
    assert stage.only(Sequence).status == "paused"
    assert [each.channel for each in stage.notices()].count("in_app") == 1


def test_the_hourly_check_does_not_announce_a_mailbox_whose_emails_are_refused(
    stage: Stage,
    mailbox_owner: UUID,
    box: UUID,
) -> None:
    sequence(stage, mailbox_owner, box, 2)
    refuse(stage, "DATA", "550 5.1.8 Access denied, bad outbound sender")
    stage.send_due()
    stage.run_outbox()
    stage.check_mailboxes()
    assert stage.only(Mailbox).status == "disconnected"
    assert not any("can send again" in each.title or "works again" in each.title for each in stage.notices())


@pytest.mark.parametrize("at", ["RCPT", "DATA"])
def test_several_refusals_in_a_row_without_a_reason_wait_and_are_told(
    stage: Stage,
    mailbox_owner: UUID,
    box: UUID,
    at: str,
) -> None:
    sequence(stage, mailbox_owner, box, 6)
    refuse(stage, at, "554 5.7.1 Access denied")
    for _ in range(5):
        stage.send_due()
        stage.run_outbox()
        stage.later(3700)
    assert stage.count(Delivery, state="pending") == 6
    assert stage.count(Enrollment, status="active") == 6
    assert [each.channel for each in stage.notices()].count("in_app") == 1
    stage.emulator.control.clear_faults()
    for _ in range(4):
        stage.later(3700)
        stage.send_due()
    assert len(_to(left_by_smtp(stage))) == 6


def test_a_refusal_without_a_reason_is_the_persons_where_others_are_taken(
    stage: Stage,
    mailbox_owner: UUID,
    box: UUID,
) -> None:
    made = stage.world.sequence(mailbox_owner, box, ("PT0S",))
    stage.world.enroll(made)
    person = stage.only(Candidate).email
    refuse(stage, "RCPT", "554 5.7.1 Access denied", mailbox=person)
    stage.send_due()
    assert stage.only(Delivery).reason == "refused_without_reason"
    stage.world.enroll(made, 2)
    stage.send_due()
    stage.later(3700)
    stage.send_due()
    assert stage.only(Delivery, state="closed").outcome == "failed"
    assert stage.count(Delivery, state="sent") == 2


@pytest.mark.parametrize(
    "line",
    [
        "550 Mailbox suspended",
        "571 Email from you is blocked by the recipient",
        "550 5.2.121 Recipient's per hour message receive limit from specific sender exceeded",
    ],
)
def test_what_one_recipient_refuses_holds_nobody_else(
    stage: Stage, mailbox_owner: UUID, box: UUID, line: str
) -> None:
    made = stage.world.sequence(mailbox_owner, box, ("PT0S",))
    stage.world.enroll(made)
    refuse(stage, "RCPT", line, mailbox=stage.only(Candidate).email)
    stage.send_due()
    stage.world.enroll(made, 3)
    stage.send_due()
    assert stage.count(Delivery, state="sent") == 3
    assert stage.count(Delivery, state="pending") == 1
    assert stage.only(Mailbox).status == "connected"
    assert stage.only(Lane, box).wait_reason is None


def _slowly(stage: Stage, owner: UUID, mailbox: UUID, *, hours: int, people: int = 4) -> None:
    """Enroll that many people, each due five hours after the one before, and let so many hours pass."""
    made = stage.world.sequence(owner, mailbox, ("PT0S",))
    for hour in range(hours):
        if hour % 5 == 0 and hour < 5 * people:
            stage.world.enroll(made)
        stage.send_due()
        stage.run_outbox()
        stage.later(3700)


@pytest.mark.parametrize("at", ["RCPT", "DATA"])
def test_refusals_of_a_slow_list_use_up_one_person_at_most(
    stage: Stage,
    mailbox_owner: UUID,
    box: UUID,
    at: str,
) -> None:
    refuse(stage, at, "554 5.7.1 Access denied")
    _slowly(stage, mailbox_owner, box, hours=20)
    given_up = stage.only(Delivery, state="closed")
    assert (given_up.outcome, given_up.reason) == ("failed", GIVEN_UP)
    assert stage.count(Delivery, state="pending") == 3
    titles = [each.title for each in stage.notices() if each.channel == "in_app"]
    assert [each.endswith(" failed") for each in titles].count(True) == 1
    assert [" refuses emails from " in each for each in titles].count(True) == 1
    assert len(titles) == 2
    stage.emulator.control.clear_faults()
    for _ in range(4):
        stage.later(3700)
        stage.send_due()
    assert len(_to(left_by_smtp(stage))) == 3


def test_refusals_of_a_slow_list_pause_the_mailbox_after_a_day(
    stage: Stage,
    mailbox_owner: UUID,
    box: UUID,
) -> None:
    refuse(stage, "DATA", "554 5.7.1 Access denied")
    _slowly(stage, mailbox_owner, box, hours=26)
    stage.check_mailboxes()  # sends nothing, so it proves nothing
    assert stage.only(Mailbox).status == "disconnected"
    assert stage.count(Delivery, state="pending", held=True) == 3
    assert stage.count(Enrollment, status="active") == 3


def test_whoever_is_left_out_by_hand_still_speaks_for_the_mailbox(
    stage: Stage,
    mailbox_owner: UUID,
    box: UUID,
) -> None:
    refuse(stage, "DATA", "554 5.7.1 Access denied")
    _slowly(stage, mailbox_owner, box, hours=4, people=1)
    assert attention.leave_out_failed(stage.runtime, stage.only(Sequence).id, GIVEN_UP, actor="Hans") == 1
    assert stage.only(Delivery).outcome == "skipped"
    _slowly(stage, mailbox_owner, box, hours=4, people=1)
    assert stage.count(Delivery, state="pending") == 1


def test_an_acceptance_ends_what_earlier_refusals_say_of_the_mailbox(
    stage: Stage,
    mailbox_owner: UUID,
    box: UUID,
) -> None:
    refuse(stage, "DATA", "554 5.7.1 Access denied")
    _slowly(stage, mailbox_owner, box, hours=4, people=1)
    stage.emulator.control.clear_faults()
    _slowly(stage, mailbox_owner, box, hours=1, people=1)
    assert stage.count(Delivery, state="sent") == 1
    refuse(stage, "DATA", "554 5.7.1 Access denied")
    _slowly(stage, mailbox_owner, box, hours=1, people=1)
    assert stage.only(Lane, box).wait_reason is None


def _to(entries: list[LedgerEntry]) -> set[str]:
    assert len({each.to[0] for each in entries}) == len(entries)
    return {each.to[0] for each in entries}
