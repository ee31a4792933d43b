"""A member's in-app notices, for their page: newest first, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from db.core.session import Transaction
from domain.errors import NotFound

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One notice. ``links``: [label, path] of where something can be done."""

    id: UUID
    title: str
    body: str
    links: Sequence[Sequence[str]]
    created_at: datetime
    read_at: datetime | None


_COLUMNS = "id, title, body, links, created_at, read_at"
_MINE = "owner_id = :recipient AND channel = 'in_app'"


def of_recipient(
    tx: Transaction, recipient: UUID, *, unread_only: bool, search: str, before: UUID | None
) -> list[Line]:
    """A page of them and one more, if there is one. ``before``: those older than this one."""
    rows = tx.execute(
        text(
            f"SELECT {_COLUMNS} FROM notices WHERE {_MINE} AND (NOT :unread_only OR read_at IS NULL)"
            " AND (:search = '' OR strpos(lower(title || ' ' || body), lower(:search)) > 0)"
            " AND (CAST(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit"
        ),
        {
            "recipient": recipient,
            "unread_only": unread_only,
            "search": search,
            "before": before,
            "limit": PER_PAGE + 1,
        },
    ).all()
    return [_line(row) for row in rows]


def one(tx: Transaction, recipient: UUID, notice_id: UUID) -> Line:
    """One of them. Raises ``NotFound``."""
    row = tx.execute(
        text(f"SELECT {_COLUMNS} FROM notices WHERE {_MINE} AND id = :id"),
        {"recipient": recipient, "id": notice_id},
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such notification of yours.")
    return _line(row)


def newest(tx: Transaction, recipient: UUID) -> UUID | None:
    """The newest there is."""
    found: UUID | None = tx.execute(
        text(f"SELECT id FROM notices WHERE {_MINE} ORDER BY id DESC LIMIT 1"), {"recipient": recipient}
    ).scalar_one_or_none()
    return found


def mark_read(tx: Transaction, recipient: UUID, notice_id: UUID) -> None:
    """The recipient has seen this one."""
    tx.execute(
        text(f"UPDATE notices SET read_at = coalesce(read_at, clock_timestamp()) WHERE {_MINE} AND id = :id"),
        {"recipient": recipient, "id": notice_id},
    )


def mark_all_read(tx: Transaction, recipient: UUID, *, up_to: UUID | None) -> int:
    """The recipient has seen all of them, up to one (None: every one); returns how many were unread."""
    return tx.execute(
        text(
            f"UPDATE notices SET read_at = clock_timestamp() WHERE {_MINE} AND read_at IS NULL"
            " AND (CAST(:up_to AS uuid) IS NULL OR id <= :up_to)"
        ),
        {"recipient": recipient, "up_to": up_to},
    ).rowcount


def _line(row: Row[tuple[Any, ...]]) -> Line:
    return Line(row.id, row.title, row.body, row.links, row.created_at, row.read_at)
