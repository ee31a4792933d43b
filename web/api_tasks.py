"""The JSON API's tasks: what a person does by hand, listed, done or skipped."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from actions import tasks
from db.views import tasks as lists
from domain.task import Outcome
from web.api_call import Called, read_after
from web.api_models import REFUSALS

router = APIRouter(responses=REFUSALS)


class Task(BaseModel):
    """A task that is due. ``title``, ``note``: what it says, with the person's fields. ``owner_id``: who does it."""

    id: UUID
    due_at: datetime
    title: str
    note: str
    person: str
    candidate_id: UUID
    enrollment_id: UUID
    sequence_id: UUID
    sequence: str
    owner_id: UUID
    owner: str
    position: int


class Due(BaseModel):
    """One page, those that came due first first. ``next_after`` is null on the last page."""

    items: list[Task]
    next_after: str | None


class Settled(BaseModel):
    """``changed``: false if it had been done, or skipped, just so before."""

    id: UUID
    changed: bool


def _task(found: lists.Task) -> Task:
    values = {name: value for name, value in found._asdict().items() if name in Task.model_fields}
    return Task(**{**values, "title": found.said.title, "note": found.said.note})


@router.get("/tasks", response_model=Due)
def list_tasks(
    call: Called,
    sequence: UUID | None = None,
    after: Annotated[str, Query(max_length=100, description="next_after of the previous page")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Due:
    """Tasks that are due: steps that a person does by hand. Nothing leaves for them, and each person's next step waits for theirs."""
    with call.runtime.database.transaction() as tx:
        shown, following = lists.OPEN.page(
            tx, call.caller.organization_id, None, sequence, after=read_after(after), limit=limit
        )
    return Due(
        items=[_task(each) for each in shown],
        next_after=following or None,
    )


@router.post("/tasks/{task}/done", response_model=Settled)
def finish(call: Called, task: UUID) -> Response:
    """Mark a task done. The person's next step counts its delay from now."""
    return _settle(call, task, Outcome.DONE)


@router.post("/tasks/{task}/skip", response_model=Settled)
def skip(call: Called, task: UUID) -> Response:
    """Skip a task. The person's next step counts its delay from now."""
    return _settle(call, task, Outcome.SKIPPED)


def _settle(call: Called, task: UUID, outcome: Outcome) -> Response:
    call.own("deliveries", task)
    return call.do(
        lambda: {
            "id": task,
            "changed": tasks.settle(call.runtime, task, outcome, actor=call.caller.name),
        }
    )
