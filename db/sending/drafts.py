"""Accepted emails that may still be in Drafts: when to check, what we saw, and what follows.

A row says when to check a sent delivery (``left_check_at``) and when we last saw it in Drafts (``still_draft_at``). One
listing of Drafts checks all of a mailbox's emails accepted more than ``SETTLED`` ago, however many there are.
"""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from db.audit import audit
from db.core.session import Transaction
from db.events import outbox, problems
from domain.jobs import CheckDrafts

SETTLED = timedelta(minutes=2)  # after acceptance; younger emails wait for the next listing
AGAIN = timedelta(minutes=15)  # until we look again for an email seen in Drafts
APART = timedelta(minutes=3)  # the shortest time between two listings of a mailbox


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
    """Return what one listing checks, by delivery: its draft, and whether we saw it in Drafts before."""
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
    """Record a listing. ``gone``: never seen in Drafts; ``still``: there now; ``moved``: seen there before, but not now.

    The caller has locked the lane. An email seen there for the first time causes a notice; one that has left frees its
    follow-up.
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
