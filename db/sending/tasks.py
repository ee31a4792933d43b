"""The end of a task: done or skipped, while its lane is held, so that it happens once and the next step counts from it."""

from uuid import UUID

from db.audit import audit
from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.sending.enrollments import insert_next_step
from db.sending.moves import at_rest, move, moving
from domain.changes import SKIPPED
from domain.delivery import State
from domain.task import DONE, Outcome, Settled

_SETTLE = moving("outcome = :outcome, reason = :reason, held = false, task = CAST(:task AS jsonb)")
_REASONS = {Outcome.DONE: DONE, Outcome.SKIPPED: SKIPPED}
_ACTIONS = {Outcome.DONE: "task_done", Outcome.SKIPPED: "task_skipped"}


def settle(tx: Transaction, delivery_id: UUID, outcome: Outcome, settled: Settled) -> bool:
    """Close a task; the next step follows, with its own delay from then. The caller holds the lane. Returns False if it was closed."""
    row = move(
        tx,
        delivery_id,
        State.CLOSED,
        at_rest(State.PENDING),
        _SETTLE,
        outcome=outcome.value,
        reason=_REASONS[outcome],
        task=dump_json(settled.to_json()),
    )
    if row is None:
        return False
    insert_next_step(tx, row.enrollment_id, after_step=row.step_id, now=settled.at)
    audit.write(tx, row.organization_id, settled.by, _ACTIONS[outcome], f"delivery:{delivery_id}", {})
    return True
