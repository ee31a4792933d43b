"""The JSON API's planned emails and single people: why, and every change of one email, enrollment or field."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from actions import person_fields, planned, resume, why, withdraw
from db.sequences import person_fields as fields_of_people
from db.views import messages
from domain.changes import Cancel, Change, Earlier, NotBefore, Skip
from web import api_outbox
from web.api_call import Called
from web.api_models import REFUSALS, Asked, Withdrawal, answered
from web.api_outbox import wanted_of
from web.rooms import withdraws

router = APIRouter(responses=REFUSALS)
router.include_router(api_outbox.router)


class Reason(Asked):
    """Why, in a few words; kept in the audit trail."""

    reason: str = Field(min_length=1)


class FieldChange(Asked):
    """``was``: the value that was read, to be refused if somebody changed it since."""

    field: str = Field(min_length=1, max_length=64)
    value: str
    was: str | None = None


class Earliest(Asked):
    """The earliest time, with a time zone."""

    at: AwareDatetime


class Text(Asked):
    """``subject``: ignored where the email answers in its thread. ``mark``: of the text that was read, to be refused if it changed since."""

    model_config = ConfigDict(extra="forbid", str_max_length=100_000)

    subject: str = Field(default="", max_length=500)
    text: str = Field(min_length=1)
    mark: str | None = Field(default=None, max_length=64)


class Done(BaseModel):
    """``changed``: false if it had been done before."""

    id: UUID
    changed: bool


class Moves(BaseModel):
    """``refused``: why it cannot be done now, or null. ``times``: of this email and all that follow it; ``then`` null: it does not leave."""

    refused: str | None
    times: list[dict[str, Any]]


class TextShown(BaseModel):
    """With merge fields. ``subject`` null: it answers in its thread. ``own``: somebody edited this email alone."""

    id: UUID
    subject: str | None
    text: str
    own: bool
    mark: str


@router.get("/candidates/{candidate}/why", response_model=list[dict[str, Any]])
def explain(call: Called, candidate: UUID) -> list[dict[str, Any]]:
    """Why the person's next email did or did not leave, for each of their sequences."""
    call.own("candidates", candidate)
    with call.runtime.database.transaction() as tx:
        places = messages.open_places_of(tx, candidate, None, ended=True)
        found = why.answers(
            tx, [each.enrollment_id for each in places], lambda at, _: f"{at:%Y-%m-%d %H:%M:%S} UTC"
        )
    return [
        {
            "enrollment_id": each.enrollment_id,
            "sequence_id": each.situation.sequence_id,
            "sequence": each.situation.sequence,
            "status": each.situation.status,
            "delivery_id": each.situation.delivery_id,
            "due_at": each.situation.due_at,
            "answer": each.whole.text,
            "remedy": each.next.remedy,
            "field": each.next.field,
        }
        for each in found
    ]


@router.post("/candidates/{candidate}/stop", response_model=Withdrawal)
@withdraws
def stop_person(call: Called, candidate: UUID, because: Reason) -> Response:
    """Stop all sequences for one person. Their address stays allowed."""
    call.own("candidates", candidate)
    return call.do(
        lambda: answered(
            withdraw.stop_person(
                call.runtime, candidate, only_of=None, actor=call.caller.name, reason=because.reason
            )
        )
    )


@router.get("/candidates/{candidate}/fields", response_model=dict[str, str])
def show_fields(call: Called, candidate: UUID) -> dict[str, str]:
    """The person's fields, and those that their sequences use; empty ones too."""
    call.own("candidates", candidate)
    with call.runtime.database.transaction() as tx:
        return fields_of_people.fields_of(tx, candidate)


@router.post("/candidates/{candidate}/fields", response_model=Done)
@withdraws
def change_field(call: Called, candidate: UUID, wanted: FieldChange) -> Response:
    """Change a field of a person. Waiting emails use it."""
    call.own("candidates", candidate)

    def work() -> object:
        changed = person_fields.change_field(
            call.runtime, candidate, wanted.field, wanted.value, was=wanted.was, actor=call.caller.name
        )
        return {"id": candidate, "changed": changed}

    return call.do(work)


