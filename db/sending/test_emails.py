"""The gate of a test email: it obeys the lane like any other email, and a withdrawal waits for it."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from db.audit import audit
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.sending.gate import LockedLane
from domain.lane import CAPACITY

_MAX_TAKES = timedelta(seconds=30)  # a request lasts 25 s at most

_PASS_GATE = SqlFile(__name__).statement("pass_gate", UUID)
_END = Statement("UPDATE lanes SET testing_until = NULL WHERE mailbox_id = :id")
_ON_THE_WAY = Statement(
    "SELECT EXISTS (SELECT FROM lanes WHERE mailbox_id = ANY(:ids) AND testing_until > clock_timestamp())",
    bool,
)


def pass_gate(tx: Transaction, lane: LockedLane, organization_id: UUID, *, actor: str) -> bool:
    """Debit the locked lane and mark a test email as in flight. Returns False if one already is."""
    taken = _PASS_GATE.one_or_none(
        tx,
        capacity=CAPACITY,
        tokens=lane.tokens,
        now=lane.now,
        today=lane.today,
        sent_today=lane.sent_today + 1,
        most=_MAX_TAKES,
        id=lane.mailbox_id,
    )
    if taken is not None:
        audit.write(tx, organization_id, actor, "test_email", f"mailbox:{lane.mailbox_id}", {})
    return taken is not None


def end(tx: Transaction, mailbox_id: UUID) -> None:
    """Record that the test email has ended, whatever its outcome."""
    _END.run(tx, id=mailbox_id)


def on_the_way(tx: Transaction, mailbox_ids: Sequence[UUID]) -> bool:
    """Is a test email from one of these mailboxes in flight?"""
    return _ON_THE_WAY.one(tx, ids=list(mailbox_ids))
