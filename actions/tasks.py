"""Tasks of sequences: done or skipped by whoever may. Nothing here sends anything."""

from uuid import UUID

import structlog

from app.runtime import Runtime
from db.core.session import database_now
from db.sending import changes, tasks
from db.sending.changes import Email
from domain.errors import NotPermitted
from domain.task import Outcome, Settled

log = structlog.get_logger()

_STATUS = {"draft": "still a draft", "paused": "paused", "archived": "archived"}


def settle(runtime: Runtime, delivery_id: UUID, outcome: Outcome, *, actor: str) -> bool:
    """Mark a task done, or skip it; the next step counts its delay from now. Returns False if somebody had done just that before.

    Raises ``NotFound``; ``NotPermitted`` if it is no task, or not open.
    """
    with runtime.database.transaction() as tx:
        found = changes.email(tx, delivery_id, lock=True)
        if found.is_task and found.state == "closed" and found.outcome == outcome:
            return False
        if refused := _not_open(found):
            raise NotPermitted(refused)
        tasks.settle(tx, delivery_id, outcome, Settled(actor, database_now(tx)))
    log.info("task_settled", delivery_id=str(delivery_id), outcome=outcome.value)
    return True


def _not_open(found: Email) -> str | None:
    """Say why a task cannot be done or skipped, or None."""
    if not found.is_task:
        return "This is an email, not a task."
    if found.state == "closed":
        return {
            "done": "This task was done already.",
            "skipped": "This task was skipped already.",
        }.get(found.outcome or "", "This task is no longer needed.")
    if found.suppressed is not None or found.enrollment_status not in ("active", "paused"):
        return "This task is no longer needed: nothing more goes to this person."
    if found.sequence_status != "active":
        return f"The sequence is {_STATUS[found.sequence_status]}, so this task is not open."
    if found.enrollment_status != "active":
        return "This person is paused, so this task is not open."
    return None
