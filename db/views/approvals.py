"""Emails that wait for an approval, those that came due first. Reads only."""

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile
from db.views.attention import APPROVAL

PER_PAGE = 10  # each is shown whole


class Waiting(NamedTuple):
    """An email that waits. ``due_at``: since when; ``owner_id``: of its sequence."""

    id: UUID
    candidate_id: UUID
    person: str
    sequence_id: UUID
    sequence: str
    owner_id: UUID
    position: int
    due_at: datetime


def place_of(email: Waiting) -> str:
    """Return a place in the list, for a link or a program: ``outbox.read_place`` reads it."""
    return f"{email.due_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}~{email.id}"


_SQL = SqlFile(__name__)
_WAITING = _SQL.statement("waiting", Waiting, approval=APPROVAL)
_COUNT = _SQL.statement("count", int, approval=APPROVAL)


def waiting(
    tx: Transaction,
    organization_id: UUID,
    owner_id: UUID | None,
    sequence_id: UUID | None = None,
    *,
    after: tuple[datetime, UUID] | None = None,
    limit: int = PER_PAGE,
) -> list[Waiting]:
    """Return emails of a member's sequences (None: everybody's). ``after``: time and id of the last one of the page before."""
    return _WAITING.all(
        tx,
        organization_id=organization_id,
        owner_id=owner_id,
        sequence_id=sequence_id,
        after_at=after and after[0],
        after_id=after and after[1],
        limit=limit,
    )


def count(
    tx: Transaction, organization_id: UUID, owner_id: UUID | None, sequence_id: UUID | None = None
) -> int:
    """Count them, up to 1,000."""
    return _COUNT.one(tx, organization_id=organization_id, owner_id=owner_id, sequence_id=sequence_id)
