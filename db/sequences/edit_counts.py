"""How many people an edited step concerns. ``step_id`` is always a step of a sequence whose lanes are held."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from db.core.session import Transaction
from db.sequences.steps import MOVABLE

_COUNT = "SELECT count(*) FROM enrollments e WHERE e.sequence_id = (SELECT sequence_id FROM steps WHERE id = :id) AND "
_HAS = "EXISTS (SELECT FROM deliveries d WHERE d.enrollment_id = e.id AND d.step_id = :id AND {state})"


def to_get(tx: Transaction, step_id: UUID) -> int:
    """People on their way who get the step, now or later."""
    return _count(
        tx,
        f"e.status IN ('active', 'paused') AND NOT :id = ANY(e.passed) AND NOT {_HAS.format(state=f'NOT ({MOVABLE})')}",
        step_id,
    )


def have_had(tx: Transaction, step_id: UUID) -> int:
    """People to whom it was sent, or may have been."""
    return _count(tx, _HAS.format(state="d.state IN ('sending', 'sent', 'in_doubt', 'review')"), step_id)


def through(tx: Transaction, step_id: UUID) -> int:
    """People who had finished before the step was there."""
    return _count(
        tx, f"e.status = 'finished' AND NOT :id = ANY(e.passed) AND NOT {_HAS.format(state='true')}", step_id
    )


def waiting_for(tx: Transaction, step_id: UUID) -> tuple[int, int]:
    """People who wait for the step, and of them those whose email has been begun."""
    row = tx.execute(
        text(
            f"SELECT count(*) AS waiting, count(*) FILTER (WHERE NOT ({MOVABLE})) AS begun FROM deliveries d"
            " WHERE d.step_id = :id AND d.state IN ('pending', 'queued', 'preparing', 'drafted', 'sending')"
        ),
        {"id": step_id},
    ).one()
    return row.waiting, row.begun


def under_way(tx: Transaction, step_ids: Sequence[UUID]) -> int:
    """People whose email of one of these steps has been begun, so that its time stays."""
    found: int = tx.execute(
        text(
            f"SELECT count(*) FROM deliveries d WHERE d.step_id = ANY(:ids) AND NOT ({MOVABLE})"
            " AND d.state IN ('pending', 'queued', 'preparing', 'drafted', 'sending')"
        ),
        {"ids": list(step_ids)},
    ).scalar_one()
    return found


def _count(tx: Transaction, condition: str, step_id: UUID) -> int:
    found: int = tx.execute(text(_COUNT + condition), {"id": step_id}).scalar_one()
    return found
