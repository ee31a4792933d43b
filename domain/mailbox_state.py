"""How a mailbox's connection stands, in one word, for pages and commands alike."""

from typing import NamedTuple

_BLOCKED = frozenset(
    (
        "policy_blocked",
        "sending_blocked",
        "send_as_denied",
        "organization_gone",
        "account_disabled",
        "tenant_refused",
        "outside_scope",
        "no_mailbox",
        "not_assigned",
        "same_account",
        "refusal_unexplained",
    )
)


class MailboxState(NamedTuple):
    """``word``: capitalised. ``colour``: of its pill (components/parts.html): ok, info, bad, or "" for what is over or not begun."""

    word: str
    colour: str


def mailbox_state(status: str, reason: str | None) -> MailboxState:
    """``status``, ``reason``: of the mailbox, as they are stored."""
    match status, reason:
        case "connected", _:
            return MailboxState("Connected", "ok")
        case "never_connected", _:
            return MailboxState("Not connected", "")
        case _, "removed":
            return MailboxState("Removed", "")
        case _, "disabled":
            return MailboxState("Disabled", "")
        case _, "admin_approval_required":
            return MailboxState("Waits for IT", "info")
        case _, "mailbox_full":
            return MailboxState("Full", "bad")
        case _, "mailbox_unsuitable":
            return MailboxState("Unsuitable", "bad")
        case _, "member_deactivated":
            return MailboxState("Left", "")
        case _ if reason in _BLOCKED:
            return MailboxState("Blocked", "bad")
    return MailboxState("Sign-in needed", "bad")
