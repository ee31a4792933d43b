"""Say what keeps a sequence from sending, in a sentence that names who can change it."""

from uuid import UUID

from domain.authority import Withdrawn
from domain.events import EventKind


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
        case EventKind.CONNECTION_LOST:
            return f"{mailbox} is not connected: its owner has to connect it again."
        case EventKind.MEMBER_DEACTIVATED:
            who = owner if missing.member_id == owner_id else mailbox_owner
            return f"{who} is deactivated. Hand the sequence over, or reactivate them."
        case EventKind.GRANT_REVOKED | EventKind.GRANT_EXPIRED | EventKind.GRANT_MISSING:
            return f"{owner} has no permission to send from {mailbox}: ask {mailbox_owner} for it."
        case _:
            raise ValueError(f"{missing.kind} keeps no sequence from sending")
