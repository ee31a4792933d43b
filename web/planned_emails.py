"""What people decide about one planned email, each after a page that says what moves with it."""

from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from actions import planned, withdraw
from db.access.sessions import Session
from db.sending import changes
from db.sending.changes import Email
from db.views import frame
from domain.changes import Cancel, Change, Earlier, NotBefore, Skip
from domain.errors import InvalidInput, NotFound, NotPermitted
from web.forms import REFUSED, Filled, PageForm, Typed, again, local_time
from web.pages import counted, go, page
from web.protection import Runtimed, SignedIn, manages, transaction_of
from web.rooms import withdraws

router = APIRouter(prefix="/outbox")

_HERE = "/outbox"
Verb = Literal["skip", "cancel", "later", "earlier"]
_ASKS: Mapping[str, tuple[str, str]] = {
    "skip": ("Skip this email", "Skipped."),
    "cancel": ("Cancel this email", "Cancelled. It cannot leave any more."),
    "later": ("Not before", "Moved."),
    "earlier": ("Send earlier", "It leaves as soon as the mailbox's pace and the sending hours allow."),
}


class ChangeForm(PageForm):
    """``at``: local time, for later. ``do``: show what it does instead of doing it. ``back``: person, approvals, sequence, or the outbox."""

    at: str = ""
    do: str = ""
    back: str = ""


class TextForm(PageForm):
    """The text of one email. ``mark``: of the text that was edited."""

    subject: str = ""
    text: str = ""
    mark: str = ""
    back: str = ""


@router.get("/{delivery:uuid}/edit")
def show_text(request: Request, delivery: UUID) -> Response:
    """Show the text of one email, to edit it."""
    return _text_shown(request, delivery, Filled())


def _text_shown(request: Request, delivery: UUID, filled: Filled, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, session):
        text = planned.text_of(tx, delivery)
        _check(session, text.email)
        return page(
            request,
            "email_edit.html",
            status=status,
            text=text,
            refused=planned.too_late(text.email),
            filled=Filled({"text": text.body, **filled.values}, filled.errors),
            back=_back(request, text.email, str(filled.get("back"))),
            origin=_origin(request, str(filled.get("back"))),
        )


@router.post("/{delivery:uuid}/edit")
def edit(
    request: Request, runtime: Runtimed, session: SignedIn, delivery: UUID, form: Typed[TextForm]
) -> Response:
    """Give one email a text of its own."""
    email = _asked(request, delivery)
    try:
        planned.edit(
            runtime,
            delivery,
            subject=form.subject,
            body=form.text,
            mark=form.mark or None,
            actor=session.member.name,
        )
    except NotPermitted as error:
        return go(request, _back(request, email, form.back), str(error))
    except REFUSED as error:
        filled = again(form.typed(), error, {"subject": "subject", "text": "text"})
        return _text_shown(request, delivery, filled, status=422)
    said = f"Saved. Only the email to {email.person} changes."
    return go(request, _back(request, email, form.back), said)


@router.get("/{delivery:uuid}/{verb}")
def ask(request: Request, delivery: UUID, verb: Verb) -> Response:
    """Show what a change would do, and ask."""
    return _asked_again(request, delivery, verb, Filled({"at": request.query_params.get("at", "")[:40]}))


def _asked_again(
    request: Request, delivery: UUID, verb: Verb, filled: Filled, *, status: int = 200
) -> Response:
    with transaction_of(request) as (tx, session):
        zone = frame.here(tx, session.member.id).zone
        email = changes.email(tx, delivery)
        _check(session, email)
        found, refused = None, None
        if verb != "later" or (filled.get("at") and not filled.errors):
            try:
                found = planned.foresee(tx, delivery, _change(verb, str(filled.get("at")), zone))
                refused = found.refused
            except InvalidInput as error:
                filled, status = again(filled.values, error, {"at": "at"}, other="at"), 422
        else:
            refused = planned.too_late(email)
        return page(
            request,
            "email_change.html",
            status=status,
            email=email,
            verb=verb,
            title=_ASKS[verb][0],
            refused=refused,
            times=found.times if found else [],
            filled=filled,
            back=_back(request, email, str(filled.get("back"))),
            origin=_origin(request, str(filled.get("back"))),
        )


@router.post("/{delivery:uuid}/{verb}")
@withdraws
def change(
    request: Request,
    runtime: Runtimed,
    session: SignedIn,
    delivery: UUID,
    verb: Verb,
    form: Typed[ChangeForm],
) -> Response:
    """Change one email. A repeated request answers the same."""
    with transaction_of(request) as (tx, _):
        email, zone = _asked(request, delivery), frame.here(tx, session.member.id).zone
    if form.do == "show":
        asked = urlencode({"at": form.at[:40], "from": form.back[:10]})
        return RedirectResponse(f"{_HERE}/{delivery}/{verb}?{asked}", status_code=303)
    back = _back(request, email, form.back)
    if verb == "cancel" and email.by_hand:
        answer = withdraw.stop_enrollment(
            runtime, email.enrollment_id, actor=session.member.name, reason="cancelled"
        )
        doubt = f"{counted(len(answer.in_doubt), 'email is', 'emails are')} in doubt: we are looking."
        return go(request, back, _ASKS[verb][1] if answer.complete else doubt)
    try:
        planned.change(runtime, delivery, _change(verb, form.at, zone), actor=session.member.name)
    except NotPermitted as error:
        return go(request, back, str(error))
    except InvalidInput as error:
        filled = again(form.typed(), error, {"at": "at"}, other="at")
        return _asked_again(request, delivery, verb, filled, status=422)
    return go(request, back, f"{email.person}: {_ASKS[verb][1]}")


def _change(verb: Verb, at: str, zone: str) -> Change:
    match verb:
        case "skip":
            return Skip()
        case "cancel":
            return Cancel()
        case "earlier":
            return Earlier()
        case "later":
            return NotBefore(local_time(at, zone, "at"))


def _asked(request: Request, delivery: UUID) -> Email:
    with transaction_of(request) as (tx, session):
        email = changes.email(tx, delivery)
        _check(session, email)
        return email


def _check(session: Session, email: Email) -> None:
    """Raise ``NotFound`` unless the email is of the member's sequence, or they are an owner or admin."""
    if email.organization_id != session.member.organization_id or not (
        manages(session) or email.owner_id == session.member.id
    ):
        raise NotFound("There is no such email.")


def _origin(request: Request, typed: str) -> str:
    known = (typed, request.query_params.get("from"))
    return next((each for each in ("person", "approvals", "sequence") if each in known), "")


def _back(request: Request, email: Email, typed: str) -> str:
    match _origin(request, typed):
        case "person":
            return f"/people/{email.candidate_id}"
        case "approvals":
            return f"{_HERE}/approvals"
        case "sequence":
            return f"/sequences/{email.sequence_id}?tab=people"
        case _:
            return _HERE
