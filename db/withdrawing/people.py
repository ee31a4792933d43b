"""V1 for what people say about sequences and candidates: pause, archive, stop, unsubscribe; and the way back."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from db.audit import audit
from db.core.ids import new_id
from db.core.session import Transaction
from db.events import events
from db.sending.moves import Move
from db.withdrawing.withdrawals import Scope, close_lanes
from domain.delivery import State
from domain.errors import NotFound, NotPermitted
from domain.events import EventKind

_CANCEL = Move(State.CLOSED, State.PENDING, State.QUEUED)


def pause_sequence(tx: Transaction, sequence_id: UUID, *, actor: str, reason: str) -> Scope:
    """Pause by a person's word. Raises ``NotFound``, ``NotPermitted`` (a draft or archived sequence)."""
    sequence = _sequence(tx, sequence_id)
    now = close_lanes(tx, [sequence.mailbox_id])
    cause = f"person:{new_id()}"
    paused = tx.execute(
        text(
            "UPDATE sequences SET status = 'paused', paused_cause = :cause, paused_reason = :reason,"
            " paused_at = clock_timestamp() WHERE id = :id AND status = 'active' RETURNING id"
        ),
        {"id": sequence_id, "cause": cause, "reason": EventKind.SEQUENCE_PAUSED.value},
    ).one_or_none()
    if paused is None:
        present = _sequence(tx, sequence_id)
        if present.status == "paused":
            return Scope(sequence.organization_id, now, sequence_id=sequence_id, cause=present.paused_cause)
        raise NotPermitted(f"This sequence is {present.status}; only an active one can be paused.")
    events.record(
        tx,
        sequence.organization_id,
        EventKind.SEQUENCE_PAUSED,
        cause,
        actor,
        {
            "sequence_id": str(sequence_id),
            "mailbox": sequence.address,
            "actor": actor,
            "reason": reason,
        },
    )
    return Scope(sequence.organization_id, now, sequence_id=sequence_id, cause=cause)


def archive_sequence(tx: Transaction, sequence_id: UUID, *, actor: str, reason: str) -> Scope:
    """End a sequence for good: its open deliveries are cancelled. Raises ``NotFound``."""
    sequence = _sequence(tx, sequence_id)
    now = close_lanes(tx, [sequence.mailbox_id])
    archived = tx.execute(
        text(
            "UPDATE sequences SET status = 'archived', paused_cause = NULL, paused_reason = NULL, paused_at = NULL"
            " WHERE id = :id AND status <> 'archived' RETURNING id"
        ),
        {"id": sequence_id},
    ).one_or_none()
    if archived is not None:
        _cancel(tx, "sequence_id", sequence_id, "sequence_archived")
        data = {"reason": reason}
        audit.write(
            tx,
            sequence.organization_id,
            actor,
            "sequence_archived",
            f"sequence:{sequence_id}",
            data,
        )
    return Scope(
        sequence.organization_id, now, sequence_id=sequence_id, cause="archived", cancels="sequence_archived"
    )


