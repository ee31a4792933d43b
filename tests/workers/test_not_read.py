"""A mailbox that cannot be read for an hour: its owners hear of it once, and it is over by itself."""

from uuid import UUID

import pytest

from lab.access_records import Credentials, Mailbox
from lab.listening_records import MailboxRead
from lab.records import Notice, Sequence
from lab.stage import Stage
from scheduler import incidents

LIST = "GET /me/messages"
HOUR = 3600.0


@pytest.fixture
def box(stage: Stage) -> UUID:
    owner = stage.world.member("Hans Holder")
    mailbox = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, mailbox, ("PT0S", "P1D")), 2)
    stage.send_due()
    return mailbox


def unread_for_an_hour(stage: Stage, box: UUID, status: int = 503) -> None:
    stage.emulator.control.fault(LIST, status=status, times=1000)
    assert not stage.read(box)
    stage.later(HOUR)
    for _ in range(3):
        assert not stage.read(box)
    stage.run_outbox()


def told(stage: Stage) -> list[Notice]:
    return stage.all(Notice, channel="in_app")


def test_owners_hear_once_that_follow_ups_wait_and_why(stage: Stage, box: UUID) -> None:
    unread_for_an_hour(stage, box)
    (notice,) = told(stage)
    assert notice.title == f"We cannot read {stage.address(box)}, so follow-ups wait"
    assert "2 people waiting" in notice.body
    assert stage.only(Sequence).status == "active"


def test_a_short_trouble_tells_owners_nothing(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault(LIST, status=503, times=1000)
    for _ in range(9):
        assert not stage.read(box)
    stage.later(HOUR / 2)
    assert not stage.read(box)
    stage.run_outbox()
    assert told(stage) == []


def test_what_only_the_operator_can_fix_tells_owners_nothing(stage: Stage, box: UUID) -> None:
    stage.emulator.control.add_mailboxes({"address": stage.address(box), "refusal": "7000222"})
    stage.put(Credentials, access_token=None, access_expires_at=None)
    unread_for_an_hour(stage, box)
    assert stage.only(MailboxRead).last_error == "OperatorMisconfigured"
    assert told(stage) == []


def test_it_is_over_when_the_mailbox_is_read_and_the_next_trouble_is_told_anew(
    stage: Stage, box: UUID
) -> None:
    unread_for_an_hour(stage, box)
    incidents.examine(stage.world.database)
    assert told(stage)[0].closed_at is None
    stage.emulator.control.clear_faults()
    assert stage.read(box)
    incidents.examine(stage.world.database)
    assert told(stage)[0].closed_at is not None
    unread_for_an_hour(stage, box)
    assert len(told(stage)) == 2


def test_a_mailbox_that_is_lost_meanwhile_is_one_trouble_and_no_longer_two(stage: Stage, box: UUID) -> None:
    unread_for_an_hour(stage, box)
    stage.emulator.control.revoke(stage.address(box))
    stage.check_mailboxes()
    incidents.examine(stage.world.database)
    assert [each.closed_at is None for each in told(stage) if "cannot read" in each.title] == [False]


def test_trouble_of_before_a_mailbox_was_connected_again_says_nothing_of_now(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault(LIST, status=503, times=1)
    assert not stage.read(box)
    stage.put(Mailbox, box, status="disconnected", status_reason="removed", connection_version=2)
    stage.later(HOUR)
    assert stage.read_due() == 1  # finds it disconnected
    stage.put(Mailbox, box, status="connected", status_reason=None, connection_version=3)
    stage.later(HOUR)
    stage.emulator.control.fault(LIST, status=503, times=1)
    assert not stage.read(box)
    stage.run_outbox()
    assert told(stage) == []


def test_a_refused_sign_in_is_no_trouble_that_passes(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault(LIST, status=503, times=1)
    assert not stage.read(box)
    assert stage.only(MailboxRead).failing_since is not None
    stage.emulator.control.revoke(stage.address(box))
    stage.put(Credentials, access_token=None, access_expires_at=None)
    assert not stage.read(box)
    assert stage.only(MailboxRead).failing_since is None
