"""Deliveries that only a person can settle."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from db.core.session import Transaction
from db.sending.enrollments import lock_lane_of


@dataclass(frozen=True, slots=True)
class Review:
    """``passed_gate``: our own gate let it through once, so there is an authority to name in a receipt."""

    organization_id: UUID
    state: str
    passed_gate: bool


def load(tx: Transaction, delivery_id: UUID) -> Review | None:
    """One delivery, locked; None if there is none."""
    lock_lane_of(tx, delivery_id)
    row = tx.execute(
        text(
            "SELECT organization_id, state, authority IS NOT NULL AS passed FROM deliveries WHERE id = :id FOR UPDATE"
        ),
        {"id": delivery_id},
    ).one_or_none()
    return None if row is None else Review(row.organization_id, row.state, row.passed)
