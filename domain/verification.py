"""The result of a test email or a check of settings: a short title, what it means, and what to do."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from domain.connection import Provider
from domain.errors import (
    AccountDisabled,
    AdminApprovalRequired,
    ConnectionRefused,
    ConsentMissing,
    DeliveryInDoubt,
    MailboxDisconnected,
    MailboxUnsuitable,
    NotAssigned,
    OperatorMisconfigured,
    OrganizationGone,
    OutsideScope,
    PolicyBlocked,
    RefusalUnexplained,
    SendingLimitReached,
    ServerUnsafe,
    TenantRefused,
    Throttled,
)
from domain.provider_words import PROVIDER_WORDS

# What to do after an email was refused, by the refusal's reason.
_FIX_BY_REASON = {
    "sending_blocked": "Ask your {words.admin} to release the mailbox, then send another test email.",
    "send_as_denied": "Ask your {words.admin} to let the account send as this address, then try again.",
    "mailbox_full": "Free up space in the mailbox, then try again.",
}


class Outcome(StrEnum):
    """How it ended; the value is the title that people read."""

    SENT = "Test email sent successfully"
    NOT_SENT = "Couldn't send test email. Please check your settings once."
    VERIFIED = "The settings work"
    NOT_VERIFIED = "Could not verify the settings. Please check and try again."
    NEEDS_CODE = "Enter the code that we have emailed"
    NOT_ALLOWED = "Not allowed"
    NOT_FOUND = "SMTP settings not found"
    NEEDS_CUSTOM = (
        "We're unable to send emails on your behalf due to your email account's security settings. To resolve this, please"
        " configure your email settings to use a custom SMTP server"
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """A result, for people.

    ``explanation`` and ``fix``: one sentence each. ``code``: the provider's own, for support.
    """

    outcome: Outcome
    explanation: str
    fix: str = ""
    code: str = ""

    @property
    def good(self) -> bool:
        """Did it work?"""
        return self.outcome in (Outcome.SENT, Outcome.VERIFIED)

    def to_json(self) -> dict[str, object]:
        """As an errand's row stores it for whoever waits."""
        return {**asdict(self), "outcome": self.outcome.name}

    @classmethod
    def from_json(cls, kept: Mapping[str, str]) -> "Verdict":
        """Read what ``to_json`` returns."""
        return cls(Outcome[kept["outcome"]], kept["explanation"], kept["fix"], kept["code"])


def not_connected(address: str) -> Verdict:
    """Nothing is stored for this mailbox: it was never connected, or it was removed."""
    return Verdict(
        Outcome.NOT_FOUND,
        f"{address} is not connected: it never was, or it was removed.",
        "Connect it under Mailbox and permissions, then try again.",
    )


def needs_custom_smtp(address: str) -> Verdict:
    """The domain's policy (DMARC, p=reject) rejects emails that are sent this way."""
    return Verdict(
        Outcome.NEEDS_CUSTOM,
        f"The domain {address.rpartition('@')[2]} asks recipients to reject emails that its own mail server has not sent.",
        "Fill in your own mail server under custom SMTP, and activate it.",
        "dmarc_reject",
    )


def still_refused(address: str, refused_by: str, code: str) -> Verdict:
    """The mailbox can be read, as before, but the last email from it was refused."""
    return Verdict(
        Outcome.NOT_VERIFIED,
        f"{refused_by} lets Onbehalf into {address}, but refused to send the last email from it.",
        "Send a test email. When it leaves, the mailbox is connected again.",
        code,
    )


def verdict_of(error: Exception, address: str, provider: str, *, of_test: bool) -> Verdict:
    """Say what an error of this provider means. ``of_test``: of a test email, else of a check."""
    words = PROVIDER_WORDS[provider]
    general = Outcome.NOT_SENT if of_test else Outcome.NOT_VERIFIED
    blocked = Outcome.NOT_SENT if of_test else Outcome.NOT_ALLOWED
    outcome, fix = {
        ConsentMissing: (general, f"Reconnect it and {words.accept}."),
        MailboxDisconnected: (
            general,
            f"Check the account and password of {address}."
            if provider == Provider.SMTP
            else f"Reconnect it, and sign in as {address}.",
        ),
        AccountDisabled: (blocked, "Ask your IT team to enable the account, then reconnect."),
        OrganizationGone: (
            blocked,
            f"Your organization's administrators have to resolve this with {words.name}. Reconnecting does not help.",
        ),
        RefusalUnexplained: (
            general,
            f"Reconnect {address}. If that does not help, show your IT team the code.",
        ),
        TenantRefused: (
            blocked,
            "Ask an administrator of your organization to give the consent again, on the page of the connection in Email settings.",
        ),
        OutsideScope: (
            blocked,
            f"Ask your {words.admin} to include {address} in what Onbehalf may use. It can take two hours until {words.name} applies it.",
        ),
        NotAssigned: (
            blocked,
            "Ask your IT team to assign you in Microsoft Entra, under Enterprise applications, Onbehalf, Users and groups.",
        ),
        ServerUnsafe: (general, "Check host, port and encryption with your IT team."),
        MailboxUnsuitable: (general, "Connect a person's own, licensed mailbox instead."),
        AdminApprovalRequired: (
            blocked,
            f"Ask your {words.admin}: {words.approval}. Then reconnect."
            if provider == Provider.GMAIL
            else "Ask your IT team to approve Onbehalf, then reconnect.",
        ),
        PolicyBlocked: (blocked, "Ask your IT team which policy blocks it. Reconnecting does not help."),
        SendingLimitReached: (general, "The settings are right. Wait up to a day, then try again."),
        Throttled: (general, "The settings may be right. Wait a minute, then try again."),
        OperatorMisconfigured: (
            general,
            "Nothing is wrong with your mailbox. We have alerted the operators of Onbehalf.",
        ),
        DeliveryInDoubt: (general, "Check your inbox: the email may have arrived anyway."),
    }.get(type(error), (general, "Try again in a few minutes."))
    if isinstance(error, ConnectionRefused) and error.on_send and error.reason in _FIX_BY_REASON:
        fix = _FIX_BY_REASON[error.reason].format(words=words)
    text = str(error)
    if isinstance(error, OperatorMisconfigured):
        text = "Onbehalf itself is not set up correctly to send."
    return Verdict(outcome, text, fix, getattr(error, "code", ""))
