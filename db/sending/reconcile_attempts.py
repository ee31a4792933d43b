"""Reconcile attempts for deliveries in doubt: claim one, schedule the next, and the mailbox's fourth slot."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from db.core.ids import new_id
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from domain.connection import TRACEABLE
from domain.recovery import Doubt, History

ATTEMPT_LEASE = timedelta(seconds=45)


class _InDoubt(NamedTuple):
    mailbox_id: UUID
    provider: str
    correlation_id: str
    attempts: int
    releases: int
    draft_id: str | None
    recalled_draft: str | None
    reason: str
    waited: timedelta
    reconcile_attempts: int
    over: bool
    now: datetime
    moved: bool


_SQL = SqlFile(__name__)
_TAKE_SLOT = _SQL.statement("take_slot", UUID)
_FREE_SLOT = Statement(
    "UPDATE lanes SET slot_token = NULL, slot_until = NULL WHERE mailbox_id = :id AND slot_token = :token"
)
_MAILBOX = Statement(
    "SELECT mailbox_id FROM deliveries WHERE id = :id AND state = 'in_doubt' AND dispatch_no = :dispatch_no",
    UUID,
)
_CLAIM = _SQL.statement("claim", _InDoubt)
_SCHEDULE = _SQL.statement("schedule")


def take_slot(tx: Transaction, mailbox_id: UUID) -> UUID | None:
    """Take the slot for look-ups, recalls and checks. Returns None if it is taken."""
    token = new_id()
    taken = _TAKE_SLOT.one_or_none(tx, id=mailbox_id, token=token, lease=ATTEMPT_LEASE)
    return None if taken is None else token


def free_slot(tx: Transaction, mailbox_id: UUID, token: UUID) -> None:
    """Give the slot back, if it is still ours."""
    _FREE_SLOT.run(tx, id=mailbox_id, token=token)


@dataclass(frozen=True, slots=True)
class ReconcileAttempt:
    """One search for one delivery in doubt. ``moved``: its sequence was handed over and sends from another mailbox now."""

    delivery_id: UUID
    mailbox_id: UUID
    provider: str
    correlation_id: str
    history: History
    now: datetime
    slot: UUID
    moved: bool


def claim_attempt(tx: Transaction, delivery_id: UUID, dispatch_no: int) -> ReconcileAttempt | None:
    """Claim the attempt. Returns None for a late message, or if the mailbox's slot is taken (then it repeats in a second)."""
    mailbox_id = _MAILBOX.one_or_none(tx, id=delivery_id, dispatch_no=dispatch_no)
    if mailbox_id is None:
        return None
    slot = take_slot(tx, mailbox_id)  # the lane before the delivery, as always
    if slot is None:
        schedule_attempt(tx, delivery_id, timedelta(seconds=1), counts=False)
        return None
    row = _CLAIM.one_or_none(tx, id=delivery_id, dispatch_no=dispatch_no)
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
        row.moved,
    )


def schedule_attempt(tx: Transaction, delivery_id: UUID, wait: timedelta, *, counts: bool = True) -> None:
    """Search again after ``wait``, but no later than the end of the grace; within a second if the grace is over."""
    _SCHEDULE.run(tx, id=delivery_id, wait=wait, one=int(counts))