@router.post("/enrollments/{enrollment}/pause", response_model=Withdrawal)
@withdraws
def pause_enrollment(call: Called, enrollment: UUID, because: Reason) -> Response:
    """Pause one person in a sequence; answers when none of its emails to them can leave any more."""
    call.own("enrollments", enrollment)
    return call.do(
        lambda: answered(
            withdraw.pause_enrollment(call.runtime, enrollment, actor=call.caller.name, reason=because.reason)
        )
    )


@router.post("/enrollments/{enrollment}/resume", response_model=dict[str, Any])
@withdraws
def resume_enrollment(call: Called, enrollment: UUID) -> Response:
    """Resume one person in a sequence."""
    call.own("enrollments", enrollment)

    def work() -> object:
        done = resume.resume_enrollment(call.runtime, enrollment, actor=call.caller.name)
        return {"id": enrollment, "summary": list(done.summary)}

    return call.do(work)


@router.get("/deliveries/{delivery}/moves", response_model=Moves)
def foresee(
    call: Called,
    delivery: UUID,
    change: Literal["skip", "cancel", "earlier", "not_before"],
    at: Annotated[AwareDatetime | None, Query(description="For not_before")] = None,
) -> Moves:
    """What a change of one email would move. Changes nothing."""
    call.own("deliveries", delivery)
    wanted = wanted_of(change, at)
    with call.runtime.database.transaction() as tx:
        found = planned.foresee(tx, delivery, wanted)
    return Moves(
        refused=found.refused,
        times=[{"step": each.position, "planned": each.now, "then": each.then} for each in found.times],
    )


def _change(call: Called, delivery: UUID, wanted: Change) -> Response:
    call.own("deliveries", delivery)

    def work() -> object:
        changed = planned.change(call.runtime, delivery, wanted, actor=call.caller.name)
        return {"id": delivery, "changed": changed}

    return call.do(work)


@router.post("/deliveries/{delivery}/skip", response_model=Done)
@withdraws
def skip(call: Called, delivery: UUID) -> Response:
    """Leave a step out for one person. The next one counts its delay from now."""
    return _change(call, delivery, Skip())


@router.post("/deliveries/{delivery}/cancel", response_model=Done)
@withdraws
def cancel(call: Called, delivery: UUID) -> Response:
    """Do not send one email. Later ones keep their times."""
    return _change(call, delivery, Cancel())


@router.post("/deliveries/{delivery}/earlier", response_model=Done)
@withdraws
def send_earlier(call: Called, delivery: UUID) -> Response:
    """Send one email as soon as the mailbox's pace and the sending hours allow."""
    return _change(call, delivery, Earlier())


@router.post("/deliveries/{delivery}/not-before", response_model=Done)
@withdraws
def not_before(call: Called, delivery: UUID, earliest: Earliest) -> Response:
    """Send one email at this time at the earliest."""
    return _change(call, delivery, NotBefore(earliest.at))


@router.get("/deliveries/{delivery}/text", response_model=TextShown)
def show_text(call: Called, delivery: UUID) -> TextShown:
    """What one email says, with merge fields."""
    call.own("deliveries", delivery)
    with call.runtime.database.transaction() as tx:
        found = planned.text_of(tx, delivery)
    return TextShown(id=delivery, subject=found.subject, text=found.body, own=found.own, mark=found.mark)


@router.post("/deliveries/{delivery}/text", response_model=Done)
@withdraws
def edit(call: Called, delivery: UUID, text: Text) -> Response:
    """Give one email a text of its own. Its receipt says so."""
    call.own("deliveries", delivery)

    def work() -> object:
        changed = planned.edit(
            call.runtime,
            delivery,
            subject=text.subject,
            body=text.text,
            mark=text.mark,
            actor=call.caller.name,
        )
        return {"id": delivery, "changed": changed}

    return call.do(work)
