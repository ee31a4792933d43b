"""Decisions about people who need attention: fill in a field, retry a failed email, or leave it out."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.sending.enrollments import lock_lane_of
from db.sending.moves import Move
from db.views.attention import BLOCKED, FAILED
from domain.delivery import State

# Merge fields that are columns of a candidate; others are in ``fields``. Filling in a full name sets the first name.
_COLUMNS = {name: name for name in ("first_name", "last_name", "company", "title", "location")} | {
    "full_name": "first_name"
}


class _Blocked(NamedTuple):
    id: UUID
    candidate_id: UUID


# A failed email certainly did not leave: one that may have left is in doubt or in review (``workers/settle.py``).
_AGAIN = Move(State.PENDING, State.CLOSED)  # FAILED ones are closed
_SQL = SqlFile(__name__)
_BLOCKED_BY = Statement(
    "SELECT id, candidate_id FROM enrollments WHERE sequence_id = :id AND status = 'paused' AND reason = :reason",
    _Blocked,
)
_FILL_IN = {
    name: Statement(f"UPDATE candidates SET {column} = :value WHERE id = :id RETURNING organization_id", UUID)
    for name, column in _COLUMNS.items()
}
_FILL_IN_FIELD = Statement(
    "UPDATE candidates SET fields = fields || jsonb_build_object(CAST(:field AS text), CAST(:value AS text))"
    " WHERE id = :id RETURNING organization_id",
    UUID,
)
_UNBLOCK = Statement(
    "UPDATE enrollments SET status = 'active', reason = NULL, paused_at = NULL"
    " WHERE id = :id AND status = 'paused' RETURNING organization_id",
    UUID,
)
_FAILED_FOR = Statement(
    f"SELECT d.id FROM deliveries d WHERE d.sequence_id = :id AND {FAILED} AND d.reason = :reason ORDER BY d.id",
    UUID,
)
_RETRY = _SQL.statement("retry", UUID, again=_AGAIN.set, failed=FAILED)
_LEAVE_OUT = Statement(
    f"UPDATE deliveries d SET outcome = 'skipped', reason = 'left_out_by_hand' WHERE d.id = :id AND {FAILED}"
    " RETURNING d.organization_id",
    UUID,
)


def blocked_by(tx: Transaction, sequence_id: UUID, field: str) -> dict[UUID, UUID]:
    """Return everybody in a sequence who waits for this field: enrollment -> candidate."""
    return {row.id: row.candidate_id for row in _BLOCKED_BY.all(tx, id=sequence_id, reason=BLOCKED + field)}


def fill_in(tx: Transaction, candidate_id: UUID, field: str, value: str, *, actor: str) -> None:
    """Set a candidate's field."""
    organization_id = _FILL_IN.get(field, _FILL_IN_FIELD).one(tx, id=candidate_id, field=field, value=value)
    audit.write(
        tx, organization_id, actor, "candidate_filled_in", f"candidate:{candidate_id}", {"field": field}
    )


def unblock(tx: Transaction, enrollment_id: UUID, *, actor: str) -> None:
    """Reactivate an enrollment in a sequence that is not running. It waits, like the others, until the sequence resumes."""
    organization_id = _UNBLOCK.one_or_none(tx, id=enrollment_id)
    if organization_id is not None:
        audit.write(tx, organization_id, actor, "enrollment_resumed", f"enrollment:{enrollment_id}", {})


def failed_for(tx: Transaction, sequence_id: UUID, reason: str) -> Sequence[UUID]:
    """Return all failed emails of a sequence with this reason."""
    return _FAILED_FOR.all(tx, id=sequence_id, reason=reason)


def retry(tx: Transaction, delivery_id: UUID, *, actor: str) -> bool:
    """Retry a failed email, through every check. Returns False if it is no longer failed or the person is suppressed."""
    lock_lane_of(tx, delivery_id)
    organization_id = _RETRY.one_or_none(tx, id=delivery_id)
    if organization_id is None:
        return False
    audit.write(tx, organization_id, actor, "delivery_retried", f"delivery:{delivery_id}", {})
    return True


def leave_out(tx: Transaction, delivery_id: UUID, *, actor: str) -> bool:
    """Leave a failed email unsent and close the question. Returns False if it is no longer failed."""
    lock_lane_of(tx, delivery_id)
    organization_id = _LEAVE_OUT.one_or_none(tx, id=delivery_id)
    if organization_id is None:
        return False
    audit.write(
        tx,
        organization_id,
        actor,
        "delivery_skipped",
        f"delivery:{delivery_id}",
        {"reason": "left_out_by_hand"},
    )
    return True
