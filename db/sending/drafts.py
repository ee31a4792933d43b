"""Emails that were accepted and may still lie in Drafts: when to see, what was seen, and what follows.

A row says when a sent delivery is to be checked (``left_check_at``), and when it was last seen in Drafts (``still_draft_at``). One
listing of Drafts checks all of a mailbox's that were accepted more than ``SETTLED`` ago, however many there are.
"""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from db.audit import audit
from db.core.session import Transaction
from db.events import outbox, problems
from domain.jobs import CheckDrafts

SETTLED = timedelta(minutes=2)  # since its acceptance: what is younger waits for the next listing
AGAIN = timedelta(minutes=15)  # what was seen there is looked for again
APART = timedelta(minutes=3)  # two listings of one mailbox, at least


def plan(tx: Transaction, limit: int = 100) -> int:
    """Put a check into the outbox for each mailbox with emails to check; returns how many."""
    rows = tx.execute(
        text(
            "UPDATE lanes SET drafts_checked_at = clock_timestamp() WHERE mailbox_id IN ("
            " SELECT l.mailbox_id FROM lanes l JOIN mailboxes b ON b.id = l.mailbox_id WHERE l.open AND b.provider = 'graph'"
            "  AND (l.drafts_checked_at IS NULL OR l.drafts_checked_at < clock_timestamp() - CAST(:apart AS interval))"
            "  AND EXISTS (SELECT FROM deliveries d WHERE d.mailbox_id = l.mailbox_id AND d.left_check_at <= now())"
            " ORDER BY l.mailbox_id LIMIT :limit FOR UPDATE OF l SKIP LOCKED) RETURNING mailbox_id, drafts_checked_at"
        ),
        {"apart": APART, "limit": limit},
    ).all()
    for row in rows:
        outbox.put(tx, CheckDrafts(row.mailbox_id, row.drafts_checked_at.isoformat()))
    return len(rows)


def waiting(tx: Transaction, mailbox_id: UUID) -> dict[UUID, tuple[str, bool]]:
    """What one listing checks: its draft, and whether it was seen in Drafts before; by delivery."""
    rows = tx.execute(
        text(
            "SELECT id, draft_id, still_draft_at IS NOT NULL AS seen FROM deliveries WHERE mailbox_id = :id"
            " AND left_check_at IS NOT NULL AND (left_check_at <= now() OR sent_at < now() - CAST(:settled AS interval))"
        ),
        {"id": mailbox_id, "settled": SETTLED},
    ).all()
    return {row.id: (row.draft_id, row.seen) for row in rows}


def record(
    tx: Transaction,
    mailbox_id: UUID,
    *,
    gone: Collection[UUID],
    still: Collection[UUID],
    moved: Collection[UUID],
) -> None:
    """``gone``: never seen in Drafts since; ``moved``: seen there before, and not now. ``still``: there.

    The caller has locked the lane. Whoever is seen there for the first time is in the notice, and what has left lets its follow-up go.
    """
    tx.execute(
        text(
            "UPDATE deliveries SET left_check_at = NULL, still_draft_at = NULL"
            " WHERE id = ANY(:ids) AND left_check_at IS NOT NULL"
        ),
        {"ids": [*gone, *moved]},
    )
    rows = tx.execute(
        text(
            "UPDATE deliveries d SET left_check_at = clock_timestamp() + CAST(:again AS interval),"
            " still_draft_at = clock_timestamp() FROM (SELECT id, still_draft_at IS NULL AS newly FROM deliveries"
            "   WHERE id = ANY(:ids)) was WHERE d.id = was.id AND d.left_check_at IS NOT NULL"
            " RETURNING d.id, d.organization_id, was.newly"
        ),
        {"ids": list(still), "again": AGAIN},
    ).all()
    newly = [row for row in rows if row.newly]
    for row in newly:
        _audit(tx, row.organization_id, row.id, "email_still_in_drafts")
    if newly:
        problems.notify_of_drafts(tx, mailbox_id, min(row.id for row in newly))
    if moved:
        organization_id = tx.execute(
            text("SELECT organization_id FROM mailboxes WHERE id = :id"), {"id": mailbox_id}
        ).scalar_one()
        for each in moved:
            _audit(tx, organization_id, each, "email_left_drafts")
        tx.execute(
            text(
                "UPDATE deliveries SET due_at = clock_timestamp() WHERE mailbox_id = :id AND state = 'pending' AND NOT held"
                " AND reason = 'previous_email_still_in_drafts' AND due_at > clock_timestamp()"
            ),
            {"id": mailbox_id},
        )
        tx.execute(
            text(
                "UPDATE lanes SET next_due_at = least(coalesce(next_due_at, clock_timestamp()), clock_timestamp())"
                " WHERE mailbox_id = :id"
            ),
            {"id": mailbox_id},
        )


def _audit(tx: Transaction, organization_id: UUID, delivery_id: UUID, what: str) -> None:
    audit.write(tx, organization_id, "onbehalf", what, f"delivery:{delivery_id}", {})
