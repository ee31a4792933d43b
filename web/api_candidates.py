"""The JSON API's people one by one: find, show and add one; hand out or erase what is known of them."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from actions import people as actions
from actions import people_imports
from actions.people_imports import Choices
from db.sequences import candidates, enrolling
from db.views import messages, people, search
from db.views.messages import Viewer
from domain.address import parse_address
from domain.enrolling import MOST_DAYS
from domain.errors import InvalidInput
from web.api_call import Called
from web.api_models import REFUSALS, Asked, spelled
from web.api_people import doer_of
from web.rooms import withdraws

router = APIRouter(responses=REFUSALS)


class People(BaseModel):
    """One page, newest first or by ``sort``. ``next_before`` is null on the last page. ``more``: a search found more than it shows."""

    items: list[dict[str, Any]]
    next_before: UUID | None
    more: bool


class Person(BaseModel):
    """A person, and the sequences they are in, the newest first. ``suppressed``: why nobody may write to them, or null."""

    id: UUID
    name: str
    email: str
    title: str
    company: str
    suppressed: str | None
    away_until: datetime | None
    sequences: list[dict[str, Any]]


class Found(BaseModel):
    """At most 20 people whose name or address begins so, and 20 sequences with these words."""

    people: list[dict[str, Any]]
    sequences: list[dict[str, Any]]


class NewPerson(Asked):
    """One person. ``sequence_id``: enroll them there. ``member_id``: without a sequence, the member who sees them. ``anyway``: why, although they are in another sequence or were written to lately."""

    email: str = Field(min_length=3, max_length=254)
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    title: str = ""
    location: str = ""
    sequence_id: UUID | None = None
    member_id: UUID | None = None
    anyway: str = ""


class AddedPerson(BaseModel):
    """``created``: false if they were known. ``kept_out``: what keeps them out of the sequence."""

    id: UUID
    created: bool
    enrolled: bool
    suppressed: bool
    kept_out: list[dict[str, Any]]


class ToErase(BaseModel):
    """What an erasure would take: rows of each kind."""

    id: UUID
    email: str
    known: dict[str, int]


class Erasure(Asked):
    """``address``: the person's, so that nobody erases the wrong one."""

    address: str = Field(min_length=3, max_length=254)


class Erased(BaseModel):
    """``erased``: the proof, also in the audit trail. ``stopped``: emails that leave no more. ``in_doubt``: emails that may have left."""

    erased: dict[str, Any]
    stopped: int
    in_doubt: list[UUID]


class RecontactDays(Asked):
    """``days``: between the last email to a person and a new sequence; 0: none."""

    days: int = Field(ge=0, le=MOST_DAYS)


