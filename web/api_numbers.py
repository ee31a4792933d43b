"""The JSON API's numbers: what sequences did in a period."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from db.views import numbers
from db.views.messages import Viewer
from db.views.numbers import Report
from domain.numbers import DEFAULT_WEEKS, MAX_WEEKS, By
from web.api_call import Called
from web.api_models import REFUSALS

router = APIRouter(responses=REFUSALS)


class Counted(BaseModel):
    """``sent``, ``in_doubt``, ``held``: emails. All others: people; a share is of ``people``, who got at least one email."""

    sent: int
    people: int
    answered: int
    interested: int
    bounced: int
    opted_out: int
    in_doubt: int
    held: int


class Row(Counted):
    """``key``: a week's Monday, a step's position, or the id of a mailbox or sequence."""

    key: str
    label: str


class NumbersOf(BaseModel):
    """Results count toward the email they belong to. ``next_after`` is null on the last page.

    ``counted_at``: a large organization's are counted every few minutes; null: counted for this answer.
    """

    by: By
    since: datetime
    until: datetime
    counted_at: datetime | None
    total: Counted
    items: list[Row]
    next_after: int | None


@router.get("/numbers", response_model=NumbersOf)
def show_numbers(
    call: Called,
    by: By = By.WEEK,
    weeks: Annotated[
        int, Query(ge=1, le=MAX_WEEKS, description="this week and those before it")
    ] = DEFAULT_WEEKS,
    sequence_id: UUID | None = None,
    after: Annotated[int, Query(ge=0, le=1_000_000, description="next_after of the previous page")] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = numbers.PER_PAGE,
) -> NumbersOf:
    """What sequences did: by week, step, sender or sequence."""
    with call.runtime.database.transaction() as tx:
        viewer = Viewer(call.caller.organization_id, None)
        found = numbers.read(tx, viewer, by, weeks=weeks, sequence_id=sequence_id, after=after, limit=limit)
    return NumbersOf.model_validate({**as_json(found), "next_after": after + limit if found.more else None})


def as_json(found: Report) -> dict[str, object]:
    """The report as JSON has it."""
    return {
        "by": found.by,
        "since": found.period.since.astimezone(UTC),
        "until": found.period.until.astimezone(UTC),
        "counted_at": found.counted_at,
        "total": asdict(found.total),
        "items": [{"key": each.key, "label": each.label, **asdict(each.numbers)} for each in found.lines],
    }
