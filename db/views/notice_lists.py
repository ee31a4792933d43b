"""A member's in-app notices for their page: newest first, one page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from domain.errors import NotFound
from domain.incidents import State, state_of

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One notice. ``links``: [label, path] of pages where the member can act."""

    id: UUID
    title: str
    body: str
    links: Sequence[Sequence[str]]
    created_at: datetime
    read_at: datetime | None
    opened_at: datetime | None
    acknowledged_at: datetime | None
    closed_at: datetime | None

    @property
    def state(self) -> State | None:
        """The state of the incident that it is; None if it is none."""
        return None if self.opened_at is None else state_of(self.acknowledged_at, self.closed_at)


_MINE = "owner_id = :recipient AND channel = 'in_app'"
_SQL = SqlFile(__name__)
_OF_RECIPIENT = _SQL.statement("of_recipient", Line, mine=_MINE)
_ONE = Statement(f"SELECT * FROM notices WHERE {_MINE} AND id = :id", Line)
_NEWEST = Statement(f"SELECT id FROM notices WHERE {_MINE} ORDER BY id DESC LIMIT 1", UUID)
_UNREAD = Statement(f"SELECT count(*) FROM notices WHERE {_MINE} AND read_at IS NULL", int)
_MARK_READ = Statement(
    "UPDATE notices SET read_at = coalesce(read_at, clock_timestamp()) WHERE id = :id AND channel = 'in_app'"
    " AND (CAST(:recipient AS uuid) IS NULL OR owner_id = :recipient)"
)
_MARK_ALL_READ = Statement(
    f"UPDATE notices SET read_at = clock_timestamp() WHERE {_MINE} AND read_at IS NULL"
    " AND (CAST(:up_to AS uuid) IS NULL OR id <= :up_to)"
)


def of_recipient(
    tx: Transaction,
    recipient: UUID,
    *,
    unread_only: bool,
    search: str,
    before: UUID | None,
    limit: int = PER_PAGE + 1,
) -> list[Line]:
    """Return a page of notices, by default with one more if there are more. ``before``: only those older than this one."""
    return _OF_RECIPIENT.all(
        tx, recipient=recipient, unread_only=unread_only, search=search, before=before, limit=limit
    )


def one(tx: Transaction, recipient: UUID, notice_id: UUID) -> Line:
    """Return one of the recipient's notices. Raises ``NotFound``."""
    found = _ONE.one_or_none(tx, recipient=recipient, id=notice_id)
    if found is None:
        raise NotFound("You have no such notification.")
    return found


def unread(tx: Transaction, recipient: UUID) -> int:
    """Count the recipient's unread notices."""
    return _UNREAD.one(tx, recipient=recipient)


def newest(tx: Transaction, recipient: UUID) -> UUID | None:
    """Return the recipient's newest notice, or None."""
    return _NEWEST.one_or_none(tx, recipient=recipient)


def mark_read(tx: Transaction, recipient: UUID | None, notice_id: UUID) -> None:
    """Mark one notice as read. ``recipient`` None: anybody's. Raises ``NotFound``."""
    if not _MARK_READ.run(tx, recipient=recipient, id=notice_id):
        raise NotFound("There is no such notification.")


def mark_all_read(tx: Transaction, recipient: UUID, *, up_to: UUID | None) -> int:
    """Mark all notices as read, up to a given one (None: all); returns how many were unread."""
    return _MARK_ALL_READ.run(tx, recipient=recipient, up_to=up_to)
