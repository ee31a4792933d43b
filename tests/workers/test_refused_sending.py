"""After Microsoft refused to send, only an email that leaves shows that it is over, not a check or a sign-in."""

from uuid import UUID

import pytest

from actions import connect
from actions.verify import send_test_email, verify_settings
from domain.verification import Outcome
from lab.access_records import Lane, Mailbox
from lab.records import Notice, Sequence
from lab.stage import Stage

SEND = "POST /me/messages/{id}/send"
REASONS = {
    "suspended": ("sending_blocked", "administrator to release"),
    "blocked": ("sending_blocked", "administrator to release"),
    "outbound_spam": ("sending_blocked", "administrator to release"),
    "send_as_denied": ("send_as_denied", "administrator to let the connected account"),
}


@pytest.fixture
def box(stage: Stage) -> UUID:
    owner = stage.world.member()
    mailbox = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, mailbox), 2)
    return mailbox


def status(stage: Stage) -> tuple[object, ...]:
    mailbox = stage.only(Mailbox)
    return *mailbox.standing, mailbox.refused_sending is not None


@pytest.mark.parametrize("refusal", REASONS)
def test_it_is_told_with_who_must_act_and_no_check_takes_it_back(
    stage: Stage, box: UUID, refusal: str
) -> None:
    reason, helps = REASONS[refusal]
    stage.emulator.control.fault(SEND, refusal=refusal, times=99)
    stage.send_due()
    stage.run_outbox()
    assert status(stage) == ("disconnected", reason, True)
    body = stage.all(Notice, channel="in_app")[0].body
    assert helps in body
    assert "Connecting it again does not help" in body
    assert "test email" in body
    for _ in range(2):
        stage.check_mailboxes()
    verdict = verify_settings(stage.runtime, box)
    assert verdict.outcome is Outcome.NOT_VERIFIED
    assert "refused to send the last email" in verdict.explanation
    assert "test email" in verdict.fix
    assert status(stage) == ("disconnected", reason, True)
    assert [each.title for each in stage.notices(channel="in_app")] == [f"{stage.address(box)} cannot send"]


def test_a_test_email_that_is_refused_changes_nothing_and_one_that_leaves_connects_again(
    stage: Stage, box: UUID
) -> None:
    stage.emulator.control.switch(mailbox=stage.address(box), suspended=True)
    stage.send_due()
    stage.run_outbox()
    refused = send_test_email(stage.runtime, box, actor="rita")
    assert refused.outcome is Outcome.NOT_SENT
    assert "administrator" in refused.fix
    assert status(stage) == ("disconnected", "sending_blocked", True)
    stage.emulator.control.switch(mailbox=stage.address(box), suspended=False)
    assert send_test_email(stage.runtime, box, actor="rita").good
    stage.run_outbox()
    assert status(stage) == ("connected", None, False)
    titles = [each.title for each in stage.notices(channel="in_app")]
    assert titles[1:] == [f"{stage.address(box)} works again"]
    assert stage.only(Sequence).status == "paused"


def reconnect(stage: Stage, box: UUID) -> None:
    token = stage.emulator.control.refresh_token(stage.address(box))
    connect.connect_mailbox(stage.runtime, box, refresh_token=token, actor="rita")


def test_signing_in_again_does_not_lift_a_block(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault(SEND, refusal="suspended")
    stage.send_due()
    stage.run_outbox()
    reconnect(stage, box)
    stage.run_outbox()
    assert status(stage) == ("disconnected", "sending_blocked", True)
    assert not stage.only(Lane).open
    assert len(stage.notices(channel="in_app")) == 1
    assert send_test_email(stage.runtime, box, actor="rita").good
    assert status(stage) == ("connected", None, False)


def test_signing_in_again_lifts_a_missing_permission_and_a_dead_sign_in(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault(
        SEND, status=403, value={"error": {"code": "ErrorAccessDenied", "message": "Access is denied."}}
    )
    stage.send_due()
    assert status(stage) == ("disconnected", "consent_missing", True)
    stage.check_mailboxes()
    assert status(stage) == ("disconnected", "consent_missing", True)
    reconnect(stage, box)
    assert status(stage) == ("connected", None, False)


def test_what_entra_refused_is_noticed_by_a_check_as_ever(stage: Stage, box: UUID) -> None:
    stage.emulator.control.add_mailboxes({"address": stage.address(box), "refusal": "53003"})
    stage.check_mailboxes()
    assert status(stage) == ("disconnected", "policy_blocked", False)
    assert "We notice within an hour" in stage.all(Notice, channel="in_app")[0].body
    stage.emulator.control.add_mailboxes({"address": stage.address(box), "refusal": ""})
    stage.check_mailboxes()
    assert status(stage) == ("connected", None, False)
