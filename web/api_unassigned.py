"""The JSON API's unassigned mail: what came to the organization's default address and is nobody's yet."""

from dataclasses import asdict
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from actions import unassigned as actions
from db.core.session import Transaction
from db.listening import unassigned
from db.listening.unassigned import Unassigned
from domain.errors import NotFound
from domain.listening.unassigned import SENTENCES, UnassignedReason
from transports.html import sanitise, to_text
from web.api_call import Call, Called
from web.api_models import REFUSALS, Asked
from web.rooms import withdraws

router = APIRouter(prefix="/unassigned", responses=REFUSALS)


class Page(BaseModel):
    """One page, newest first. ``next_before`` is null on the last page."""

    items: list[dict[str, Any]]
    next_before: UUID | None


class Whole(BaseModel):
    """A message with its text. ``proven``: the sender's domain vouches for it. ``because``: why it is nobody's."""

    message: dict[str, Any]
    text: str
    proven: bool
    because: str


class Whose(Asked):
    """The address of a person of your organization."""

    address: str = Field(min_length=3, max_length=254)


class Why(Asked):
    """Why nobody needs to see it; kept in the audit trail."""

    reason: str = Field(min_length=1)


class Assigned(BaseModel):
    """Whose it is now."""

    id: UUID
    candidate_id: UUID


class Discarded(BaseModel):
    """The message that is nobody's."""

    id: UUID
    status: str


@router.get("", response_model=Page)
def list_unassigned(
    call: Called,
    status: Literal["unassigned", "discarded"] = "unassigned",
    before: Annotated[UUID | None, Query(description="next_before of the previous page")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page:
    """Messages that are nobody's yet, or that somebody discarded."""
    with call.runtime.database.transaction() as tx:
        found = unassigned.listing(
            tx, call.caller.organization_id, status=status, before=before, limit=limit + 1
        )
    shown = found[:limit]
    return Page(
        items=[_json(each) for each in shown], next_before=shown[-1].id if len(found) > limit else None
    )


@router.get("/{message}", response_model=Whole)
def show_unassigned(call: Called, message: UUID) -> Whole:
    """One message, also if somebody has decided on it."""
    with call.runtime.database.transaction() as tx:
        found = _of(call, tx, message)
        text, html = unassigned.text_of(tx, call.runtime.web_keys, message)
    return Whole(
        message=_json(found),
        text=(text or to_text(sanitise(html))).strip(),
        proven=bool(found.proof and found.proof.get("proven")),
        because=SENTENCES[UnassignedReason(found.reason)],
    )


@router.post("/{message}/assign", response_model=Assigned)
@withdraws
def assign(call: Called, message: UUID, whose: Whose) -> Response:
    """Give it to a person; what follows from it happens at once."""
    _own(call, message)

    def work() -> object:
        person = actions.assign(call.runtime, message, whose.address, actor=call.caller.name)
        return {"id": message, "candidate_id": person}

    return call.do(work)


@router.post("/{message}/person", response_model=Assigned)
@withdraws
def make_person(call: Called, message: UUID) -> Response:
    """Make its sender a person of your organization, or find them, and give it to them."""
    _own(call, message)

    def work() -> object:
        person = actions.make_candidate(call.runtime, message, actor=call.caller.name)
        return {"id": message, "candidate_id": person}

    return call.do(work)


@router.post("/{message}/discard", response_model=Discarded)
def discard(call: Called, message: UUID, why: Why) -> Response:
    """Say that it is nobody's."""
    _own(call, message)

    def work() -> object:
        actions.discard(call.runtime, message, because=why.reason, actor=call.caller.name)
        return {"id": message, "status": "discarded"}

    return call.do(work)


def _own(call: Call, message: UUID) -> None:
    with call.runtime.database.transaction() as tx:
        _of(call, tx, message)


def _of(call: Call, tx: Transaction, message: UUID) -> Unassigned:
    found = unassigned.load(tx, message)
    if found is None or found.organization_id != call.caller.organization_id:
        raise NotFound("There is no such message.")
    return found


def _json(each: Unassigned) -> dict[str, Any]:
    return {name: value for name, value in asdict(each).items() if name not in ("organization_id", "proof")}
