"""C0 and its helpers: which deliveries are due now, lane by lane, and which messages must be enqueued again.

A tick's work does not grow with the number of people waiting: each lane knows when it next has work, and we take at
most what its bucket, slots and daily cap allow.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile
from db.sending.moves import Move
from domain.delivery import State
from domain.jobs import ReconcileDelivery, SendStep
from domain.lane import CAPACITY, MAX_QUEUED, PER_SECOND, SEND_SLOTS

ENQUEUE_AGAIN_AFTER = timedelta(seconds=60)
LEASE_SLACK = timedelta(seconds=5)


class _Message(NamedTuple):
    id: UUID
    dispatch_no: int


@dataclass(frozen=True, slots=True)
class Expired:
    """How many leases we took back from lost workers."""

    unsent: int
    in_doubt: int


_QUEUE, _LOST = Move(State.QUEUED, State.PENDING), Move(State.PENDING, State.PREPARING, State.DRAFTED)
_IN_DOUBT = Move(State.IN_DOUBT, State.SENDING)
_SQL = SqlFile(__name__)
_DUE = _SQL.statement("due", _Message, queue=_QUEUE.set)
_ENQUEUE_AGAIN = _SQL.statement("enqueue_again", _Message)
_LOCK_LANES_OF_LOST = _SQL.statement("lock_lanes_of_lost", UUID)
_EXPIRE_LEASES = _SQL.statement(
    "expire_leases", Expired, passed_gate=_IN_DOUBT.where(), in_doubt=_IN_DOUBT.value, pending=_LOST.value
)
_PLAN_ATTEMPTS = _SQL.statement("plan_attempts", _Message)
_REFRESH_LANES = _SQL.statement("refresh_lanes")


def queue_due(tx: Transaction, *, lanes: int = 200, bound: int = MAX_QUEUED) -> list[SendStep]:
    """C0: queue what is due, taking lanes in turn. Enqueue the messages only after this transaction has committed."""
    rows = _DUE.all(tx, bound=bound, lanes=lanes, slots=SEND_SLOTS, capacity=CAPACITY, rate=PER_SECOND)
    return [SendStep(row.id, row.dispatch_no) for row in rows]


def enqueue_again(tx: Transaction, limit: int = MAX_QUEUED) -> list[SendStep]:
    """The sweeper: enqueue again what no worker has taken for a minute (a lost message, an emptied Redis)."""
    rows = _ENQUEUE_AGAIN.all(tx, again=ENQUEUE_AGAIN_AFTER, limit=limit)
    return [SendStep(row.id, row.dispatch_no) for row in rows]


def expire_leases(tx: Transaction, *, grace: timedelta, limit: int = 200) -> Expired:
    """Take back what lost workers held. Before the gate, a delivery waits again; after it, the delivery is in doubt."""
    mailbox_ids = _LOCK_LANES_OF_LOST.all(tx, slack=LEASE_SLACK, limit=limit)
    if not mailbox_ids:
        return Expired(0, 0)
    return _EXPIRE_LEASES.one(tx, slack=LEASE_SLACK, grace=grace, mailbox_ids=mailbox_ids)


def plan_attempts(tx: Transaction, limit: int = 100) -> list[ReconcileDelivery]:
    """Return deliveries in doubt whose next reconcile attempt is due, one per mailbox.

    Repeats in a minute if no worker takes it.
    """
    rows = _PLAN_ATTEMPTS.all(tx, again=ENQUEUE_AGAIN_AFTER, limit=limit)
    return [ReconcileDelivery(row.id, row.dispatch_no) for row in rows]


def refresh_lanes(tx: Transaction) -> int:
    """Recompute when each open lane next has work, and correct the late ones; returns how many.

    This is a safety net: transactions that add or free work update the lane themselves.
    """
    return _REFRESH_LANES.run(tx)
