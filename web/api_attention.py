"""The JSON API's Needs attention: what only a person can decide about emails, listed and settled as the page does it."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from actions import addresses, attention, incidents, review
from db.views import api_lists
from db.views import attention as lists
from db.views import incidents as incident_lists
from db.views.incidents import Viewer
from domain.incidents import MAX_UNREAD_HOURS
from web.api_call import Call, Called
from web.api_models import REFUSALS, Asked
from web.rooms import withdraws

router = APIRouter(prefix="/attention", responses=REFUSALS)


class Waiting(BaseModel):
    """``reviews``: did these emails leave? ``blocked``: people by the field that is empty. ``failed``: emails by their cause.

    ``messages``: what a message is, asked of a person (``/messages/…/decide``).
    ``incidents``: what stopped and is not over, the newest 50.

    The oldest 50 reviews and 50 people of each group; a group's ``count`` covers all. A call for a group settles the whole group.
    """

    incidents: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    reviews: list[dict[str, Any]]
    blocked: list[dict[str, Any]]
    failed: list[dict[str, Any]]


class Acknowledged(BaseModel):
    """``acknowledged``: false if somebody had acknowledged it, or it is closed."""

    id: UUID
    acknowledged: bool


class AttentionSettings(Asked):
    """``unread_hours``: how long an incident may stay unread."""

    unread_hours: int = Field(ge=1, le=MAX_UNREAD_HOURS)


class Settlement(Asked):
    """``sent``: it left, and the next step follows. ``not_sent``: we send it again, after all checks. ``skip``: this person gets
    no further emails from this sequence.
    """

    verdict: Literal["sent", "not_sent", "skip"]
    reason: str = Field(min_length=1, description="How you know, in a few words; kept in the audit trail.")


class OfField(Asked):
    """The merge field that is empty: ``cause`` of its group."""

    field: str = Field(min_length=1, max_length=64)


class Values(OfField):
    """``values``: by the person's id in the group. ``for_all``: for everybody else who is waiting for the field."""

    values: dict[UUID, str] = Field(default_factory=dict, max_length=500)
    for_all: str = ""


class Cause(Asked):
    """``cause`` of a group of failed emails."""

    cause: str = Field(min_length=1, max_length=200)


class NewAddress(Asked):
    """The person's correct address."""

    address: str = Field(min_length=3)


class Settled(BaseModel):
    """How many people or emails were settled; 0 if somebody else had settled them."""

    count: int


class One(BaseModel):
    """The email that was settled."""

    id: UUID


@router.get("", response_model=Waiting)
def list_waiting(
    call: Called, sequence: Annotated[UUID | None, Query(description="Only this sequence")] = None
) -> Waiting:
    """Everything in your organization that is waiting for a decision."""
    organization_id = call.caller.organization_id
    with call.runtime.database.transaction() as tx:
        if sequence is not None:
            api_lists.check_owned(tx, "sequences", sequence, organization_id)
        standing = incident_lists.standing(tx, Viewer.of_all(organization_id), sequence)
        return Waiting(
            incidents=[{**asdict(each), "state": each.state} for each in standing],
            messages=[asdict(each) for each in lists.unsure(tx, organization_id, None, sequence)],
            reviews=[asdict(each) for each in lists.in_review(tx, organization_id, None, sequence)],
            blocked=[asdict(each) for each in lists.blocked(tx, organization_id, None, sequence)],
            failed=[asdict(each) for each in lists.failed(tx, organization_id, None, sequence)],
        )


@router.post("/incidents/{incident}/acknowledge", response_model=Acknowledged)
def acknowledge_incident(call: Called, incident: UUID) -> Response:
    """Say that you look after an incident: it goes to nobody else. It closes by itself once it is over."""
    viewer = Viewer.of_all(call.caller.organization_id)

    def work() -> object:
        done = incidents.acknowledge(call.runtime, viewer, incident, actor=call.caller.name)
        return {"id": incident, "acknowledged": done}

    return call.do(work)


@router.post("/settings", response_model=AttentionSettings)
def set_attention_settings(call: Called, wanted: AttentionSettings) -> Response:
    """Set for how long an incident may stay unread before others hear of it."""

    def work() -> object:
        incidents.set_unread_hours(
            call.runtime, call.caller.organization_id, wanted.unread_hours, actor=call.caller.name
        )
        return {"unread_hours": wanted.unread_hours}

    return call.do(work)


@router.post("/reviews/{delivery}", response_model=One)
def settle_review(call: Called, delivery: UUID, how: Settlement) -> Response:
    """Say whether an email in review has left, or leave it out. This is final."""
    call.own("deliveries", delivery)

    def work() -> object:
        review.settle(call.runtime, delivery, verdict=how.verdict, actor=call.caller.name, because=how.reason)
        return {"id": delivery}

    return call.do(work)


@router.post("/blocked/{sequence}/fill-in", response_model=Settled)
def fill_in(call: Called, sequence: UUID, given: Values) -> Response:
    """Fill in a field for people who are waiting for it. They continue at once if the sequence is running."""
    return _of(
        call,
        sequence,
        lambda: attention.fill_in(
            call.runtime, sequence, given.field, given.values, given.for_all, actor=call.caller.name
        ),
    )


@router.post("/blocked/{sequence}/skip", response_model=Settled)
@withdraws
def skip_blocked(call: Called, sequence: UUID, of: OfField) -> Response:
    """Leave out everybody who is waiting for the field: they get no more emails from this sequence."""
    return _of(
        call,
        sequence,
        lambda: attention.stop_blocked(call.runtime, sequence, of.field, actor=call.caller.name),
    )


@router.post("/failed/{sequence}/retry", response_model=Settled)
def retry_failed(call: Called, sequence: UUID, of: Cause) -> Response:
    """Send the failed emails of one cause again, each after all checks. People who have opted out stay out."""
    return _of(
        call,
        sequence,
        lambda: attention.retry_failed(call.runtime, sequence, of.cause, actor=call.caller.name),
    )


@router.post("/failed/{sequence}/skip", response_model=Settled)
def skip_failed(call: Called, sequence: UUID, of: Cause) -> Response:
    """Leave the failed emails of one cause unsent, for good."""
    return _of(
        call,
        sequence,
        lambda: attention.leave_out_failed(call.runtime, sequence, of.cause, actor=call.caller.name),
    )


@router.post("/addresses/{delivery}", response_model=One)
def correct_address(call: Called, delivery: UUID, to: NewAddress) -> Response:
    """Correct an address that was refused, and send the email again, after all checks."""
    call.own("deliveries", delivery)

    def work() -> object:
        addresses.correct_refused(call.runtime, delivery, to.address, actor=call.caller.name)
        return {"id": delivery}

    return call.do(work)


def _of(call: Call, sequence: UUID, work: Callable[[], int]) -> Response:
    call.own("sequences", sequence)
    return call.do(lambda: {"count": work()})
