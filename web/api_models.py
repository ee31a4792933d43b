"""What all of the JSON API's requests and refusals have in common."""

import re
from dataclasses import asdict
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.organization_hours import MOST_HOLIDAYS
from domain.verification import Verdict
from domain.withdrawal import WithdrawalResult

_STORED = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)\+00:00")


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    type: str
    title: str
    status: int
    detail: str


class Asked(BaseModel):
    """A request's body, without unknown fields."""

    model_config = ConfigDict(extra="forbid", str_max_length=500)


Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]


class Span(Asked):
    """Hours of one day, in local time; ``to`` 00:00 ends with the day."""

    opens: Clock = Field(alias="from")
    closes: Clock = Field(alias="to")


class SendingHours(Asked):
    """``from``, ``to``: local times of ``zone``, an IANA name; ``to`` 00:00 ends with the day. Without ``days``: every day."""

    zone: str = Field(min_length=1, max_length=60)
    days: list[Day] | None = Field(default=None, min_length=1, max_length=7)
    opens: Clock = Field(default="00:00", alias="from")
    closes: Clock = Field(default="00:00", alias="to")
    holidays: list[Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]] = Field(
        default_factory=list, max_length=MOST_HOLIDAYS
    )
    by_day: dict[Day, Span] = Field(default_factory=dict, description="Weekdays that have other hours")


REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "content": {"application/problem+json": {}}, "description": text}
    for status, text in (
        (400, "Not valid JSON"),
        (401, "No valid key"),
        (403, "The key may not do this"),
        (404, "Your organization has nothing with this id"),
        (409, "Not permitted in the present state"),
        (413, "Too large"),
        (422, "Does not match this description"),
        (429, "Too many requests"),
        (503, "Try again in a moment"),
    )
}


class Withdrawal(BaseModel):
    """What a withdrawal stopped. ``complete``: no more emails can leave, and none is in doubt. ``withdrawal_id``: ask later what became
    of those in doubt.
    """

    withdrawal_id: UUID
    stopped: int
    already_sent: int
    in_doubt: list[UUID]
    last_left_at: str | None
    seconds: float
    complete: bool


def answered(answer: WithdrawalResult) -> dict[str, Any]:
    """A withdrawal's answer as JSON."""
    return {**asdict(answer), "complete": answer.complete}


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON: ``outcome`` for programs, ``title`` for people."""
    return {**asdict(verdict), "outcome": verdict.outcome.name.lower(), "title": verdict.outcome.value}


def spelled(value: Any) -> Any:
    """Return a JSON value with the instants that the database wrote into it spelled as in every other answer, with a Z."""
    match value:
        case str() if found := _STORED.fullmatch(value):
            return f"{found[1]}Z"
        case dict():
            return {name: spelled(each) for name, each in value.items()}
        case list() | tuple():
            return [spelled(each) for each in value]
    return value
