"""Unassigned: what came to the organization's default address and is nobody's yet. For owners and admins."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from actions import unassigned as actions
from db.core.session import Transaction
from db.listening import unassigned
from db.listening.unassigned import Unassigned
from db.mailboxes import senders
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.listening.unassigned import KEPT_FOR, SENTENCES, UnassignedReason
from transports.html import sanitise, to_text
from web.forms import Filled, PageForm, Typed, again
from web.pages import form_alone, go, page
from web.protection import Administrator, Runtimed, administrator, runtime_of, transaction_of
from web.rooms import withdraws

router = APIRouter(prefix="/messages/unassigned")

_HERE = "/messages/unassigned"
_SHOWN = 50


class AssignForm(PageForm):
    """Whose it is: a person's address."""

    email: str = ""


class PersonForm(PageForm):
    """``then``: "answer" leads to the form that writes to them."""

    then: str = ""


class DiscardForm(PageForm):
    """Why nobody needs to see it."""

    because: str = ""


form_alone(router, "/{message:uuid}/assign", "/{message:uuid}/person", "/{message:uuid}/discard", to=_HERE)


@router.get("")
def show(request: Request) -> Response:
    """Show what is nobody's yet, newest first."""
    with transaction_of(request) as (tx, _):
        organization_id = administrator(request).member.organization_id
        found = unassigned.listing(tx, organization_id, limit=_SHOWN)
        return page(
            request,
            "unassigned.html",
            found=found,
            shown=_SHOWN,
            reasons=SENTENCES,
            kept_days=KEPT_FOR.days,
            address=senders.default_address_of(tx, organization_id),
        )


@router.get("/{message:uuid}")
def show_one(request: Request, message: UUID) -> Response:
    """Show one, and what can become of it."""
    return _shown(request, message, Filled())


def _shown(request: Request, message: UUID, filled: Filled, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, _):
        found = _of(tx, message, administrator(request).member.organization_id)
        text, html = unassigned.text_of(tx, runtime_of(request).web_keys, message)
        return page(
            request,
            "unassigned_message.html",
            message=found,
            text=(text or to_text(sanitise(html))).strip(),
            reason=SENTENCES[UnassignedReason(found.reason)],
            proven=bool(found.proof and found.proof.get("proven")),
            filled=filled,
            status=status,
        )


@router.post("/{message:uuid}/assign")
@withdraws
def assign(
    request: Request, session: Administrator, runtime: Runtimed, message: UUID, form: Typed[AssignForm]
) -> Response:
    """Give it to a person; what follows from it happens at once."""
    _check(request, session.member.organization_id, message)
    try:
        person = actions.assign(runtime, message, form.email, actor=session.member.name)
    except NotPermitted as error:
        return go(request, _HERE, str(error))
    except (InvalidInput, NotFound) as error:
        return _shown(request, message, again(form.typed(), error, {}, other="email"), status=422)
    return go(request, f"/people/{person}/messages", "Assigned.")


@router.post("/{message:uuid}/person")
@withdraws
def make_person(
    request: Request, session: Administrator, runtime: Runtimed, message: UUID, form: Typed[PersonForm]
) -> Response:
    """Make its sender a person, and give it to them. Only a person can be answered: an email needs somebody it is kept with."""
    _check(request, session.member.organization_id, message)
    try:
        person = actions.make_candidate(runtime, message, actor=session.member.name)
    except NotPermitted as error:
        return go(request, _HERE, str(error))
    except InvalidInput as error:
        return _shown(request, message, again({}, error, {}, other="email"), status=422)
    write = "#write" if form.then == "answer" else ""
    return go(request, f"/people/{person}/messages{write}", "They are a person of your organization now.")


@router.post("/{message:uuid}/discard")
def discard(
    request: Request, session: Administrator, runtime: Runtimed, message: UUID, form: Typed[DiscardForm]
) -> Response:
    """Say that it is nobody's."""
    _check(request, session.member.organization_id, message)
    try:
        actions.discard(runtime, message, because=form.because, actor=session.member.name)
    except NotPermitted as error:
        return go(request, _HERE, str(error))
    except InvalidInput as error:
        return _shown(request, message, again(form.typed(), error, {}, other="because"), status=422)
    return go(request, _HERE, "Discarded.")


def _check(request: Request, organization_id: UUID, message: UUID) -> None:
    with transaction_of(request) as (tx, _):
        _of(tx, message, organization_id)


def _of(tx: Transaction, message: UUID, organization_id: UUID) -> Unassigned:
    """One of the organization's, also if somebody has decided on it already. Raises ``NotFound``."""
    found = unassigned.load(tx, message)
    if found is None or found.organization_id != organization_id:
        raise NotFound("There is no such message.")
    return found
