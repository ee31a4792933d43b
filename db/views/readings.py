"""What was read of a member's mailboxes: how much was seen, and each message that was kept, why and for whom."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile
from domain.connection import READABLE

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class MailboxRead:
    """How far a mailbox is read. ``seen``: messages whose header we looked at; ``matched``: those that we kept."""

    id: UUID
    address: str
    status: str
    readable: bool
    read_as_of: datetime | None
    next_read_at: datetime | None
    seen: int
    matched: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A message that was kept. ``for_whom``: the owner of the sequence that it is about."""

    id: UUID
    received_at: datetime
    sender: str
    subject: str
    kind: str
    matched_by: str | None
    why: str
    candidate_id: UUID | None
    mailbox_id: UUID
    person: str | None
    sequence: str | None
    for_whom: str | None


_SQL = SqlFile(__name__)
_MAILBOXES, _KEPT = _SQL.statement("mailboxes", MailboxRead), _SQL.statement("kept", Kept)


def mailboxes_of(tx: Transaction, member_id: UUID) -> list[MailboxRead]:
    """Return the member's own mailboxes, and how far each is read."""
    return _MAILBOXES.all(tx, member_id=member_id, readable=sorted(READABLE))


def kept_of(
    tx: Transaction, member_id: UUID, *, before: UUID | None = None, limit: int = PER_PAGE
) -> list[Kept]:
    """Return what was kept of the member's own mailboxes, newest first."""
    return _KEPT.all(tx, member_id=member_id, before=before, limit=limit)
