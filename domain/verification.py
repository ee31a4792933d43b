"""What a test email or a check of settings ends with: a short title, what it means, and what to do."""

from dataclasses import dataclass
from enum import StrEnum

from domain.errors import (
    AdminApprovalRequired,
    ConsentMissing,
    DeliveryUnknown,
    MailboxDisconnected,
    MailboxUnsuitable,
    OperatorMisconfigured,
    PolicyBlocked,
    Throttled,
)


class Outcome(StrEnum):
    """How it ended; the value is the title that people read."""

    SENT = "Test email sent successfully"
    NOT_SENT = "Couldn't send test email. Please check your settings once."
    VERIFIED = "The settings work"
    NOT_VERIFIED = "Could not verify the settings. Please check and try again."
    NOT_ALLOWED = "Not allowed"
    NOT_FOUND = "SMTP settings not found"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``explanation`` and ``fix``: one sentence each. ``code``: the provider's own, for support."""

    outcome: Outcome
    explanation: str
    fix: str = ""
    code: str = ""

    @property
    def good(self) -> bool:
        """Did it work?"""
        return self.outcome in (Outcome.SENT, Outcome.VERIFIED)


def not_connected(address: str) -> Verdict:
    """Nothing is stored for this mailbox: it was never connected, or it was removed."""
    return Verdict(
        Outcome.NOT_FOUND,
        f"{address} is not connected: it never was, or it was removed.",
        "Connect it under Sequences settings, then try again.",
    )


def verdict_of(error: Exception, address: str, *, of_test: bool) -> Verdict:
    """What a refusal means. ``of_test``: of a test email; else of a check of the settings."""
    general = Outcome.NOT_SENT if of_test else Outcome.NOT_VERIFIED
    blocked = Outcome.NOT_SENT if of_test else Outcome.NOT_ALLOWED
    outcome, fix = {
        ConsentMissing: (general, "Reconnect it and accept all permissions that Microsoft lists."),
        MailboxDisconnected: (general, f"Reconnect it, and sign in as {address}."),
        MailboxUnsuitable: (general, "Connect a person's own, licensed mailbox instead."),
        AdminApprovalRequired: (blocked, "Ask your IT team to approve Onbehalf; then reconnect."),
        PolicyBlocked: (blocked, "Ask your IT team which policy blocks it; reconnecting does not help."),
        Throttled: (general, "The settings may be right: wait a minute, then try again."),
        OperatorMisconfigured: (
            general,
            "Nothing is wrong with your mailbox; the operators of Onbehalf are told.",
        ),
        DeliveryUnknown: (general, "Look into your inbox: it may have arrived all the same."),
    }.get(type(error), (general, "Try again in a few minutes."))
    text = str(error)
    if isinstance(error, OperatorMisconfigured):
        text = "Onbehalf itself is not set up correctly for Microsoft."
    return Verdict(outcome, text, fix, getattr(error, "code", ""))