@router.get("/candidates", response_model=People)
def list_people(
    call: Called,
    search: Annotated[str, Query(max_length=100, description="how a name or an address begins")] = "",
    address: Annotated[str, Query(max_length=254, description="exactly this address")] = "",
    state: people.State | None = None,
    sort: people.Sort = "newest",
    before: Annotated[UUID | None, Query(description="next_before of the previous page")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = people.PER_PAGE,
) -> People:
    """The people of your organization, and where each of them stands. A search has one page."""
    viewer = Viewer(call.caller.organization_id, None)
    with call.runtime.database.transaction() as tx:
        if address:
            known = parse_address(address, where="address", international=True).email
            ids = candidates.ids_of(tx, viewer.organization_id, [known])
            listed = people.named(tx, viewer, ids)
            return People(items=[asdict(each) for each in listed], next_before=None, more=False)
        found = people.page(
            tx, viewer, state=state or "", words=search, sort=sort, before=before, limit=limit
        )
    return People(items=[asdict(each) for each in found.listed], next_before=found.before, more=found.more)


@router.post("/candidates", response_model=AddedPerson, status_code=201)
def add_person(call: Called, person: NewPerson) -> Response:
    """Add one person, or what is new of one whom you know. An Idempotency-Key is not needed: nobody is added or enrolled twice."""
    if person.sequence_id is not None:
        call.own("sequences", person.sequence_id)
    doer = doer_of(call, person.member_id)
    given = person.model_dump(exclude={"sequence_id", "member_id", "anyway"})
    choices = Choices(person.sequence_id, None, person.anyway)

    def work() -> object:
        done = people_imports.add(call.runtime, doer, given, choices)
        address = parse_address(person.email, where="email", international=True).email
        with call.runtime.database.transaction() as tx:
            (found,) = candidates.ids_of(tx, call.caller.organization_id, [address])
        return {
            "id": found,
            "created": done.candidates_created > 0,
            "enrolled": done.enrolled > 0,
            "suppressed": done.skipped_suppressed > 0,
            "kept_out": done.kept_out,
        }

    return call.do(work, 201)


@router.get("/candidates/{candidate}", response_model=Person)
def show_person(call: Called, candidate: UUID) -> Person:
    """A person, and where they stand in each sequence."""
    call.own("candidates", candidate)
    viewer = Viewer(call.caller.organization_id, None)
    with call.runtime.database.transaction() as tx:
        found = messages.person_of(tx, candidate, viewer)
        places = messages.places_of(tx, found, viewer)
    kept = ("id", "name", "email", "title", "company", "suppressed", "away_until")
    return Person(
        **{name: getattr(found, name) for name in kept}, sequences=[asdict(each) for each in places]
    )


@router.get("/candidates/{candidate}/erasure", response_model=ToErase)
def foresee_erasure(call: Called, candidate: UUID) -> ToErase:
    """What an erasure would take. Changes nothing."""
    person, known = actions.foresee(call.runtime, call.caller.organization_id, candidate)
    return ToErase(id=person.id, email=person.email, known=asdict(known))


@router.post("/candidates/{candidate}/erase", response_model=Erased)
@withdraws
def erase_person(call: Called, candidate: UUID, sure: Erasure) -> Response:
    """Erase a person for good; answers when nothing can leave to them and nothing is left of them. They stay suppressed."""
    organization_id = call.caller.organization_id

    def work() -> object:
        person, _ = actions.foresee(call.runtime, organization_id, candidate)
        if sure.address.strip().lower() != person.email:
            raise InvalidInput(
                "This is not the address of the person", where="address", fix="Show the person first."
            )
        done = actions.erase(call.runtime, organization_id, candidate, actor=call.caller.name)
        return {
            "erased": asdict(done.erased),
            "stopped": done.withdrawal.stopped,
            "in_doubt": list(done.withdrawal.in_doubt),
        }

    return call.do(work)


@router.post("/candidates/{candidate}/export", response_model=dict[str, Any])
def export_person(call: Called, candidate: UUID) -> Response:
    """Everything that is known of a person, messages too. The audit trail says who asked. Its answer is kept nowhere."""
    alone = replace(call, once="")  # an answer to a repetition would have to be stored
    return alone.do(
        lambda: spelled(
            actions.export(call.runtime, call.caller.organization_id, candidate, actor=call.caller.name)
        )
    )


@router.get("/search", response_model=Found)
def find(call: Called, words: Annotated[str, Query(min_length=1, max_length=100)]) -> Found:
    """People and sequences, as the pages find them."""
    viewer = Viewer(call.caller.organization_id, None)
    with call.runtime.database.transaction() as tx:
        return Found(
            people=[asdict(each) for each in search.people(tx, viewer, words)],
            sequences=[asdict(each) for each in search.sequences(tx, viewer, words)],
        )


@router.get("/organization/recontact-days", response_model=RecontactDays)
def show_recontact_days(call: Called) -> RecontactDays:
    """For how long a person is left alone after an email."""
    with call.runtime.database.transaction() as tx:
        return RecontactDays(days=enrolling.days(tx, call.caller.organization_id))


@router.post("/organization/recontact-days", response_model=RecontactDays)
def set_recontact_days(call: Called, wanted: RecontactDays) -> Response:
    """Set for how long a person is left alone after an email."""

    def work() -> object:
        people_imports.set_days(call.runtime, doer_of(call), wanted.days)
        return {"days": wanted.days}

    return call.do(work)
