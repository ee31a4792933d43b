"""The JSON API's suppression list: addresses and domains that nobody in the organization writes to."""

from dataclasses import asdict
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from actions import suppressions as actions
from db.withdrawing import suppressions
from db.withdrawing.suppressions import Listed
from domain.suppression import Entry, Reason, entry
from web.api_call import Called
from web.api_models import REFUSALS, Asked, Withdrawal, answered
from web.rooms import withdraws

router = APIRouter(responses=REFUSALS)


class Entries(BaseModel):
    """One page, newest first. ``next_before`` is null on the last page."""

    items: list[dict[str, Any]]
    next_before: UUID | None


class NewEntries(Asked):
    """``values``: addresses, and domains with everything below them."""

    values: list[str] = Field(min_length=1, max_length=1000)
    reason: Literal["opt_out", "bounced", "by_hand", "imported", "complained"] = "by_hand"
    source: str = ""


class Added(Withdrawal):
    """``added``: entries that are new. ``known``: those on the list before. ``people``: who left all sequences."""

    added: int
    known: int
    people: int


class Foreseen(BaseModel):
    """What adding would do: entries that are new, entries on the list already, and people who would leave all sequences."""

    added: int
    known: int
    people: int


class LiftReason(Asked):
    """Why, in a few words; kept in the audit trail."""

    reason: str = Field(min_length=1, max_length=500)


@router.get("/suppressions", response_model=Entries)
def list_suppressions(
    call: Called,
    search: Annotated[str, Query(max_length=254)] = "",
    lifted: bool = False,
    before: Annotated[UUID | None, Query(description="next_before of the previous page")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = suppressions.PER_PAGE,
) -> Entries:
    """Whom nobody writes to."""
    with call.runtime.database.transaction() as tx:
        found = suppressions.entries(
            tx, call.caller.organization_id, search=search, lifted=lifted, before=before, limit=limit + 1
        )
    shown = found[:limit]
    return Entries(
        items=[_json(each) for each in shown], next_before=shown[-1].id if len(found) > limit else None
    )


@router.post("/suppressions", response_model=Added)
@withdraws
def add_suppressions(call: Called, asked: NewEntries) -> Response:
    """Add to the list; answers when no more emails can leave to them. By address also for people you do not know."""

    def work() -> object:
        added, answer = actions.add(
            call.runtime, call.caller.organization_id, _entries(asked), actor=call.caller.name
        )
        return {**answered(answer), **asdict(added)}

    return call.do(work)


@router.post("/suppressions/preview", response_model=Foreseen)
def preview_suppressions(call: Called, asked: NewEntries) -> Response:
    """What adding these would do. Changes nothing, so a key with the scope read may ask."""
    return call.do(
        lambda: asdict(actions.foresee(call.runtime, call.caller.organization_id, _entries(asked))),
        scope="read",
    )


@router.post("/suppressions/{suppression}/lift", response_model=dict[str, Any])
def lift_suppression(call: Called, suppression: UUID, why: LiftReason) -> Response:
    """Lift one: it may be written to again. Sends nothing."""

    def work() -> object:
        organization_id = call.caller.organization_id
        actions.lift(call.runtime, organization_id, suppression, actor=call.caller.name, reason=why.reason)
        return {"id": suppression, "lifted": True}

    return call.do(work)


def _entries(asked: NewEntries) -> list[Entry]:
    new = (entry(value, Reason(asked.reason), asked.source) for value in asked.values)
    return list({(each.kind, each.value): each for each in new}.values())


def _json(each: Listed) -> dict[str, Any]:
    return {name: value for name, value in asdict(each).items() if name != "address_hash"}
