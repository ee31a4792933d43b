"""Send a test email from a mailbox to itself, or check its settings. A worker does it; whoever asks waits for its answer."""

from uuid import UUID

from actions import errands
from actions.connect import known_mailbox
from actions.smtp import dmarc_verdict
from app.runtime import Runtime
from domain.connection import Provider
from domain.errands import ErrandKind
from domain.verification import Outcome, Verdict, not_connected


def send_test_email(runtime: Runtime, mailbox_id: UUID, *, actor: str) -> Verdict:
    """Send one email from the mailbox to its own address. Raises ``NotFound``, ``TooMany``, ``WorkersSilent``."""
    mailbox = known_mailbox(runtime, mailbox_id)
    if not mailbox.has_connection:
        return not_connected(mailbox.address)
    with runtime.limiter.test(mailbox.organization_id, mailbox_id, actor):
        verdict = errands.verdict(
            runtime, mailbox.organization_id, ErrandKind.SEND_TEST_EMAIL, mailbox_id, actor=actor
        )
    return verdict or Verdict(
        Outcome.NOT_SENT,
        "It is not known yet whether the test email has left.",
        "Look into your inbox: it may have arrived all the same.",
    )


def verify_settings(runtime: Runtime, mailbox_id: UUID, *, actor: str = "") -> Verdict:
    """Ask the provider whether the mailbox can send. Raises ``NotFound``, ``TooMany``, ``WorkersSilent``.

    A lost one that can again is connected again, unless an email of it was refused: only one that leaves shows that this is
    over (``send_test_email``).
    """
    mailbox = known_mailbox(runtime, mailbox_id)
    if not mailbox.has_connection:
        return not_connected(mailbox.address)
    with runtime.limiter.test(mailbox.organization_id, mailbox_id, actor):
        verdict = errands.verdict(
            runtime, mailbox.organization_id, ErrandKind.CHECK_SETTINGS, mailbox_id, actor=actor
        )
    if verdict is None:
        return errands.STILL_CHECKING
    if verdict.good and mailbox.provider == Provider.MICROSOFT_SMTP:
        return dmarc_verdict(runtime, mailbox.address) or verdict
    return verdict
