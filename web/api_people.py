"""The JSON API's people: import a file, enroll people whom we know. What pages do with people, by the same actions."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import BaseModel, Field

from actions import addresses
from actions import people_imports as actions
from actions.people_imports import Choices, Doer
from db.sequences.people_imports import PeopleImport
from db.views import people as lists
from db.views import sequence_people
from db.views.messages import Viewer
from domain.errors import InvalidInput
from web.api_call import BEARER, Call, Called, called_by
from web.api_models import REFUSALS, Asked
from web.forms import id_of
from web.protection import Whole
from web.rooms import withdraws
from web.uploads import receive

router = APIRouter(responses=REFUSALS)
_FILE = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "CSV or .xlsx, at most 10 MB",
                        },
                        "sequence_id": {"type": "string", "format": "uuid"},
                        "member_id": {
                            "type": "string",
                            "format": "uuid",
                            "description": "Without a sequence: the member who sees these people",
                        },
                    },
                }
            }
        },
    }
}


class Import(BaseModel):
    """A file. ``status``: checking, checked (``foreseen`` says what would happen), refused (``problem``), importing, imported.

    ``round``: what to confirm.
    """

    id: UUID
    name: str
    status: str
    round: int
    sequence_id: UUID | None
    columns: list[dict[str, Any]]
    problem: str
    summary: dict[str, Any] | None
    done: int
    total: int


class Again(Asked):
    """Check by other choices. ``mapping``: title to field; "" leaves a column out; null as remembered."""

    mapping: dict[str, str] | None = Field(default=None, max_length=100)
    sequence_id: UUID | None = None
    a_day: int | None = Field(default=None, ge=1, le=100_000)
    anyway: str = ""


class Confirmed(Asked):
    """The round that was read."""

    round: int = Field(ge=1, le=2**31 - 1)


class Enrollments(BaseModel):
    """One page, those first who joined first. ``next_after`` is null on the last page. ``standing``: the state that filters use."""

    items: list[dict[str, Any]]
    next_after: UUID | None


class Enrollment(Asked):
    """Known people. ``anyway``: why those are enrolled who are in another sequence or were written to lately; audited."""

    candidate_ids: list[UUID] = Field(min_length=1, max_length=actions.MAX_PEOPLE)
    a_day: int | None = Field(default=None, ge=1, le=100_000)
    anyway: str = ""
    dry_run: bool = False


class AddressChange(Asked):
    """``was``: the address that was read, to be refused if somebody corrected it since. ``dry_run``: only say what goes on."""

    address: str = Field(min_length=3)
    was: str | None = None
    dry_run: bool = False


@router.post("/people/imports", response_model=Import, status_code=201, openapi_extra=_FILE)
async def upload_people(
    request: Request,
    runtime: Whole,
    key: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
) -> Response:
    """Upload a file of people. It is checked, and imported once you confirm what would happen. Kept for a day at most."""
    call = await run_in_threadpool(called_by, request, runtime, key, "", b"")
    call.may("manage")
    sent = await receive(request, call.caller.organization_id, most=actions.MAX_FILE)
    sequence, member = _id_in(sent.fields, "sequence_id"), _id_in(sent.fields, "member_id")

    def keep() -> Response:
        doer = doer_of(call, member)
        made = actions.upload(call.runtime, doer, name=sent.name, content=sent.content, sequence_id=sequence)
        return call.do(lambda: _shown(call, made), 201)

    return await run_in_threadpool(keep)


def _id_in(fields: Mapping[str, str], name: str) -> UUID | None:
    text = fields.get(name, "")
    found = id_of(text)
    if text and found is None:
        raise InvalidInput("that is no id", where=name, fix="Send a UUID.")
    return found


@router.get("/people/imports/{people_import}", response_model=Import)
def show_people_import(call: Called, people_import: UUID) -> Import:
    """How far a file is, and what would happen, or has."""
    return _shown(call, people_import)


@router.post("/people/imports/{people_import}/check", response_model=Import)
def check_people_import(call: Called, people_import: UUID, again: Again) -> Response:
    """Check a file again, by other choices."""
    choices = Choices(again.sequence_id, again.a_day, again.anyway)

    def work() -> object:
        actions.check_again(call.runtime, doer_of(call), people_import, again.mapping, choices)
        return _shown(call, people_import)

    return call.do(work)


@router.post("/people/imports/{people_import}/confirm", response_model=Import)
def confirm_people_import(call: Called, people_import: UUID, confirmed: Confirmed) -> Response:
    """Import a file as this round foresaw it. A repetition changes nothing."""

    def work() -> object:
        actions.confirm(call.runtime, doer_of(call), people_import, confirmed.round)
        return _shown(call, people_import)

    return call.do(work)


@router.get("/sequences/{sequence}/enrollments", response_model=Enrollments)
def list_enrollments_of_sequence(
    call: Called,
    sequence: UUID,
    state: lists.State | None = None,
    search: Annotated[str, Query(max_length=100)] = "",
    after: Annotated[UUID | None, Query(description="next_after of the previous page")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = sequence_people.PER_PAGE,
) -> Enrollments:
    """Who is in a sequence, and where each of them stands."""
    call.own("sequences", sequence)
    with call.runtime.database.transaction() as tx:
        found = sequence_people.page(
            tx, sequence, search=search.strip(), state=state or "", after=after, limit=limit + 1
        )
    shown = found[:limit]
    return Enrollments(
        items=[each._asdict() for each in shown],
        next_after=shown[-1].id if len(found) > limit else None,
    )


@router.post("/sequences/{sequence}/enrollments", response_model=dict[str, Any])
def enroll_people(call: Called, sequence: UUID, people: Enrollment) -> Response:
    """Enroll known people; ``dry_run`` says what would happen. Nobody is enrolled twice."""
    call.own("sequences", sequence)
    how = actions.foresee_enrolling if people.dry_run else actions.enroll_known
    choices = Choices(sequence, people.a_day, people.anyway)
    return call.do(lambda: how(call.runtime, doer_of(call), people.candidate_ids, choices))


@router.post("/candidates/{candidate}/address", response_model=dict[str, Any])
@withdraws
def correct_address(call: Called, candidate: UUID, wanted: AddressChange) -> Response:
    """Correct a person's address. What came back goes on under it; emails that left keep the one they went to."""
    call.own("candidates", candidate)

    def work() -> object:
        if wanted.dry_run:
            return addresses.foresee(call.runtime, candidate, wanted.address, was=wanted.was)
        return addresses.correct(
            call.runtime, candidate, wanted.address, was=wanted.was, actor=call.caller.name
        )

    return call.do(work)


def doer_of(call: Call, member_id: UUID | None = None) -> Doer:
    """Return the program as whoever brings people in: like an admin. ``member_id``: for this member. Raises ``NotFound``."""
    if member_id is not None:
        call.own("members", member_id)
    return Doer(Viewer(call.caller.organization_id, None), member_id, call.caller.name, admin=True)


def _shown(call: Call, import_id: UUID) -> Import:
    with call.runtime.database.transaction() as tx:
        found: PeopleImport = actions.one(tx, call.runtime, doer_of(call), import_id)
    return Import(
        **{
            name: getattr(found, name)
            for name in ("id", "name", "status", "round", "sequence_id", "done", "total")
        },
        columns=found.report.get("columns", []),
        problem=found.report.get("problem", ""),
        summary=found.report.get("summary"),
    )
