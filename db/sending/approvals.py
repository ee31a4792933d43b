"""The approval of one email: written, or taken back, while its lane is held, so that a worker either reads it or has decided before."""

from uuid import UUID

from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile
from domain.approval import WAITS, Approval
from domain.changes import CHANGEABLE

_SQL = SqlFile(__name__)
_APPROVE, _TAKE_BACK = _SQL.statement("approve"), _SQL.statement("take_back")
_STATES = [each.value for each in CHANGEABLE]


def approve(tx: Transaction, delivery_id: UUID, approval: Approval) -> None:
    """Record an approval, and let the email go if nothing else holds it. The caller holds the lane, and has compared the text."""
    _APPROVE.run(
        tx,
        id=delivery_id,
        approval=dump_json(approval.to_json()),
        waits=WAITS,
        states=_STATES,
    )


def take_back(tx: Transaction, delivery_id: UUID) -> None:
    """Remove the approval of an email that no worker has. The caller holds the lane."""
    _TAKE_BACK.run(tx, id=delivery_id, waits=WAITS, states=_STATES)
