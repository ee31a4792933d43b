"""What others sent from a member's mailbox: each email with whose sequence it was, on which permission, and to whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile, Statement

PER_PAGE = 50
MOST_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Sent:
    """An email that left on a permission. ``candidate_id`` None: they were erased. ``sequence`` None: it was written by hand.

    ``grant_ended``: the permission is over.
    """

    delivery_id: UUID
    accepted_at: datetime
    address: str
    candidate_id: UUID | None
    person: str | None
    by: str
    sequence: str | None
    grant_id: UUID
    grant_ended: bool


@dataclass(frozen=True, slots=True)
class Permission:
    """A permission of these mailboxes, also an ended one. ``person`` None: everyone."""

    id: UUID
    person: str | None
    address: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Emails, each counted up to ``MOST_COUNTED``. ``today``: since midnight of the member's zone."""

    today: int
    month: int


_SQL = SqlFile(__name__)
_IS_MINE = _SQL.fragment("mine")
_SENT = _SQL.statement("sent", Sent, mine=_IS_MINE)
_PERMISSIONS = _SQL.statement("permissions", Permission, mine=_IS_MINE)
_COUNTS = _SQL.statement("counts", Counts, mine=_IS_MINE)
_MINE = Statement("SELECT id FROM mailboxes WHERE owner_id = :id ORDER BY id", UUID)


def mailboxes_of(tx: Transaction, member_id: UUID) -> list[UUID]:
    """Return the mailboxes that a member owns."""
    return _MINE.all(tx, id=member_id)


def sent(
    tx: Transaction,
    mailbox_ids: Sequence[UUID],
    *,
    grant_id: UUID | None = None,
    before: UUID | None = None,
    limit: int = PER_PAGE,
) -> list[Sent]:
    """Return the newest first. ``grant_id``: on this permission alone. ``before``: the last delivery of the page before."""
    return _SENT.all(tx, mailbox_ids=list(mailbox_ids), grant_id=grant_id, before=before, limit=limit)


def permissions(tx: Transaction, mailbox_ids: Sequence[UUID]) -> list[Permission]:
    """Return the permissions by which emails may have left, those in force first, at most 100."""
    return _PERMISSIONS.all(tx, mailbox_ids=list(mailbox_ids))


def counts(tx: Transaction, mailbox_ids: Sequence[UUID], zone: str) -> Counts:
    """Return how many left today, by the clock of ``zone``, and in the last 30 days."""
    return _COUNTS.one(tx, mailbox_ids=list(mailbox_ids), zone=zone, most=MOST_COUNTED)
