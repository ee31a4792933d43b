"""How many people an edited step affects. ``step_id`` is a step of a sequence whose lanes the caller has locked."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.sequences.steps import MOVABLE


class _Waiting(NamedTuple):
    waiting: int
    begun: int


_SQL = SqlFile(__name__)
_TO_GET = _SQL.statement("to_get", int, movable=MOVABLE)
_HAVE_HAD = _SQL.statement("have_had", int)
_THROUGH = _SQL.statement("through", int)
_WAITING_FOR = Statement(
    f"SELECT count(*) AS waiting, count(*) FILTER (WHERE NOT ({MOVABLE})) AS begun FROM deliveries d"
    " WHERE d.step_id = :id AND d.state IN ('pending', 'queued', 'preparing', 'drafted', 'sending')",
    _Waiting,
)
_UNDER_WAY = Statement(
    f"SELECT count(*) FROM deliveries d WHERE d.step_id = ANY(:ids) AND NOT ({MOVABLE})"
    " AND d.state IN ('pending', 'queued', 'preparing', 'drafted', 'sending')",
    int,
)


def to_get(tx: Transaction, step_id: UUID) -> int:
    """Count active and paused people who will get the step, now or later."""
    return _TO_GET.one(tx, id=step_id)


def have_had(tx: Transaction, step_id: UUID) -> int:
    """Count people who have received the step, or may have."""
    return _HAVE_HAD.one(tx, id=step_id)


def through(tx: Transaction, step_id: UUID) -> int:
    """Count people who finished before the step existed."""
    return _THROUGH.one(tx, id=step_id)


def waiting_for(tx: Transaction, step_id: UUID) -> tuple[int, int]:
    """Count people who wait for the step, and those among them whose email is already in progress."""
    return _WAITING_FOR.one(tx, id=step_id)


def under_way(tx: Transaction, step_ids: Sequence[UUID]) -> int:
    """Count people whose email of one of these steps is already in progress, so its time stays."""
    return _UNDER_WAY.one(tx, ids=list(step_ids))
