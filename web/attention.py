"""The page Needs attention: emails that only a person can decide on, each with its buttons."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict

from actions import addresses, attention, incidents, review, tasks
from db.access import first_emails, grant_requests
from db.access.sessions import Session
from db.events.incidents import unread_hours
from db.sequences import handover_requests
from db.views import attention as lists
from db.views import incidents as incident_lists
from db.views import overviews
from db.views import tasks as task_lists
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.incidents import MAX_UNREAD_HOURS
from domain.notice import ABOUT_THE_ADDRESS, why_failed
from domain.task import Outcome
from web.forms import REFUSED, Filled, Id, PageForm, Typed, again, id_of, number_of
from web.incidents import viewer_of
from web.pages import counted, form_alone, go, page
from web.protection import Administrator, SignedIn, manages, own_runtime, transaction_of
from web.rooms import withdraws

router = APIRouter(prefix="/attention")

_HERE = "/attention"
_VERDICTS: dict[str, tuple[review.Verdict, str]] = {
    "sent": ("sent", "Recorded as sent. The next step follows."),
    "again": ("not_sent", "The email is sent again, after all checks."),
    "out": ("skip", "Left out. This person gets no further emails from this sequence."),
}


class AttentionForm(PageForm):
    """How the page was filtered: ``only`` one sequence, or ``whose`` sequences."""

    only: Id = None
    whose: str = ""

    def back(self) -> str:
        """Return the page's address as it was filtered."""
        if self.only is not None:
            return f"{_HERE}?sequence={self.only}"
        return f"{_HERE}?whose=all" if self.whose == "all" else _HERE


class ReviewForm(AttentionForm):
    """What became of an email in review."""

    verdict: str = ""


class FieldForm(AttentionForm):
    """Values of a missing ``field``: ``value-ID`` for one person, ``all`` for everybody else. ``do``: fill in, or stop."""

    model_config = ConfigDict(extra="allow")
    field: str = ""
    all: str = ""
    do: str = ""

    def values(self) -> dict[UUID, str]:
        """Return what was typed for each person."""
        return {
            found: value
            for name, value in self.typed().items()
            if name.startswith("value-") and (found := id_of(name.removeprefix("value-"))) is not None
        }


class FailedForm(AttentionForm):
    """What to do with emails that failed for a ``reason``."""

    reason: str = ""
    do: str = ""


class TaskForm(AttentionForm):
    """What became of a task. ``person``: whose page it was on."""

    outcome: str = ""
    person: Id = None

    def back(self) -> str:
        """Return the page's address as it was filtered, or the person's."""
        return AttentionForm.back(self) if self.person is None else f"/people/{self.person}"


class HoursForm(AttentionForm):
    """For how long an incident may stay unread."""

    hours: str = ""


class AddressForm(AttentionForm):
    """The corrected address."""

    address: str = ""


@router.get("")
def show(request: Request) -> Response:
    """Show the member's own; the whole organization's with ``?whose=all``, to its owners and admins; or one sequence's."""
    return _show(request, Filled())


def _show(request: Request, filled: Filled, *, status: int = 200) -> Response:
    only = id_of(request.query_params.get("sequence", "") or str(filled.get("sequence")))
    everybody = request.query_params.get("whose") == "all" or filled.get("whose") == "all"
    with transaction_of(request) as (tx, session):
        whole = manages(session) and everybody
        owner = None if whole or (only is not None and manages(session)) else session.member.id
        organization_id, mine = session.member.organization_id, only is None and not whole
        values: dict[str, Any] = {
            "reviews": lists.in_review(tx, organization_id, owner, only),
            "messages": lists.unsure(tx, organization_id, owner, only),
            "permissions": grant_requests.for_owner(tx, session.member.id) if mine else [],
            "handovers": handover_requests.open_for(tx, session.member.id) if mine else [],
            "firsts": first_emails.waiting(tx, session.member.id) if only is None else [],
            "approvals": lists.to_approve(tx, organization_id, owner, only),
            "tasks": task_lists.OPEN.page(tx, organization_id, owner, only, limit=lists.SHOWN)[0],
            "blocked": lists.blocked(tx, organization_id, owner, only),
            "failed": lists.failed(tx, organization_id, owner, only),
        }
        viewer = viewer_of(session, whole=whole or (only is not None and manages(session)))
        values["incidents"] = incident_lists.standing(tx, viewer, only)
        values["settled"] = incident_lists.settled(tx, viewer) if only is None else []
        values["unread_hours"] = unread_hours(tx, organization_id)
        if only is not None:
            values["line"] = overviews.sequence_of(tx, only, organization_id, owner)
        return page(
            request,
            "attention.html",
            status=status,
            **{
                "line": None,
                "whole": whole,
                "filled": filled,
                "why": why_failed,
                "about_the_address": ABOUT_THE_ADDRESS,
                "shown": lists.SHOWN,
                "most_hours": MAX_UNREAD_HOURS,
                **values,
            },
        )


_FORMS = (
    "/reviews/{of:uuid}",
    "/tasks/{of:uuid}",
    "/blocked/{of:uuid}",
    "/failed/{of:uuid}",
    "/addresses/{of:uuid}",
    "/hours",
)
form_alone(router, *_FORMS, to=_HERE)