def end_enrollment(tx: Transaction, enrollment_id: UUID, status: str, *, actor: str, reason: str) -> Scope:
    """``status``: paused (comes back by resuming), stopped or archived. Raises ``NotFound``, ``NotPermitted``."""
    row = tx.execute(
        text(
            "SELECT e.organization_id, s.mailbox_id FROM enrollments e JOIN sequences s ON s.id = e.sequence_id"
            " WHERE e.id = :id"
        ),
        {"id": enrollment_id},
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such enrollment.")
    now = close_lanes(tx, [row.mailbox_id])
    before = tx.execute(
        text("SELECT status FROM enrollments WHERE id = :id FOR UPDATE"),
        {"id": enrollment_id},
    ).scalar_one()
    if status == "paused" and before not in ("active", "paused"):
        raise NotPermitted(
            f"This person's way through the sequence is {before}; only an active one can be paused."
        )
    if before == "active" or (before == "paused" and status != "paused"):
        tx.execute(
            text(
                "UPDATE enrollments SET status = :status, reason = :reason,"
                " paused_at = CASE WHEN :status = 'paused' THEN clock_timestamp() END WHERE id = :id"
            ),
            {"id": enrollment_id, "status": status, "reason": reason},
        )
        if status == "paused":
            tx.execute(
                text(
                    "UPDATE deliveries SET held = true, reason = 'enrollment_paused'"
                    " WHERE enrollment_id = :id AND state = 'pending'"
                ),
                {"id": enrollment_id},
            )
        else:
            _cancel(tx, "enrollment_id", enrollment_id, f"enrollment_{status}")
        data = {"reason": reason}
        audit.write(
            tx,
            row.organization_id,
            actor,
            f"enrollment_{status}",
            f"enrollment:{enrollment_id}",
            data,
        )
    return Scope(row.organization_id, now, enrollment_id=enrollment_id, cancels=f"enrollment_{status}")


def suppress(tx: Transaction, candidate_id: UUID, *, actor: str, reason: str) -> Scope:
    """Nobody in the organization writes to this person again: all their enrollments stop. Raises ``NotFound``."""
    row = tx.execute(
        text("SELECT organization_id, email FROM candidates WHERE id = :id"),
        {"id": candidate_id},
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such candidate.")
    mailbox_ids = tx.execute(
        text(
            "SELECT DISTINCT s.mailbox_id FROM enrollments e JOIN sequences s ON s.id = e.sequence_id"
            " WHERE e.candidate_id = :id"
        ),
        {"id": candidate_id},
    ).scalars()
    now = close_lanes(tx, sorted(mailbox_ids))
    suppressed = tx.execute(
        text(
            "INSERT INTO suppressions (organization_id, email, reason) VALUES (:organization_id, :email, :reason)"
            " ON CONFLICT DO NOTHING RETURNING email"
        ),
        {"organization_id": row.organization_id, "email": row.email, "reason": reason},
    ).one_or_none()
    stopped = (
        tx.execute(
            text(
                "UPDATE enrollments SET status = 'stopped', reason = :reason, paused_at = NULL"
                " WHERE candidate_id = :id AND status IN ('active', 'paused') RETURNING id"
            ),
            {"id": candidate_id, "reason": reason},
        )
        .scalars()
        .all()
    )
    for enrollment_id in stopped:
        _cancel(tx, "enrollment_id", enrollment_id, reason)
    if suppressed is not None:
        data = {"reason": reason, "enrollments": len(stopped)}
        audit.write(
            tx,
            row.organization_id,
            actor,
            "candidate_suppressed",
            f"candidate:{candidate_id}",
            data,
        )
    return Scope(row.organization_id, now, candidate_id=candidate_id, cause="suppressed", cancels=reason)


def _sequence(tx: Transaction, sequence_id: UUID) -> Row[tuple[Any, ...]]:
    row = tx.execute(
        text(
            "SELECT s.*, b.address FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id WHERE s.id = :id"
        ),
        {"id": sequence_id},
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such sequence.")
    return row


def _cancel(tx: Transaction, column: str, value: UUID, reason: str) -> int:
    # Only what waits: what a worker holds is refused by the gate, with the same reason.
    return tx.execute(
        text(
            f"UPDATE deliveries SET {_CANCEL.set}, outcome = 'cancelled', reason = :reason, held = false"
            f" WHERE {column} = :value AND {_CANCEL.where()}"
        ),
        {"value": value, "reason": reason},
    ).rowcount


def reactivate_member(tx: Transaction, member_id: UUID, *, actor: str) -> None:
    """A member returns. What their leaving archived or disconnected stays so. Raises ``NotFound``."""
    row = tx.execute(
        text("SELECT organization_id, active FROM members WHERE id = :id FOR UPDATE"),
        {"id": member_id},
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such member.")
    if not row.active:
        tx.execute(
            text(
                "UPDATE members SET active = true, deactivated_at = NULL, activity_version = activity_version + 1"
                " WHERE id = :id"
            ),
            {"id": member_id},
        )
        audit.write(
            tx,
            row.organization_id,
            actor,
            "member_reactivated",
            f"member:{member_id}",
            {},
        )
