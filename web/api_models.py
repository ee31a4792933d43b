"""What all of the JSON API's requests and refusals have in common."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.verification import Verdict
from domain.withdrawal import WithdrawalResult


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    type: str
    title: str
    status: int
    detail: str


class Asked(BaseModel):
    """A request's body, without unknown fields."""

    model_config = ConfigDict(extra="forbid", str_max_length=500)


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
    """What a withdrawal stopped. ``complete``: no more emails can leave, and none is in doubt."""

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
