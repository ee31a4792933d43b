"""Say what keeps a sequence from sending, in a sentence that names who can change it."""

from uuid import UUID

from domain.authority import Withdrawn
from domain.events import EventKind

# What no sign-in of the mailbox's owner changes, by the mailbox's reason.
_ADMINS = {
    "tenant_refused": "an administrator of its organization has to give the consent again at Microsoft",
    "organization_gone": "the administrators of its organization have to resolve it with Microsoft",
    "outside_scope": "the Microsoft 365 administrator has to include it in what Onbehalf may use",
    "no_mailbox": "its account has no mailbox, or no licence for one",
}


def sentence(missing: Withdrawn, mailbox: str, owner: str, mailbox_owner: str | None, owner_id: UUID) -> str:
    """Explain ``missing`` to a person.

    ``mailbox``: its address. ``owner``, ``mailbox_owner``: the addresses of the sequence's and the mailbox's
    owner. Raises ``ValueError`` for a kind of event that keeps no sequence from sending.
    """
    match missing.kind:
        case EventKind.MAILBOX_DISCONNECTED:
            return f"{mailbox} is not connected: its owner has to connect it again."
        case EventKind.CONNECTION_LOST if missing.reason.startswith("consent_missing: "):
            scopes = missing.reason.removeprefix("consent_missing: ")
            return f"{mailbox} lacks {scopes}: its owner has to connect it again."
        case EventKind.CONNECTION_LOST if (waits_for := _ADMINS.get(missing.detail)) is not None:
            return f"{mailbox} is not connected: {waits_for}."
        case EventKind.TENANT_LOST:
            waits_for = _ADMINS.get(missing.detail, _ADMINS["tenant_refused"])
            return f"{mailbox} is not connected: {waits_for}."
        case EventKind.TENANT_DISCONNECTED:
            return f"{mailbox} is not connected: its organization's connection to Microsoft was ended. Its owner can connect it by themselves."
        case EventKind.CONNECTION_LOST:
            return f"{mailbox} is not connected: its owner has to connect it again."
        case EventKind.MEMBER_DEACTIVATED:
            who = owner if missing.member_id == owner_id else mailbox_owner
            return f"{who} is deactivated. Hand the sequence over, or reactivate them."
        case EventKind.GRANT_REVOKED | EventKind.GRANT_EXPIRED | EventKind.GRANT_MISSING:
            return f"{owner} has no permission to send from {mailbox}: ask {mailbox_owner} for it."
        case _:
            raise ValueError(f"{missing.kind} keeps no sequence from sending")
