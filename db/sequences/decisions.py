"""Decisions about people who need attention: a field is filled in, a failed email is tried again or left out."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from db.audit import audit
from db.core.session import Transaction
from db.sending.enrollments import lock_lane_of
from db.sending.moves import Move
from db.views.attention import BLOCKED, FAILED
from domain.delivery import State

# Merge fields that are columns of a candidate; others are in ``fields``. A full name that is empty starts with the first.
_COLUMNS = {name: name for name in ("first_name", "last_name", "company", "title", "location")} | {
    "full_name": "first_name"
}


def blocked_by(tx: Transaction, sequence_id: UUID, field: str) -> dict[UUID, UUID]:
    """Everybody in a sequence who waits for this field: enrollment -> candidate."""
    rows = tx.execute(
        text(
            "SELECT id, candidate_id FROM enrollments WHERE sequence_id = :id AND status = 'paused' AND reason = :reason"
        ),
        {"id": sequence_id, "reason": BLOCKED + field},
    )
    return {row.id: row.candidate_id for row in rows}


def fill_in(tx: Transaction, candidate_id: UUID, field: str, value: str, *, actor: str) -> None:
    """Give a candidate the value of a field."""
    change = (
        f"{_COLUMNS[field]} = :value"
        if field in _COLUMNS
        else "fields = fields || jsonb_build_object(CAST(:field AS text), CAST(:value AS text))"
    )
    organization_id: UUID = tx.execute(
        text(f"UPDATE candidates SET {change} WHERE id = :id RETURNING organization_id"),
        {"id": candidate_id, "field": field, "value": value},
    ).scalar_one()
    audit.write(
        tx, organization_id, actor, "candidate_filled_in", f"candidate:{candidate_id}", {"field": field}
    )


def unblock(tx: Transaction, enrollment_id: UUID, *, actor: str) -> None:
    """Somebody is on the way again in a sequence that is not running: they wait with everybody else for it to resume."""
    row = tx.execute(
        text(
            "UPDATE enrollments SET status = 'active', reason = NULL, paused_at = NULL"
            " WHERE id = :id AND status = 'paused' RETURNING organization_id"
        ),
        {"id": enrollment_id},
    ).one_or_none()
    if row is not None:
        audit.write(tx, row.organization_id, actor, "enrollment_resumed", f"enrollment:{enrollment_id}", {})


def failed_for(tx: Transaction, sequence_id: UUID, reason: str) -> Sequence[UUID]:
    """Every failed email of a sequence with this reason."""
    return (
        tx.execute(
            text(
                f"SELECT d.id FROM deliveries d WHERE d.sequence_id = :id AND {FAILED} AND d.reason = :reason ORDER BY d.id"
            ),
            {"id": sequence_id, "reason": reason},
        )
        .scalars()
        .all()
    )


# A failed email certainly did not leave: what may have left is in doubt or in review, never failed (``workers/settle.py``).
_AGAIN = Move(State.PENDING, State.CLOSED)  # FAILED ones are closed
_RETRY = f"""
WITH again AS (
  UPDATE deliveries d SET {_AGAIN.set}, outcome = NULL, due_at = clock_timestamp(), failures = 0, first_failed_at = NULL,
    send_started_at = NULL, releases = attempts, held = s.status <> 'active',
    reason = CASE WHEN s.status <> 'active' THEN 'sequence_not_active' END
  FROM sequences s, enrollments e, candidates c
  WHERE d.id = :id AND {FAILED} AND s.id = d.sequence_id AND s.status <> 'archived' AND e.id = d.enrollment_id
    AND e.status = 'stopped' AND e.reason = d.reason AND c.id = e.candidate_id
    AND NOT EXISTS (SELECT FROM suppressions x WHERE x.organization_id = c.organization_id AND x.email = c.email)
  RETURNING d.organization_id, d.enrollment_id, d.mailbox_id, d.due_at, d.held),
on_the_way AS (
  UPDATE enrollments SET status = 'active', reason = NULL FROM again WHERE enrollments.id = again.enrollment_id),
woken AS (
  UPDATE lanes SET next_due_at = least(coalesce(next_due_at, again.due_at), again.due_at) FROM again
  WHERE lanes.mailbox_id = again.mailbox_id AND NOT again.held)
SELECT organization_id FROM again
"""


def retry(tx: Transaction, delivery_id: UUID, *, actor: str) -> bool:
    """Try a failed email again, through every check. False: it is not failed any more, or nobody writes to this person."""
    lock_lane_of(tx, delivery_id)
    row = tx.execute(text(_RETRY), {"id": delivery_id}).one_or_none()
    if row is None:
        return False
    audit.write(tx, row.organization_id, actor, "delivery_retried", f"delivery:{delivery_id}", {})
    return True


def leave_out(tx: Transaction, delivery_id: UUID, *, actor: str) -> bool:
    """A failed email stays unsent, and nobody asks about it any more. False: it is not failed any more."""
    lock_lane_of(tx, delivery_id)
    row = tx.execute(
        text(
            f"UPDATE deliveries d SET outcome = 'skipped', reason = 'left_out_by_hand' WHERE d.id = :id AND {FAILED}"
            " RETURNING d.organization_id"
        ),
        {"id": delivery_id},
    ).one_or_none()
    if row is None:
        return False
    audit.write(
        tx,
        row.organization_id,
        actor,
        "delivery_skipped",
        f"delivery:{delivery_id}",
        {"reason": "left_out_by_hand"},
    )
    return True
