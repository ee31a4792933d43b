"""What people decide about one person: stop, pause, resume, and change a field. Each button of their page ends here."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response

from actions import person_fields, resume, withdraw
from db.access.sessions import Session
from db.core.session import Transaction
from db.views import messages as lists
from db.views.messages import InSequence, Person
from domain.errors import NotFound, NotPermitted
from domain.withdrawal import WithdrawalResult
from web.forms import REFUSED, Id, PageForm, Typed, again, number_of
from web.messages import viewer_of
from web.pages import counted, form_alone, go, page
from web.people import shown
from web.protection import Runtimed, SignedIn, manages, transaction_of
from web.rooms import withdraws

router = APIRouter(prefix="/people")

_REASON = "on the person's page"
form_alone(
    router,
    "/{person:uuid}/enrollments/{enrollment:uuid}/pause",
    "/{person:uuid}/enrollments/{enrollment:uuid}/resume",
    "/{person:uuid}/fields",
    to="/people/{person}",
)


class FieldForm(PageForm):
    """``value``: of ``field``. ``was``: the value that was changed. ``back``: why or preview, if the form was on such a page; ``sequence``,
    ``step``, ``enrollment``: of the preview.
    """

    field: str = ""
    value: str = ""
    was: str = ""
    back: str = ""
    sequence: Id = None
    step: str = ""
    enrollment: Id = None

    def origin(self, person: UUID) -> str:
        """The page that the form was on."""
        if self.back == "preview" and self.sequence and self.enrollment:
            step = number_of(self.step) or 1
            return f"/sequences/{self.sequence}/preview?step={step}&person={self.enrollment}"
        return _to(person, self.back)


class BackForm(PageForm):
    """``back``: why or sequence, if the form was on that page."""

    back: str = ""


def _to(person: UUID, back: str, place: InSequence | None = None) -> str:
    if back == "sequence" and place is not None:
        return f"/sequences/{place.sequence_id}?tab=people"
    return f"/why?person={person}" if back == "why" else f"/people/{person}"


@router.get("/{person:uuid}/stop")
def ask_to_stop(request: Request, person: UUID) -> Response:
    """Ask before all sequences of a person stop."""
    with transaction_of(request) as (tx, session):
        found, places = _places(tx, session, person)
        return page(
            request,
            "stop_person.html",
            title="Stop everything",
            person=found,
            places=places,
            back=f"/people/{person}",
            verb="Stop everything",
        )


@router.post("/{person:uuid}/stop")
@withdraws
def stop(request: Request, session: SignedIn, runtime: Runtimed, person: UUID) -> Response:
    """Stop all sequences of a person that are the member's; of everybody, for owners and admins."""
    with transaction_of(request) as (tx, _):
        found, _places_of = _places(tx, session, person)
    answer = withdraw.stop_person(
        runtime,
        person,
        only_of=None if manages(session) else session.member.id,
        actor=session.member.name,
        reason=_REASON,
    )
    return go(request, f"/people/{person}", f"{found.name} gets no more emails. {withdrawn(answer)}")


@router.get("/{person:uuid}/enrollments/{enrollment:uuid}/stop")
def ask_to_stop_in(request: Request, person: UUID, enrollment: UUID) -> Response:
    """Ask before one sequence of a person stops."""
    with transaction_of(request) as (tx, session):
        found, place = _place(tx, session, person, enrollment)
        return page(
            request,
            "stop_person.html",
            title="Stop",
            person=found,
            places=[place],
            back=f"/people/{person}",
            verb=f"Stop {found.name}",
        )


@router.post("/{person:uuid}/enrollments/{enrollment:uuid}/stop")
@withdraws
def stop_in(
    request: Request, session: SignedIn, runtime: Runtimed, person: UUID, enrollment: UUID
) -> Response:
    """Stop one sequence for a person."""
    with transaction_of(request) as (tx, _):
        found, place = _place(tx, session, person, enrollment)
    answer = withdraw.stop_enrollment(runtime, enrollment, actor=session.member.name, reason=_REASON)
    return go(request, f"/people/{person}", f"{found.name} is stopped in {place.name}. {withdrawn(answer)}")


@router.post("/{person:uuid}/enrollments/{enrollment:uuid}/{verb}")
@withdraws
def pause_or_resume(
    request: Request,
    session: SignedIn,
    runtime: Runtimed,
    person: UUID,
    enrollment: UUID,
    verb: Literal["pause", "resume"],
    form: Typed[BackForm],
) -> Response:
    """Pause or resume one sequence for a person. A repeated request answers the same."""
    with transaction_of(request) as (tx, _):
        found, place = _place(tx, session, person, enrollment)
    to, actor = _to(person, form.back, place), session.member.name
    try:
        if verb == "pause":
            answer = withdraw.pause_enrollment(runtime, enrollment, actor=actor, reason="by hand")
            return go(request, to, f"{found.name} is paused in {place.name}. {withdrawn(answer)}")
        done = resume.resume_enrollment(runtime, enrollment, actor=actor)
    except NotPermitted as error:
        said = (
            f"{found.name} was resumed already."
            if place.status == "active" and verb == "resume"
            else str(error)
        )
        return go(request, to, said)
    when = f" {', '.join(done.summary)}." if done.summary else ""
    return go(request, to, f"{found.name} is resumed in {place.name}.{when}")


@router.post("/{person:uuid}/fields")
@withdraws
def change_field(
    request: Request, session: SignedIn, runtime: Runtimed, person: UUID, form: Typed[FieldForm]
) -> Response:
    """Change a field. Waiting emails use it."""
    with transaction_of(request) as (tx, _):
        found = whole_person(tx, session, person)
    try:
        changed = person_fields.change_field(
            runtime, person, form.field[:64], form.value, was=form.was, actor=session.member.name
        )
    except REFUSED as error:
        return shown(
            request, person, again(form.typed(), error, {"value": "value"}, other="value"), status=422
        )
    label = form.field[:64].replace("_", " ")
    said = (
        f"{label[:1].upper()}{label[1:]} of {found.name} is saved. Waiting emails use it."
        if changed
        else "Nothing was changed."
    )
    return go(request, form.origin(person), said)


def withdrawn(answer: WithdrawalResult) -> str:
    """Say what a withdrawal stopped."""
    stopped = f"{counted(answer.stopped, 'email', 'emails')} stopped"
    if answer.complete:
        return f"{stopped}, nothing can leave now."
    return f"{stopped}. {counted(len(answer.in_doubt), 'email is', 'emails are')} in doubt: we are looking."


def whole_person(tx: Transaction, session: Session, person: UUID) -> Person:
    """Return a person of whom the member sees everything. Raises ``NotFound``."""
    found = lists.person_of(tx, person, viewer_of(session))
    if not found.whole:
        raise NotFound("There is no such person in your sequences.")
    return found


def _places(tx: Transaction, session: Session, person: UUID) -> tuple[Person, list[InSequence]]:
    """Return a person, and where they are that the member may change. Raises ``NotFound``."""
    found = whole_person(tx, session, person)
    only_of = None if manages(session) else session.member.id
    return found, lists.open_places_of(tx, person, only_of)


def _place(tx: Transaction, session: Session, person: UUID, enrollment: UUID) -> tuple[Person, InSequence]:
    """Return a person and one of their sequences that the member may change. Raises ``NotFound``."""
    found = whole_person(tx, session, person)
    only_of = None if manages(session) else session.member.id
    for each in lists.open_places_of(tx, person, only_of, ended=True):
        if each.enrollment_id == enrollment:
            return found, each
    raise NotFound("There is no such person in a sequence of yours.")
