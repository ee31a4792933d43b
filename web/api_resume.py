"""The JSON API's resumptions: of one sequence, or of all that are paused, each with its preview."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from actions import resume
from actions.resume import ResumePreview
from domain.delay import parse_delay
from web.api_call import Called
from web.api_models import REFUSALS, Asked

router = APIRouter(prefix="/sequences", responses=REFUSALS)

Late = Annotated[str | None, Query(max_length=40)]


class Resumption(Asked):
    """``skip_older_than``: leave out emails that are later than this, an ISO 8601 duration such as P3D."""

    skip_older_than: str | None = None


class Resumptions(Resumption):
    """``sequence_ids``: those that resume, as ``GET /sequences/resumption`` lists them."""

    sequence_ids: list[UUID] = Field(min_length=1, max_length=resume.TOGETHER)


class Plans(BaseModel):
    """``items``: a plan for each sequence. ``blockers``: why it stays paused; ``by_hand``: a person paused it."""

    items: list[dict[str, Any]]


@router.get("/resumption", response_model=Plans)
def preview_all(call: Called, owner: UUID | None = None, skip_older_than: Late = None) -> Plans:
    """Who would get what, and when, if what is paused were resumed now: the first 50 sequences by name. Changes nothing.

    Those that nobody paused by hand are planned as resumed together.
    """
    if owner is not None:
        call.own("members", owner)
    with call.runtime.database.transaction() as tx:
        found = resume.preview_paused(
            tx, call.caller.organization_id, owner, skip_older_than=_duration(skip_older_than)
        )
    return Plans(items=_items(found))


@router.post("/resume", response_model=Plans)
def resume_several(call: Called, how: Resumptions) -> Response:
    """Resume those of them that may; the others stay paused. What is not paused is left as it is, and out of the answer."""
    for each in how.sequence_ids:
        call.own("sequences", each)
    oldest = _duration(how.skip_older_than)

    def work() -> object:
        chosen = list(dict.fromkeys(how.sequence_ids))
        found = resume.resume_several(call.runtime, chosen, actor=call.caller.name, skip_older_than=oldest)
        return {"items": _items(found)}

    return call.do(work)


def _items(found: dict[UUID, ResumePreview]) -> list[dict[str, Any]]:
    return [{"sequence_id": key, **asdict(each)} for key, each in found.items()]


@router.get("/{sequence}/resumption", response_model=dict[str, Any])
def preview_resume(call: Called, sequence: UUID, skip_older_than: Late = None) -> dict[str, Any]:
    """Who would get what, and when, if the sequence were resumed now. Changes nothing."""
    call.own("sequences", sequence)
    return asdict(resume.preview_resume(call.runtime, sequence, skip_older_than=_duration(skip_older_than)))


@router.post("/{sequence}/resume", response_model=dict[str, Any])
def resume_sequence(call: Called, sequence: UUID, how: Resumption) -> Response:
    """Resume a sequence, as its preview says."""
    call.own("sequences", sequence)
    oldest = _duration(how.skip_older_than)
    return call.do(
        lambda: asdict(
            resume.resume_sequence(call.runtime, sequence, actor=call.caller.name, skip_older_than=oldest)
        )
    )


def _duration(text: str | None) -> timedelta | None:
    return None if text is None else parse_delay(text).duration
