"""The JSON API's approvals: emails that wait for one, each as it would leave, and the approval of exactly that."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from actions import approvals
from actions.approvals import ChangedSince, Letter
from db.views import approvals as lists
from web.api_call import Called, problem, read_after
from web.api_models import REFUSALS, Asked

router = APIRouter(responses=REFUSALS)

MAX_AT_ONCE = 50


class Mark(Asked):
    """``mark``: of the text that was read."""

    mark: str = Field(min_length=1, max_length=64)


class Marks(Asked):
    """``marks``: of the texts that were read, by email."""

    marks: dict[UUID, str] = Field(min_length=1, max_length=MAX_AT_ONCE)


class Text(BaseModel):
    """An email as it would leave now. ``mark`` null: it needs no approval, or it could not leave because of ``error``. ``html``: empty for plain text.

    ``approved_by``, ``approved_at``: of the last approval; ``approved``: it is of this text.
    """

    id: UUID
    needs_approval: bool
    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    opt_out_line: str
    mark: str | None
    error: str
    approved: bool
    approved_by: str | None
    approved_at: datetime | None


class Waiting(BaseModel):
    """One page, those that came due first first. ``next_after`` is null on the last page."""

    items: list[dict[str, Any]]
    next_after: str | None


class Approved(BaseModel):
    """``leaves_at``: at the earliest, after all checks. ``changed``: false if this same text had been approved before."""

    id: UUID
    leaves_at: datetime
    changed: bool


class TakenBack(BaseModel):
    """``changed``: false if nobody had approved it."""

    id: UUID
    changed: bool


class Several(BaseModel):
    """``refused``: why, by email."""

    approved: list[UUID]
    refused: dict[UUID, str]


def _text(letter: Letter) -> Text:
    approval = letter.approval
    return Text(
        id=letter.email.id,
        needs_approval=letter.needed,
        sender=letter.sender,
        recipient=letter.recipient,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        opt_out_line=letter.opt_out_line,
        mark=letter.mark,
        error=letter.error,
        approved=letter.approved,
        approved_by=None if approval is None else approval.by,
        approved_at=None if approval is None else approval.at,
    )


@router.get("/approvals", response_model=Waiting)
def list_waiting(
    call: Called,
    sequence: UUID | None = None,
    after: Annotated[str, Query(max_length=100, description="next_after of the previous page")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Waiting:
    """Emails that are due and wait until somebody has approved them. `/deliveries/{id}/letter` shows one as it would leave."""
    with call.runtime.database.transaction() as tx:
        shown, following = lists.WAITING.page(
            tx, call.caller.organization_id, None, sequence, after=read_after(after), limit=limit
        )
    return Waiting(
        items=[each._asdict() for each in shown],
        next_after=following or None,
    )


@router.get("/deliveries/{delivery}/letter", response_model=Text)
def show_letter(call: Called, delivery: UUID) -> Text:
    """One planned email as it would leave now, with the person's fields."""
    call.own("deliveries", delivery)
    with call.runtime.database.transaction() as tx:
        return _text(approvals.letter(tx, delivery))


@router.post("/deliveries/{delivery}/approve", response_model=Approved)
def approve(call: Called, delivery: UUID, read: Mark) -> Response:
    """Approve one email as it was read. If it has changed since, the answer (409) has what it says now as `present`."""
    call.own("deliveries", delivery)

    def work() -> object:
        done = approvals.approve(call.runtime, delivery, read.mark, actor=call.caller.name)
        return {"id": delivery, "leaves_at": done.leaves_at, "changed": done.changed}

    try:
        return call.do(work)
    except ChangedSince as error:
        return problem(409, str(error), present=_text(error.present).model_dump(mode="json"))


@router.post("/deliveries/{delivery}/take-back", response_model=TakenBack)
def take_back(call: Called, delivery: UUID) -> Response:
    """Take an approval back: the email waits for another. Refused (409) once it is leaving, or has left."""
    call.own("deliveries", delivery)
    return call.do(
        lambda: {
            "id": delivery,
            "changed": approvals.take_back(call.runtime, delivery, actor=call.caller.name),
        }
    )


@router.post("/approvals", response_model=Several)
def approve_several(call: Called, read: Marks) -> Response:
    """Approve several emails, each as it was read. What cannot be approved holds up no other."""
    for each in read.marks:
        call.own("deliveries", each)

    def work() -> object:
        done = approvals.approve_several(call.runtime, read.marks, actor=call.caller.name)
        return {
            "approved": done.approved,
            "refused": {str(key): str(error) for key, error in done.refused.items()},
        }

    return call.do(work)
