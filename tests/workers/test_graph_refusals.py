"""A refusal by Microsoft that does not say what it is about is first compared with the mailbox's other emails."""

from uuid import UUID

import pytest

from lab.access_records import Lane, Mailbox
from lab.records import Delivery, Enrollment, Sequence
from lab.stage import Stage

DRAFT, SEND = "POST /me/messages", "POST /me/messages/{id}/send"
HOUR = 3700


@pytest.fixture
def box(stage: Stage) -> UUID:
    """The mailbox of a sequence that has no people yet."""
    owner = stage.world.member()
    mailbox = stage.mailbox(owner)
    stage.world.sequence(owner, mailbox, ("PT0S",))
    return mailbox


def people(stage: Stage, count: int) -> None:
    stage.world.enroll(stage.only(Sequence).id, count)


def refuse(stage: Stage, route: str, code: str) -> None:
    stage.emulator.control.fault(
        route, status=400, times=999, value={"error": {"code": code, "message": "No."}}
    )


def hours(stage: Stage, count: int) -> None:
    for _ in range(count):
        stage.send_due()
        stage.run_outbox()
        stage.later(HOUR)


@pytest.mark.parametrize("route", [DRAFT, SEND])
@pytest.mark.parametrize("code", ["SomethingNew", "BadRequest", "RequestBodyRead"])
def test_a_refusal_of_every_email_for_an_unknown_reason_uses_up_nobody_and_is_told_once(
    stage: Stage, box: UUID, route: str, code: str
) -> None:
    people(stage, 8)
    refuse(stage, route, code)
    hours(stage, 4)
    assert stage.count(Delivery, state="pending") == 8
    assert stage.count(Enrollment, status="active") == 8
    assert stage.only(Lane, box).wait_reason == "refused_without_reason"
    (notice,) = stage.notices(channel="in_app")
    assert "refuses emails from" in notice.title
    stage.emulator.control.clear_faults()
    hours(stage, 4)
    assert len({each.to[0] for each in stage.left()}) == len(stage.left()) == 8


@pytest.mark.parametrize("route", [DRAFT, SEND])
def test_after_a_day_the_mailbox_pauses_and_only_an_email_that_leaves_shows_that_it_is_over(
    stage: Stage, box: UUID, route: str
) -> None:
    people(stage, 8)
    refuse(stage, route, "SomethingNew")
    hours(stage, 27)
    stage.check_mailboxes()
    stage.run_outbox()
    assert stage.only(Mailbox, box).standing[:2] == ("disconnected", "policy_blocked")
    assert stage.only(Sequence).status == "paused"
    assert stage.count(Delivery, state="pending", held=True) == 8
    assert stage.count(Enrollment, status="active") == 8
    titles = [each.title for each in stage.notices(channel="in_app")]
    assert len(titles) == 2
    assert titles[1] == f"{stage.address(box)} cannot send"


def test_an_unknown_refusal_is_the_emails_own_where_others_are_taken(stage: Stage, box: UUID) -> None:
    people(stage, 1)
    refuse(stage, DRAFT, "SomethingNew")
    stage.send_due()
    assert stage.only(Delivery).reason == "refused_without_reason"
    stage.emulator.control.clear_faults()
    people(stage, 2)
    stage.send_due()
    assert stage.count(Delivery, state="sent") == 2
    refuse(stage, DRAFT, "SomethingNew")
    stage.later(HOUR)
    stage.send_due()
    closed = stage.only(Delivery, state="closed")
    assert (closed.outcome, closed.reason) == ("failed", "SomethingNew")


def test_an_unknown_refusal_of_an_email_in_doubt_is_looked_into_as_before(stage: Stage, box: UUID) -> None:
    people(stage, 1)
    stage.emulator.control.fault(SEND, when="before", reset=True)
    stage.send_due()
    assert stage.only(Delivery).state == "in_doubt"
    refuse(stage, SEND, "SomethingNew")
    for _ in range(12):
        stage.later(60)
        stage.look()
    stage.send_due()
    assert (stage.only(Delivery).state, stage.only(Delivery).reason) == ("in_doubt", "refused_after_doubt")
    assert stage.left() == []
