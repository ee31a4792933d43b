"""The gate of a test email: it obeys the lane like any other, and a withdrawal waits for it."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from db.audit import audit
from db.core.session import Transaction
from db.sending.gate import LockedLane
from domain.lane import CAPACITY

_MAX_TAKES = timedelta(seconds=30)  # a request lasts 25 s at most


def pass_gate(tx: Transaction, lane: LockedLane, organization_id: UUID, *, actor: str) -> bool:
    """Debit the locked lane and note that a test is on its way. False: another one is."""
    taken = tx.execute(
        text(
            "UPDATE lanes SET tokens = greatest(0, least(:capacity, :tokens) - 1), refilled_at = :now, sent_on = :today,"
            " sent_today = :sent_today, testing_until = :now + CAST(:most AS interval) WHERE mailbox_id = :id"
            " AND (testing_until IS NULL OR testing_until < :now) RETURNING mailbox_id"
        ),
        {
            "capacity": CAPACITY,
            "tokens": lane.tokens,
            "now": lane.now,
            "today": lane.today,
            "sent_today": lane.sent_today + 1,
            "most": _MAX_TAKES,
            "id": lane.mailbox_id,
        },
    ).one_or_none()
    if taken is not None:
        audit.write(tx, organization_id, actor, "test_email", f"mailbox:{lane.mailbox_id}", {})
    return taken is not None


def end(tx: Transaction, mailbox_id: UUID) -> None:
    """It has ended, however it ended."""
    tx.execute(text("UPDATE lanes SET testing_until = NULL WHERE mailbox_id = :id"), {"id": mailbox_id})


def on_the_way(tx: Transaction, mailbox_ids: Sequence[UUID]) -> bool:
    """Is a test email of one of these mailboxes on its way?"""
    found: bool = tx.execute(
        text(
            "SELECT EXISTS (SELECT FROM lanes WHERE mailbox_id = ANY(:ids) AND testing_until > clock_timestamp())"
        ),
        {"ids": list(mailbox_ids)},
    ).scalar_one()
    return found
