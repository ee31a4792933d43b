"""Permissions to send from a mailbox, on pages: give one within bounds, ask for one, answer who asks, end one."""

from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from actions import grants, withdraw
from db import grant_requests, my_settings
from domain.errors import InvalidInput, NotFound
from domain.grant import Bounds, end_of
from web.pages import page
from web.protection import FormLists, OwnForm, Runtimed, SignedIn
from web.return_to import freshly_signed_in
from web.rooms import withdraws
from web.sequences_settings import own, withdrawn

router = APIRouter(prefix="/settings/sequences")

EVERYONE = "everyone"


@router.get("/grants/new")
def choose(request: Request, runtime: Runtimed, session: SignedIn) -> Response:
    """The form for a new permission, with its bounds."""
    me = session.member.id
    with runtime.database.transaction() as tx:
        mailbox = own(my_settings.mailbox_of(tx, me))
        colleagues = my_settings.colleagues(tx, me)
        sequences = my_settings.sequences_of_others(tx, mailbox.id)
    return page(
        request, "give_grant.html", mailbox=mailbox, colleagues=colleagues, sequences=sequences, asked=None
    )


@router.post("/grants")
def give(request: Request, runtime: Runtimed, session: SignedIn, form: OwnForm, lists: FormLists) -> Response:
    """Let somebody, or everyone, send from my mailbox."""
    to = form.get("to", "")
    if to == EVERYONE:
        freshly_signed_in(request, "/settings/sequences/grants/new")
    with runtime.database.transaction() as tx:
        mailbox = own(my_settings.mailbox_of(tx, session.member.id))
    grants.give_grant(
        runtime,
        mailbox_id=mailbox.id,
        grantor_id=session.member.id,
        grantee_id=None if to == EVERYONE else _id(to, "Choose who may send from your mailbox."),
        actor=session.member.name,
        bounds=bounds_of(form, lists.get("sequences", []), mailbox.zone),
    )
    return RedirectResponse("/settings/sequences?done=given", status_code=303)


@router.post("/grants/{grant}/confirm")
def confirm(runtime: Runtimed, session: SignedIn, grant: UUID, _form: OwnForm) -> Response:
    """What somebody gave in my name is right."""
    grants.confirm_grant(runtime, grant, grantor_id=session.member.id, actor=session.member.name)
    return RedirectResponse("/settings/sequences?done=confirmed", status_code=303)


@router.get("/grants/{grant}/revoke")
def ask_revoke(request: Request, runtime: Runtimed, session: SignedIn, grant: UUID) -> Response:
    """What ending a permission would stop."""
    with runtime.database.transaction() as tx:
        given = my_settings.grant_of(tx, grant, session.member.id)
        impact = my_settings.impact_of_revocation(tx, grant)
    return page(
        request,
        "confirm.html",
        title=f"End the permission of {given.person or 'everyone'}?",
        explanation="From that moment nothing leaves your mailbox on it. Sequences that have no other permission are paused and"
        " their owners told.",
        impact=impact,
        action=f"/settings/sequences/grants/{grant}/revoke",
        verb="End it",
        back="/settings/sequences",
    )


@router.post("/grants/{grant}/revoke")
@withdraws
def revoke(request: Request, runtime: Runtimed, session: SignedIn, grant: UUID, _form: OwnForm) -> Response:
    """End it; returns when nothing can leave on it any more."""
    with runtime.database.transaction() as tx:
        given = my_settings.grant_of(tx, grant, session.member.id)
    answer = withdraw.revoke_grant(runtime, grant, actor=session.member.name)
    return withdrawn(request, f"The permission of {given.person or 'everyone'} has ended", answer)


@router.post("/requests")
def ask(runtime: Runtimed, session: SignedIn, form: OwnForm) -> Response:
    """Ask the owner of another mailbox."""
    grants.ask_for_grant(
        runtime,
        mailbox=form.get("mailbox", ""),
        requester_id=session.member.id,
        words=form.get("words", ""),
        actor=session.member.name,
    )
    return RedirectResponse("/settings/sequences?done=asked", status_code=303)


@router.get("/requests/{asked}")
def consider(request: Request, runtime: Runtimed, session: SignedIn, asked: UUID) -> Response:
    """Somebody asks for my mailbox: the form to accept within bounds, or to decline."""
    me = session.member.id
    with runtime.database.transaction() as tx:
        mailbox = own(my_settings.mailbox_of(tx, me))
        found = next((each for each in grant_requests.for_owner(tx, me) if each.id == asked), None)
        sequences = my_settings.sequences_of_others(tx, mailbox.id)
    if found is None:
        raise NotFound("There is no such request for your mailbox any more.")
    return page(request, "give_grant.html", mailbox=mailbox, colleagues=[], sequences=sequences, asked=found)


@router.post("/requests/{asked}/accept")
def accept(runtime: Runtimed, session: SignedIn, asked: UUID, form: OwnForm, lists: FormLists) -> Response:
    """Give what was asked for."""
    with runtime.database.transaction() as tx:
        mailbox = own(my_settings.mailbox_of(tx, session.member.id))
    bounds = bounds_of(form, lists.get("sequences", []), mailbox.zone)
    grants.accept_request(
        runtime, asked, grantor_id=session.member.id, actor=session.member.name, bounds=bounds
    )
    return RedirectResponse("/settings/sequences?done=given", status_code=303)


@router.post("/requests/{asked}/decline")
def decline(runtime: Runtimed, session: SignedIn, asked: UUID, _form: OwnForm) -> Response:
    """Say no."""
    grants.decline_request(runtime, asked, grantor_id=session.member.id, actor=session.member.name)
    return RedirectResponse("/settings/sequences?done=declined", status_code=303)


def bounds_of(form: Mapping[str, str], sequences: list[str], zone: str) -> Bounds:
    """What a form says: ``until`` (a date, that day included, in the mailbox's zone), ``a_day``, sequences. Empty = no bound.

    Raises ``InvalidInput``.
    """
    until, a_day = form.get("until", "").strip(), form.get("a_day", "").strip()
    if a_day and not (a_day.isascii() and a_day.isdecimal() and len(a_day) < 9):
        raise InvalidInput(
            "That is no number.", where="emails a day", fix="Write it in figures, or leave it empty."
        )
    named = frozenset(_id(each, "Choose from the list.") for each in sequences)
    return Bounds(end_of(until, zone) if until else None, named or None, int(a_day) if a_day else None)


def _id(value: str, fix: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise InvalidInput("That is nobody.", fix=fix) from None
