"""Microsoft's sending limits: the lane waits, the mailbox stays connected, nobody is left out, one notice."""

from uuid import UUID

import pytest

from commands.words import explain
from db.views import lookups
from lab.access_records import Lane, Mailbox
from lab.records import Delivery, Notice, Sequence
from lab.stage import Stage
from lab.tables import ahead

SEND = "POST /me/messages/{id}/send"
CREATE = "POST /me/messages"
LIMITS = ["message_limit", "hourly_limit", "submission_quota", "tenant_limit", "quota"]


@pytest.fixture
def box(stage: Stage) -> UUID:
    owner = stage.world.member()
    mailbox = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, mailbox), 3)
    return mailbox


def why(stage: Stage, enrollment_id: UUID) -> str:
    with stage.world.database.transaction() as tx:
        return explain(lookups.situation(tx, enrollment_id))


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_waits_an_hour_burns_nobody_and_is_told_once(stage: Stage, box: UUID, limit: str) -> None:
    stage.emulator.control.fault(SEND, refusal=limit, times=4)
    for _ in range(5):
        stage.send_due()
        stage.run_outbox()
        stage.older(Lane, "limited_at", hours=1)
        stage.later(3600)
    assert stage.world.states() == {"sent": 3}
    assert len(stage.left()) == 3
    assert stage.only(Mailbox).standing == ("connected", None)
    assert stage.only(Sequence).status == "active"
    assert sum(each.failures for each in stage.all(Delivery)) == 0
    assert [each.channel for each in stage.notices()] == ["in_app", "email"]
    assert len(stage.left("smtp")) == 1


def test_while_it_lasts_nobody_asks_microsoft_and_why_names_it(stage: Stage, box: UUID) -> None:
    stage.emulator.control.switch(mailbox=stage.address(box), emails_a_day=1)
    stage.send_due()
    asked = stage.emulator.control.stats()["requests"][SEND]
    stage.later(3000)
    stage.send_due()
    assert stage.emulator.control.stats()["requests"][SEND] == asked
    waiting = stage.all(Delivery, reason="sending_limit_reached")[0]
    said = why(stage, waiting.enrollment_id)
    assert "has sent as much as it may for now. We try again at" in said
    stage.run_outbox()
    notice = stage.all(Notice, channel="in_app")[0]
    assert notice.title == f"Microsoft's sending limit is reached for {stage.address(box)}"
    assert "We try again at" in notice.body
    assert "(UTC)" in notice.body


def test_a_limit_met_again_a_day_later_is_told_again(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault(SEND, refusal="message_limit")
    stage.send_due()
    stage.older(Lane, "limited_at", days=1)
    stage.later(3600)
    stage.emulator.control.fault(SEND, refusal="message_limit")
    stage.send_due()
    stage.run_outbox()
    assert [each.channel for each in stage.notices()].count("in_app") == 2


def test_a_limit_on_drafts_is_one_too_and_a_full_mailbox_is_not(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault(CREATE, refusal="submission_quota")
    stage.send_due()
    assert stage.only(Mailbox).status == "connected"
    stage.later(3600)
    stage.emulator.control.fault(CREATE, refusal="quota")
    stage.send_due()
    assert stage.only(Mailbox).standing == ("disconnected", "mailbox_full")


def test_a_test_email_that_meets_the_limit_holds_the_lane_and_says_so(stage: Stage, box: UUID) -> None:
    from actions.verify import send_test_email

    stage.emulator.control.fault(SEND, refusal="message_limit")
    verdict = send_test_email(stage.runtime, box, actor="rita")
    assert verdict.explanation == "Microsoft says that this mailbox has sent as much as it may for now."
    lane = stage.only(Lane)
    assert lane.wait_reason == "sending_limit_reached"
    assert lane.retry_after_until is not None
    assert lane.retry_after_until > ahead(minutes=50)
    assert stage.only(Mailbox).status == "connected"
