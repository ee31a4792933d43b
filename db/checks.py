"""Planning the regular checks of mailboxes."""

from datetime import timedelta

from sqlalchemy import text

from db import outbox
from db.session import Transaction
from domain.jobs import CheckMailbox


def plan(tx: Transaction, *, every: timedelta, limit: int = 100) -> int:
    """Put a check into the outbox for each mailbox not checked for ``every``; returns how many."""
    rows = tx.execute(
        text(
            "UPDATE mailboxes SET checked_at = clock_timestamp() WHERE id IN ("
            " SELECT id FROM mailboxes WHERE status = 'connected'"
            "  AND (checked_at IS NULL OR checked_at < clock_timestamp() - :every)"
            " ORDER BY checked_at NULLS FIRST LIMIT :limit FOR UPDATE SKIP LOCKED) RETURNING id, checked_at"
        ),
        {"every": every, "limit": limit},
    ).all()
    for row in rows:
        outbox.put(tx, CheckMailbox(row.id, row.checked_at.isoformat()))
    return len(rows)
