"""The approval of one email: written while its lane is held, so that a worker either reads it or has decided before."""

from uuid import UUID

from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile
from domain.approval import WAITS, Approval
from domain.delivery import State

_APPROVE = SqlFile(__name__).statement("approve")


def approve(tx: Transaction, delivery_id: UUID, approval: Approval) -> None:
    """Record an approval, and let the email go if nothing else holds it. The caller holds the lane, and has compared the text."""
    _APPROVE.run(
        tx,
        id=delivery_id,
        approval=dump_json(approval.to_json()),
        waits=WAITS,
        states=[State.PENDING.value, State.QUEUED.value],
    )
