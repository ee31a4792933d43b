"""Deliveries that only a person can settle."""

from dataclasses import dataclass
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import Statement
from db.sending.enrollments import lock_lane_of


@dataclass(frozen=True, slots=True)
class Review:
    """``passed_gate``: the gate let it through once, so a receipt can name the authority."""

    organization_id: UUID
    state: str
    passed_gate: bool


_LOAD = Statement(
    "SELECT organization_id, state, authority IS NOT NULL AS passed_gate FROM deliveries WHERE id = :id FOR UPDATE",
    Review,
)


def load(tx: Transaction, delivery_id: UUID) -> Review | None:
    """Lock and return a delivery, or None."""
    lock_lane_of(tx, delivery_id)
    return _LOAD.one_or_none(tx, id=delivery_id)
