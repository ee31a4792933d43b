"""Planning the regular checks of mailboxes."""

from datetime import timedelta

from sqlalchemy import text

from db.core.session import Transaction
from db.events import outbox
from domain.jobs import CheckMailbox

# Not connected, and its owner waits for an administrator's approval (mailboxes b, their owners m, credentials c): the token of
# their sign-in shows when it is given, and connects nothing.
ONLY_TRIED = (
    "m.awaits_approval_since IS NOT NULL AND m.active AND c.renewable"
    " AND (b.status = 'never_connected' OR b.status_reason IN ('removed', 'disabled'))"
)


def plan(tx: Transaction, *, every: timedelta, lost_every: timedelta, limit: int = 100) -> int:
    """Put a check into the outbox for each mailbox not checked for ``every``; returns how many.

    ``lost_every``: for those that the provider refuses, and whose token is still here: perhaps it accepts it again.
    """
    rows = tx.execute(
        text(
            "UPDATE mailboxes SET checked_at = clock_timestamp() WHERE id IN ("
            " SELECT b.id FROM mailboxes b WHERE (b.status = 'connected' OR (b.status = 'disconnected'"
            "    AND b.status_reason NOT IN ('removed', 'disabled', 'same_account') AND (EXISTS ("
            "    SELECT FROM credentials c WHERE c.mailbox_id = b.id AND c.renewable) OR b.provider = 'smtp'))"
            "   OR EXISTS (SELECT FROM members m JOIN credentials c ON c.mailbox_id = b.id WHERE m.id = b.owner_id"
            f"    AND {ONLY_TRIED}))"
            "  AND (b.checked_at IS NULL OR b.checked_at < clock_timestamp()"
            "    - CASE WHEN b.status = 'connected' THEN CAST(:every AS interval) ELSE :lost_every END)"
            " ORDER BY b.checked_at NULLS FIRST LIMIT :limit FOR UPDATE SKIP LOCKED) RETURNING id, checked_at"
        ),
        {"every": every, "lost_every": lost_every, "limit": limit},
    ).all()
    for row in rows:
        outbox.put(tx, CheckMailbox(row.id, row.checked_at.isoformat()))
    return len(rows)
