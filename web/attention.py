"""Needs attention: what only a person can decide about my sequences' emails, each with its buttons."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from actions import attention, review
from app.runtime import Runtime
from db.access.sessions import Session
from db.views import attention as lists
from db.views import overviews
from domain.errors import NotFound, NotPermitted
from domain.notice import ABOUT_THE_ADDRESS, why_failed
from web.forms import REFUSED, Filled, again
from web.pages import counted, go, id_of, page
from web.protection import OwnForm, Runtimed, SignedIn, manages

router = APIRouter(prefix="/attention")

_HERE = "/attention"
_VERDICTS: dict[str, tuple[review.Verdict, str]] = {
    "sent": ("sent", "Noted: it was sent. The next step follows."),
    "again": ("not_sent", "It is sent again, through every check."),
    "out": ("skip", "Left out. This person gets no further emails of this sequence."),
}


@router.get("")
def show(request: Request, runtime: Runtimed, session: SignedIn) -> Response:
    """Mine; all of the organization with ``?whose=all`` for those who look after it; or those of one sequence."""
    return _show(request, runtime, session, Filled())


def _show(
    request: Request, runtime: Runtime, session: Session, filled: Filled, *, status: int = 200
) -> Response:
    only = id_of(request.query_params.get("sequence", "") or str(filled.get("sequence")))
    whole = manages(session) and (request.query_params.get("whose") == "all" or filled.get("whose") == "all")
    owner = None if whole or (only is not None and manages(session)) else session.member.id
    organization_id = session.member.organization_id
    with runtime.database.transaction() as tx:
        values: dict[str, Any] = {
            "reviews": lists.in_review(tx, organization_id, owner, only),
            "blocked": lists.blocked(tx, organization_id, owner, only),
            "failed": lists.failed(tx, organization_id, owner, only),
        }
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
            **values,
        },
    )


@router.get("/reviews/{_of}")
@router.get("/blocked/{_of}")
@router.get("/failed/{_of}")
@router.get("/addresses/{_of}")
def form_was_reloaded(_of: UUID) -> Response:
    """The address that a form was sent to, opened by itself."""
    return RedirectResponse(_HERE, status_code=303)


@router.post("/reviews/{delivery}")
def settle(request: Request, runtime: Runtimed, session: SignedIn, delivery: UUID, form: OwnForm) -> Response:
    """It was sent, it was not, or it is left out."""
    verdict, said = _VERDICTS.get(form.get("verdict", ""), (None, ""))
    if verdict is None:
        raise NotFound("There is no such choice.")
    with runtime.database.transaction() as tx:
        sequence_id = lists.sequence_of_delivery(tx, delivery)
    _own(runtime, session, sequence_id)
    try:
        review.settle(
            runtime,
            delivery,
            verdict=verdict,
            actor=session.member.name,
            because="decided on the page Needs attention",
        )
    except NotPermitted as error:  # settled by a second click, or by somebody else; or it may not be
        with runtime.database.transaction() as tx:
            settled = lists.state_of_delivery(tx, delivery) != "review"
        said = "This email is settled already." if settled else str(error)
    return go(request, _back(form), said)


@router.post("/blocked/{sequence}")
def fill_in(
    request: Request, runtime: Runtimed, session: SignedIn, sequence: UUID, form: OwnForm
) -> Response:
    """Fill in the field for people who wait for it, or leave them out."""
    _own(runtime, session, sequence)
    field, actor = form.get("field", "")[:64], session.member.name
    if form.get("do") == "stop":
        count = attention.stop_blocked(runtime, sequence, field, actor=actor)
        return go(request, _back(form), f"{counted(count, 'person', 'people')} left out of this sequence.")
    values = {
        found: value
        for name, value in form.items()
        if name.startswith("value-") and (found := id_of(name.removeprefix("value-"))) is not None
    }
    try:
        count = attention.fill_in(runtime, sequence, field, values, form.get("all", ""), actor=actor)
    except REFUSED as error:
        filled = again({**form, "at": f"{sequence}{field}"}, error, {})
        return _show(request, runtime, session, filled, status=422)
    said = (
        f"Filled in for {counted(count, 'person', 'people')}." if count else "Nobody waits for this any more."
    )
    return go(request, _back(form), said)


@router.post("/failed/{sequence}")
def answer_failed(
    request: Request, runtime: Runtimed, session: SignedIn, sequence: UUID, form: OwnForm
) -> Response:
    """Try failed emails again, or ask about them no more."""
    _own(runtime, session, sequence)
    reason, actor = form.get("reason", "")[:200], session.member.name
    if form.get("do") == "out":
        count = attention.leave_out_failed(runtime, sequence, reason, actor=actor)
        said = f"{counted(count, 'email', 'emails')} left out."
    else:
        count = attention.retry_failed(runtime, sequence, reason, actor=actor)
        said = f"{counted(count, 'email', 'emails')} to be sent again, through every check."
    return go(request, _back(form), said)


@router.post("/addresses/{delivery}")
def correct_address(
    request: Request, runtime: Runtimed, session: SignedIn, delivery: UUID, form: OwnForm
) -> Response:
    """The right address of somebody whose email was refused for theirs; it is sent again."""
    with runtime.database.transaction() as tx:
        sequence_id = lists.sequence_of_delivery(tx, delivery)
    _own(runtime, session, sequence_id)
    try:
        attention.correct_address(runtime, delivery, form.get("address", "")[:400], actor=session.member.name)
    except NotPermitted as error:  # settled meanwhile, or nobody may write there
        return go(request, _back(form), str(error))
    except REFUSED as error:
        place = str(delivery)
        filled = again({**form, place: form.get("address", "")}, error, {}, other=place)
        return _show(request, runtime, session, filled, status=422)
    return go(request, _back(form), "Corrected. The email is sent again, through every check.")


def _own(runtime: Runtime, session: Session, sequence_id: UUID | None) -> None:
    """Raise ``NotFound`` unless it is a sequence of the member's, or they look after the organization."""
    owner = None if manages(session) else session.member.id
    if sequence_id is None:
        raise NotFound("There is no such sequence of yours.")
    with runtime.database.transaction() as tx:
        overviews.sequence_of(tx, sequence_id, session.member.organization_id, owner)


def _back(form: Any) -> str:
    """The page as it was filtered."""
    only = id_of(form.get("only", ""))
    if only is not None:
        return f"{_HERE}?sequence={only}"
    return f"{_HERE}?whose=all" if form.get("whose") == "all" else _HERE
