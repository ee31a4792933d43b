"""What all of the JSON API's requests and refusals have in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    type: str
    title: str
    status: int
    detail: str


class Asked(BaseModel):
    """A request's body: nothing in it that is not known here."""

    model_config = ConfigDict(extra="forbid", str_max_length=500)


REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "content": {"application/problem+json": {}}, "description": text}
    for status, text in (
        (400, "Not to be read as JSON"),
        (401, "No good key"),
        (403, "The key may not do this"),
        (404, "Nothing of that id in your organization"),
        (409, "A rule forbids it as things stand"),
        (413, "Too large"),
        (422, "Not as described here"),
        (429, "Too often"),
        (503, "Try again in a moment"),
    )
}
