"""The JSON API's audit trail: read it, and have its chain verified."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from actions import audit_trail
from db.views import audit_list
from db.views.audit_list import Wanted
from domain.audit_words import sentence
from domain.errors import InvalidInput
from web.api_call import Called
from web.api_models import REFUSALS
from web.audit import before_of
from web.rooms import waits_for_others

router = APIRouter(responses=REFUSALS)


class Entry(BaseModel):
    """``position`` and ``hash``: null until the entry is sealed, a moment later. ``says``: the action in words."""

    id: UUID
    at: datetime
    actor_kind: str
    actor: str
    action: str
    says: str
    subject: str
    about: str | None
    data: dict[str, Any]
    position: int | None
    hash: str | None


class Trail(BaseModel):
    """One page, newest first. ``next_before`` is null on the last page."""

    items: list[Entry]
    next_before: str | None


class Checked(BaseModel):
    """``result``: null if the check takes longer than a call may."""

    result: dict[str, Any] | None


@router.get("/audit", response_model=Trail)
def list_audit(
    call: Called,
    who: Annotated[str, Query(max_length=100, description="part of the name of who acted")] = "",
    action: Annotated[str | None, Query(max_length=60)] = None,
    day: Annotated[date | None, Query(description="in UTC; instead of since and until")] = None,
    since: Annotated[date | None, Query(description="the first day, in UTC")] = None,
    until: Annotated[date | None, Query(description="the last day, in UTC")] = None,
    about: Annotated[
        str, Query(max_length=100, description="a person or a sequence, by the beginning of a name")
    ] = "",
    before: Annotated[str, Query(max_length=40, description="next_before of the previous page")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = audit_list.PER_PAGE,
) -> Trail:
    """Who changed what."""
    if before and not before_of(before):
        raise InvalidInput(
            "This position is not in the trail.", where="before", fix="Use next_before of the previous page."
        )
    days = {"day": day, "since": since, "until": until}
    if wrong := [name for name, each in days.items() if each and not 2000 <= each.year < 2199]:
        raise InvalidInput("No entry is from that day.", where=wrong[0], fix="Use a day of this century.")
    actions = None if action is None else (action,)
    wanted = Wanted(who, actions, day or since, day or until, "UTC", before_of(before), about)
    with call.runtime.database.transaction() as tx:
        found = audit_list.page(tx, call.caller.organization_id, wanted, limit=limit + 1)
    shown = found[:limit]
    return Trail(
        items=[Entry(**each._asdict(), says=sentence(each.action)) for each in shown],
        next_before=shown[-1].place if len(found) > limit else None,
    )


@router.post("/audit/check", response_model=Checked)
@waits_for_others
def check_audit(call: Called) -> Response:
    """Check every seal of the chain."""
    return call.do(
        lambda: {
            "result": audit_trail.verify(call.runtime, call.caller.organization_id, actor=call.caller.name)
        }
    )
