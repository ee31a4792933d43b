"""Permissions to send from a mailbox, on pages: give one within bounds, ask for one, answer who asks, end one."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from actions import grants, withdraw
from app.runtime import Runtime
from db.access import grant_requests
from db.access.grant_requests import GrantRequest
from db.access.sessions import Session
from db.views import my_settings
from db.views.my_settings import MyMailbox
from db.withdrawing import impact, withdrawal_results
from domain.errors import InvalidInput, NotFound
from domain.grant import Bounds, end_of
from web.forms import REFUSED, Filled, again
from web.pages import go, id_of, page
from web.protection import FormLists, OwnForm, Runtimed, SignedIn
from web.results import see
from web.return_to import freshly_signed_in
from web.rooms import withdraws
from web.sequences_settings import own, show_settings

router = APIRouter(prefix="/settings/sequences")

EVERYONE = "everyone"
_HERE = "/settings/sequences"
_MAX_CHOICES = 50  # people or sequences in one list; more are found by typing
_PLACES = {"until": "until", "emails a day": "a_day", "a day": "a_day", "sequences": "sequences"}


@router.get("/grants/new")
def choose(request: Request, runtime: Runtimed, session: SignedIn) -> Response:
    """The form for a new permission, with its bounds. ``?to=``: whom a page suggests."""
    to = request.query_params.get("to", "")[:60]
    return _form(request, runtime, session, Filled({"to": to} if to else {}))


@router.get("/grants")
def form_was_reloaded() -> Response:
    """The address that the form was sent to, opened by itself."""
    return RedirectResponse(f"{_HERE}/grants/new", status_code=303)


def _form(
    request: Request,
    runtime: Runtime,
    session: Session,
    filled: Filled,
    *,
    asked: GrantRequest | None = None,
    status: int = 200,
) -> Response:
    me = session.member.id
    chosen = [found for each in filled.chosen if (found := id_of(each)) is not None]
    with runtime.database.transaction() as tx:
        mailbox = own(my_settings.mailbox_of(tx, me))
        values: dict[str, Any] = {
            "colleagues": [] if asked else my_settings.colleagues(tx, me, _MAX_CHOICES + 1),
            "sequences": my_settings.sequences_of_others(
                tx,
                mailbox.id,
                named=str(filled.get("find")),
                chosen=chosen,
                limit=_MAX_CHOICES + len(chosen) + 1,
            ),
            "everyone_may": any(each.person is None for each in my_settings.given(tx, me)),
            "most": _MAX_CHOICES,
        }
    return page(
        request, "give_grant.html", mailbox=mailbox, asked=asked, filled=filled, status=status, **values
    )


@router.post("/grants")
def give(request: Request, runtime: Runtimed, session: SignedIn, form: OwnForm, lists: FormLists) -> Response:
    """Let somebody, or everyone, send from my mailbox."""
    named = lists.get("sequences", [])
    if form.get("do") == "find":
        return _form(request, runtime, session, Filled(form, chosen=frozenset(named)))
    if form.get("to", "").strip() == EVERYONE:
        freshly_signed_in(request, f"{_HERE}/grants/new?to={EVERYONE}")
    me = session.member
    with runtime.database.transaction() as tx:
        mailbox = own(my_settings.mailbox_of(tx, me.id))
    try:
        grantee, name = _grantee(runtime, me.id, form.get("to", ""))
        bounds = bounds_of(form, named, mailbox.zone)
        grants.give_grant(
            runtime,
            mailbox_id=mailbox.id,
            mailbox_owner_id=me.id,
            grantee_id=grantee,
            actor=me.name,
            bounds=bounds,
        )
    except REFUSED as error:
        filled = again(form, error, _PLACES, other="to", chosen=named)
        return _form(request, runtime, session, filled, status=422)
    return go(request, _HERE, f"Permission given to {name}{_within(form)}.")


def _grantee(runtime: Runtime, me: UUID, said: str) -> tuple[UUID | None, str]:
    """Whom a form means, by id, address or name. None = everyone. Raises ``InvalidInput``."""
    said = said.strip()
    if said == EVERYONE:
        return None, EVERYONE
    if not said:
        raise InvalidInput("Nobody is chosen", fix="Choose who may send from your mailbox.")
    with runtime.database.transaction() as tx:
        known = id_of(said)
        found = (
            [each for each in my_settings.colleagues(tx, me, 100_000) if each[0] == known]
            if known is not None
            else my_settings.find_colleague(tx, me, said[:320])
        )
    match found:
        case [(person, name, _)]:
            return person, name
        case []:
            raise InvalidInput("Nobody in your organization has this name or address", fix="Check it.")
        case _:
            raise InvalidInput(
                f"Several people fit: {', '.join(f'{name} ({email})' for _, name, email in found)}",
                fix="Type the whole address.",
            )


def _within(form: Mapping[str, str]) -> str:
    a_day = form.get("a_day", "").strip()
    return f", at most {int(a_day)} {'email' if int(a_day) == 1 else 'emails'} a day" if a_day else ""


@router.post("/grants/{grant}/confirm")
def confirm(request: Request, runtime: Runtimed, session: SignedIn, grant: UUID, _form: OwnForm) -> Response:
    """What somebody gave in my name is right."""
    grants.confirm_grant(runtime, grant, mailbox_owner_id=session.member.id, actor=session.member.name)
    return go(request, _HERE, "You have confirmed the permission. You can end it at any time.")


@router.get("/grants/{grant}/confirm")
def confirming_was_reloaded() -> Response:
    """The address that the form was sent to, opened by itself."""
    return RedirectResponse(_HERE, status_code=303)


@router.get("/grants/{grant}/revoke")
def ask_revoke(request: Request, runtime: Runtimed, session: SignedIn, grant: UUID) -> Response:
    """What ending a permission would stop; or what ending it has stopped."""
    me = session.member.id
    with runtime.database.transaction() as tx:
        given = next((each for each in my_settings.given(tx, me) if each.id == grant), None)
        if given is None:
            if not my_settings.gave(tx, grant, me):
                raise NotFound("You gave no such permission.")
            ended = withdrawal_results.of_grant(tx, grant)
        else:
            stops = impact.of_revocation(tx, grant)
    if given is None:
        if ended is None:
            return go(request, _HERE, "This permission has ended already.")
        return RedirectResponse(f"/withdrawals/{ended}", status_code=303)
    return page(
        request,
        "confirm.html",
        title=f"End the permission of {given.person or 'everyone'}?",
        explanation="No more emails leave your mailbox on it, from this moment. We pause the sequences that have no other"
        " permission and tell their owners.",
        impact=stops,
        ends=[],
        action=f"{_HERE}/grants/{grant}/revoke",
        verb="End permission",
        back=_HERE,
    )


@router.post("/grants/{grant}/revoke")
@withdraws
def revoke(runtime: Runtimed, session: SignedIn, grant: UUID, _form: OwnForm) -> Response:
    """End it; returns when nothing can leave on it any more. Ending it again leads to the same result."""
    with runtime.database.transaction() as tx:
        if not my_settings.gave(tx, grant, session.member.id):
            raise NotFound("You gave no such permission.")
    return see(withdraw.revoke_grant(runtime, grant, actor=session.member.name))


@router.get("/requests")
def asking_was_reloaded() -> Response:
    """The address that the form was sent to, opened by itself."""
    return RedirectResponse(_HERE, status_code=303)


@router.post("/requests")
def ask(request: Request, runtime: Runtimed, session: SignedIn, form: OwnForm) -> Response:
    """Ask the owner of another mailbox."""
    mailbox = form.get("mailbox", "").strip()
    try:
        grants.ask_for_grant(
            runtime,
            mailbox=mailbox,
            requester_id=session.member.id,
            words=form.get("words", ""),
            actor=session.member.name,
        )
    except REFUSED as error:
        filled = again(form, error, {"message": "words"}, other="mailbox")
        return show_settings(request, runtime, session, filled, status=422)
    return go(request, _HERE, f"Asked for {mailbox.lower()}. You get a notification when the owner answers.")


@router.get("/requests/{asked}")
def consider(request: Request, runtime: Runtimed, session: SignedIn, asked: UUID) -> Response:
    """Somebody asks for my mailbox: the form to accept within bounds, or to decline."""
    found = _request(runtime, session, asked)
    if found is None:
        return _answered_already(request, runtime, session, asked)
    return _form(request, runtime, session, Filled(), asked=found)


def _request(runtime: Runtime, session: Session, asked: UUID) -> GrantRequest | None:
    with runtime.database.transaction() as tx:
        return next(
            (each for each in grant_requests.for_owner(tx, session.member.id) if each.id == asked), None
        )


def _answered_already(request: Request, runtime: Runtime, session: Session, asked: UUID) -> Response:
    with runtime.database.transaction() as tx:
        answer = grant_requests.answer_of(tx, asked, session.member.id)
    if answer is None:
        raise NotFound("There is no such request for your mailbox.")
    return go(request, _HERE, f"You have {answer} this request already.")


@router.get("/requests/{asked}/accept")
@router.get("/requests/{asked}/decline")
def answering_was_reloaded(asked: UUID) -> Response:
    """The address that an answer was sent to, opened by itself."""
    return RedirectResponse(f"{_HERE}/requests/{asked}", status_code=303)


@router.post("/requests/{asked}/accept")
def accept(
    request: Request, runtime: Runtimed, session: SignedIn, asked: UUID, form: OwnForm, lists: FormLists
) -> Response:
    """Give what was asked for."""
    mailbox = _mailbox(runtime, session)
    found = _request(runtime, session, asked)
    if found is None:
        return _answered_already(request, runtime, session, asked)
    named = lists.get("sequences", [])
    if form.get("do") == "find":
        return _form(request, runtime, session, Filled(form, chosen=frozenset(named)), asked=found)
    try:
        bounds = bounds_of(form, named, mailbox.zone)
        grants.accept_request(
            runtime, asked, mailbox_owner_id=session.member.id, actor=session.member.name, bounds=bounds
        )
    except REFUSED as error:
        if _request(runtime, session, asked) is None:  # answered by a second click
            return _answered_already(request, runtime, session, asked)
        filled = again(form, error, _PLACES, chosen=named)
        return _form(request, runtime, session, filled, asked=found, status=422)
    return go(request, _HERE, f"Permission given to {found.person}{_within(form)}.")


@router.post("/requests/{asked}/decline")
def decline(request: Request, runtime: Runtimed, session: SignedIn, asked: UUID, _form: OwnForm) -> Response:
    """Say no."""
    found = _request(runtime, session, asked)
    if found is None:
        return _answered_already(request, runtime, session, asked)
    try:
        grants.decline_request(runtime, asked, mailbox_owner_id=session.member.id, actor=session.member.name)
    except NotFound:  # answered by a second click
        return _answered_already(request, runtime, session, asked)
    return go(request, _HERE, f"Declined. We have notified {found.person}.")


def _mailbox(runtime: Runtime, session: Session) -> MyMailbox:
    with runtime.database.transaction() as tx:
        return own(my_settings.mailbox_of(tx, session.member.id))


def bounds_of(form: Mapping[str, str], sequences: list[str], zone: str) -> Bounds:
    """What a form says: ``until`` (a date, that day included, in the mailbox's zone), ``a_day``, sequences. Empty = no bound.

    Raises ``InvalidInput``.
    """
    until, a_day = form.get("until", "").strip(), form.get("a_day", "").strip()
    if a_day and not (a_day.isascii() and a_day.isdecimal() and len(a_day) < 9):
        raise InvalidInput(
            "That is no number.", where="emails a day", fix="Write it in figures, or leave it empty."
        )
    named = frozenset(_sequence(each) for each in sequences)
    return Bounds(end_of(until, zone) if until else None, named or None, int(a_day) if a_day else None)


def _sequence(value: str) -> UUID:
    found = id_of(value)
    if found is None:
        raise InvalidInput("One of these is no sequence", where="sequences", fix="Choose from the list.")
    return found
