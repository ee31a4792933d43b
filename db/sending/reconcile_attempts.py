"""Reconcile attempts for deliveries in doubt: claim one, schedule the next, and the mailbox's fourth slot."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from db.core.ids import new_id
from db.core.session import Transaction
from domain.connection import TRACEABLE
from domain.recovery import Doubt, History

ATTEMPT_LEASE = timedelta(seconds=45)


def take_slot(tx: Transaction, mailbox_id: UUID) -> UUID | None:
    """Take the slot for looking, recalling and checking; None while somebody else has it."""
    token = new_id()
    taken = tx.execute(
        text(
            "UPDATE lanes SET slot_token = :token, slot_until = clock_timestamp() + :lease WHERE mailbox_id = :id"
            " AND (slot_until IS NULL OR slot_until < clock_timestamp()) RETURNING mailbox_id"
        ),
        {"id": mailbox_id, "token": token, "lease": ATTEMPT_LEASE},
    ).one_or_none()
    return None if taken is None else token


def free_slot(tx: Transaction, mailbox_id: UUID, token: UUID) -> None:
    """Give the slot back, if it is still ours."""
    tx.execute(
        text(
            "UPDATE lanes SET slot_token = NULL, slot_until = NULL WHERE mailbox_id = :id AND slot_token = :token"
        ),
        {"id": mailbox_id, "token": token},
    )


@dataclass(frozen=True, slots=True)
class ReconcileAttempt:
    """One search for one delivery in doubt."""

    delivery_id: UUID
    mailbox_id: UUID
    provider: str
    correlation_id: str
    history: History
    now: datetime
    slot: UUID


def claim_attempt(tx: Transaction, delivery_id: UUID, dispatch_no: int) -> ReconcileAttempt | None:
    """Claim the attempt. None: a late message, or the mailbox's slot is taken (then it is tried in a second)."""
    keys = {"id": delivery_id, "dispatch_no": dispatch_no}
    mailbox_id = tx.execute(
        text(
            "SELECT mailbox_id FROM deliveries WHERE id = :id AND state = 'in_doubt' AND dispatch_no = :dispatch_no"
        ),
        keys,
    ).scalar_one_or_none()
    if mailbox_id is None:
        return None
    slot = take_slot(tx, mailbox_id)  # the lane before the delivery, as everywhere
    if slot is None:
        schedule_attempt(tx, delivery_id, timedelta(seconds=1), counts=False)
        return None
    row = tx.execute(
        text(
            "SELECT d.*, b.provider, clock_timestamp() AS now, d.grace_until <= clock_timestamp() AS over,"
            " clock_timestamp() - coalesce(d.send_started_at, clock_timestamp()) AS waited FROM deliveries d"
            " JOIN mailboxes b ON b.id = d.mailbox_id"
            " WHERE d.id = :id AND d.state = 'in_doubt' AND d.dispatch_no = :dispatch_no FOR UPDATE OF d"
        ),
        keys,
    ).one_or_none()
    if row is None:
        free_slot(tx, mailbox_id, slot)
        return None
    return ReconcileAttempt(
        delivery_id,
        row.mailbox_id,
        row.provider,
        row.correlation_id,
        History(
            attempts=row.attempts,
            crashes=row.attempts - row.releases,
            submitted=True,
            draft_id=row.draft_id,
            recalled=row.recalled_draft,
            traceable=row.provider in TRACEABLE,
            doubt=Doubt(row.reason, row.waited, row.reconcile_attempts, row.over),
        ),
        row.now,
        slot,
    )


def schedule_attempt(tx: Transaction, delivery_id: UUID, wait: timedelta, *, counts: bool = True) -> None:
    """Search again after ``wait``, but not past the end of the grace; at once when it ended during the last attempt."""
    tx.execute(
        text(
            "UPDATE deliveries SET reconcile_attempts = reconcile_attempts + :one, due_at = CASE WHEN grace_until > clock_timestamp()"
            "   THEN least(clock_timestamp() + :wait, grace_until)"
            "   ELSE clock_timestamp() + least(CAST(:wait AS interval), interval '1 second') END"
            " WHERE id = :id AND state = 'in_doubt'"
        ),
        {"id": delivery_id, "wait": wait, "one": int(counts)},
    )
