"""The JSON API's outbox: planned emails by time, and what is decided about several at once."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, Field

from actions import planned_several
from actions.planned_several import Whose
from db.access import authority
from db.views import outbox
from db.views.outbox import Wanted
from domain.changes import Cancel, Change, Earlier, NotBefore, Skip
from domain.errors import InvalidInput
from domain.waiting import Need, waits_for
from web.api_call import Called, read_after
from web.api_models import REFUSALS, Asked
from web.rooms import withdraws

router = APIRouter(responses=REFUSALS)


class Outbox(BaseModel):
    """One page, the first ones first. ``next_after`` is null on the last page."""

    items: list[dict[str, Any]]
    next_after: str | None


class Several(Asked):
    """Planned emails. ``at``: the earliest time, with a time zone, for not_before."""

    delivery_ids: list[UUID] = Field(min_length=1, max_length=planned_several.MOST)
    change: Literal["skip", "cancel", "earlier", "not_before"]
    at: AwareDatetime | None = None


class Decided(BaseModel):
    """``changed`` false without ``refused``: it had been done before. ``due_at``: when it is planned now; null if it does not leave."""

    id: UUID
    changed: bool
    refused: str | None
    due_at: datetime | None


class DecidedSeveral(BaseModel):
    """One line for each email."""

    items: list[Decided]


@router.get("/outbox", response_model=Outbox)
def list_outbox(
    call: Called,
    held: Annotated[
        bool, Query(description="Those that wait for a decision, instead of those with a time")
    ] = False,
    mailbox: UUID | None = None,
    sequence: UUID | None = None,
    needs: Annotated[
        Need | None, Query(description="Only those that need this first; tasks that are due are one kind")
    ] = None,
    after: Annotated[str, Query(max_length=100, description="next_after of the previous page")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = outbox.PER_PAGE,
) -> Outbox:
    """Planned emails by time, each with what it waits for."""
    wanted = Wanted(call.caller.organization_id, None, held, mailbox, sequence, need=needs)
    with call.runtime.database.transaction() as tx:
        found = outbox.planned(tx, wanted, after=read_after(after), limit=limit + 1)
        shown = found[:limit]
        stops = authority.blockers(tx, list({each.sequence_id for each in shown}))
    last = shown[-1] if len(found) > limit else None
    items = []
    for each in shown:
        waits = waits_for(each, " ".join(stops.get(each.sequence_id, [])))
        items.append({**each._asdict(), "waits_for": waits.word, "because": waits.sentence})
    return Outbox(
        items=items,
        next_after=None if last is None else outbox.place_of(last),
    )


def wanted_of(change: str, at: datetime | None) -> Change:
    """Return the change of a name. ``at``: for not_before. Raises ``InvalidInput``."""
    changes: dict[str, Change] = {"skip": Skip(), "cancel": Cancel(), "earlier": Earlier()}
    if at is not None:
        changes["not_before"] = NotBefore(at)
    wanted = changes.get(change)
    if wanted is None:
        raise InvalidInput("A time is missing", where="at", fix="Give the earliest time.")
    return wanted


@router.post("/outbox/change", response_model=DecidedSeveral)
@withdraws
def change_several(call: Called, several: Several) -> Response:
    """Change several planned emails, each by itself. What cannot be changed says why, and holds up no other."""
    wanted = wanted_of(several.change, several.at)

    def work() -> object:
        done = planned_several.change_several(
            call.runtime,
            several.delivery_ids,
            wanted,
            Whose(call.caller.organization_id),
            actor=call.caller.name,
        )
        return {
            "items": [
                {
                    "id": each.id,
                    "changed": each.changed,
                    "refused": None if each.refused is None else str(each.refused),
                    "due_at": each.due_at,
                }
                for each in done
            ]
        }

    return call.do(work)