@router.post("/reviews/{delivery}")
def settle(request: Request, delivery: UUID, form: Typed[ReviewForm]) -> Response:
    """Record that an email in review was sent, send it again, or leave it out."""
    session = _asked_of_delivery(request, delivery)
    verdict, said = _VERDICTS.get(form.verdict, (None, ""))
    if verdict is None:
        raise NotFound("Choose one of the buttons.")
    try:
        review.settle(
            own_runtime(request),
            delivery,
            verdict=verdict,
            actor=session.member.name,
            because="decided on the page Needs attention",
        )
    except NotPermitted as error:  # settled by a second click, or by somebody else; or it may not be
        with transaction_of(request) as (tx, _):
            settled = lists.state_of_delivery(tx, delivery) != "review"
        said = "This email is settled already." if settled else str(error)
    return go(request, form.back(), said)


@router.post("/tasks/{delivery}")
def settle_task(request: Request, delivery: UUID, form: Typed[TaskForm]) -> Response:
    """Mark a task done, or skip it; the person's next step counts from now."""
    session = _asked_of_delivery(request, delivery)
    if form.outcome not in set(Outcome):
        raise NotFound("Choose one of the buttons.")
    outcome = Outcome(form.outcome)
    try:
        tasks.settle(own_runtime(request), delivery, outcome, actor=session.member.name)
    except NotPermitted as error:
        return go(request, form.back(), str(error))
    return go(request, form.back(), "Done." if outcome is Outcome.DONE else "Skipped.")


@router.post("/blocked/{sequence}")
@withdraws
def fill_in(request: Request, session: SignedIn, sequence: UUID, form: Typed[FieldForm]) -> Response:
    """Fill in the field for the people who wait for it, or stop the sequence for them."""
    _asked(request, sequence)
    field, actor = form.field[:64], session.member.name
    runtime = own_runtime(request)
    if form.do == "stop":
        count = attention.stop_blocked(runtime, sequence, field, actor=actor)
        return go(request, form.back(), f"{counted(count, 'person', 'people')} left out of this sequence.")
    try:
        count = attention.fill_in(runtime, sequence, field, form.values(), form.all, actor=actor)
    except REFUSED as error:
        filled = again({**form.typed(), "at": f"{sequence}{field}"}, error, {})
        return _show(request, filled, status=422)
    said = (
        f"Filled in for {counted(count, 'person', 'people')}."
        if count
        else "Nobody is waiting for this any more."
    )
    return go(request, form.back(), said)


@router.post("/failed/{sequence}")
def answer_failed(request: Request, sequence: UUID, form: Typed[FailedForm]) -> Response:
    """Send failed emails again, or leave them out."""
    reason, actor = form.reason[:200], _asked(request, sequence).member.name
    runtime = own_runtime(request)
    if form.do == "out":
        count = attention.leave_out_failed(runtime, sequence, reason, actor=actor)
        said = f"{counted(count, 'email', 'emails')} left out."
    else:
        count = attention.retry_failed(runtime, sequence, reason, actor=actor)
        said = f"{counted(count, 'email', 'emails')} to be sent again, after all checks."
    return go(request, form.back(), said)


@router.post("/addresses/{delivery}")
def correct_address(request: Request, delivery: UUID, form: Typed[AddressForm]) -> Response:
    """Correct the address that an email was refused for, and send the email again."""
    actor = _asked_of_delivery(request, delivery).member.name
    try:
        addresses.correct_refused(own_runtime(request), delivery, form.address[:400], actor=actor)
    except NotPermitted as error:  # settled meanwhile, or nobody may write there
        return go(request, form.back(), str(error))
    except REFUSED as error:
        place = str(delivery)
        filled = again({**form.typed(), place: form.address}, error, {}, other=place)
        return _show(request, filled, status=422)
    return go(request, form.back(), "Corrected. The email is sent again, after all checks.")


@router.post("/hours")
def set_hours(request: Request, session: Administrator, form: Typed[HoursForm]) -> Response:
    """Save for how long an incident may stay unread before others hear of it."""
    organization_id, actor = session.member.organization_id, session.member.name
    try:
        incidents.set_unread_hours(own_runtime(request), organization_id, number_of(form.hours), actor=actor)
    except InvalidInput as error:
        return _show(request, again(form.typed(), error, {"unread_hours": "hours"}), status=422)
    return go(request, form.back(), "Saved.")


def _asked(request: Request, sequence_id: UUID | None) -> Session:
    """Return the session. Raises ``NotFound`` unless the member owns the sequence, or is an owner or admin."""
    with transaction_of(request) as (tx, session):
        owner = None if manages(session) else session.member.id
        if sequence_id is None:
            raise NotFound("You have no such sequence.")
        overviews.sequence_of(tx, sequence_id, session.member.organization_id, owner)
        return session


def _asked_of_delivery(request: Request, delivery: UUID) -> Session:
    with transaction_of(request) as (tx, _):
        return _asked(request, lists.sequence_of_delivery(tx, delivery))
