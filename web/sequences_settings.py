"""Sequences settings: my mailbox (connect, reconnect, remove) and who may send from it."""

import secrets
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from actions import sign_in as visits
from actions import withdraw
from actions.grants import give_grant
from db import my_settings
from domain.errors import InvalidInput, NotFound
from domain.withdrawal import Answer
from web.pages import page
from web.protection import OwnForm, Runtimed, SignedIn
from web.sign_in import callback_url, visit

router = APIRouter(prefix="/settings/sequences")

EVERYONE = "everyone"
# What the step before this page did.
_DONE = {
    "connected": "Your mailbox is connected. Sequences that were paused can be resumed by their owners.",
    "given": "The permission stands from now on.",
}


@router.get("")
def show(request: Request, runtime: Runtimed, session: SignedIn) -> Response:
    """My mailbox, permissions I gave, permissions I received."""
    me = session.member.id
    with runtime.database.transaction() as tx:
        values: dict[str, Any] = {
            "mailbox": my_settings.mailbox_of(tx, me),
            "given": my_settings.given(tx, me),
            "received": my_settings.received(tx, me),
            "colleagues": my_settings.colleagues(tx, me),
        }
    return page(
        request, "sequences_settings.html", **values, done=_DONE.get(request.query_params.get("done", ""), "")
    )


@router.post("/connect")
def connect(request: Request, runtime: Runtimed, session: SignedIn, _form: OwnForm) -> Response:
    """Off to Microsoft, to sign in to my mailbox and to allow sending from it."""
    browser = secrets.token_urlsafe(32)
    url = visits.begin_connect(runtime, session.member, browser=browser, redirect_uri=callback_url(runtime))
    return visit(request, url, browser)


@router.get("/remove")
def ask_remove(request: Request, runtime: Runtimed, session: SignedIn) -> Response:
    """What removing my mailbox would stop."""
    with runtime.database.transaction() as tx:
        mailbox = _own(my_settings.mailbox_of(tx, session.member.id))
        impact = my_settings.impact_of_removal(tx, mailbox.id)
    return page(
        request,
        "confirm.html",
        title=f"Remove {mailbox.address}?",
        explanation="Its access is deleted at once and everybody's permission to send from it ends. Sequences that use it are"
        " paused and their owners told. Nothing else is deleted, and you can connect it again.",
        impact=impact,
        action="/settings/sequences/remove",
        verb="Remove it",
    )


@router.post("/remove")
def remove(request: Request, runtime: Runtimed, session: SignedIn, _form: OwnForm) -> Response:
    """Disconnect; returns when nothing can leave any more."""
    with runtime.database.transaction() as tx:
        mailbox = _own(my_settings.mailbox_of(tx, session.member.id))
    answer = withdraw.disconnect_mailbox(runtime, mailbox.id, actor=session.member.name)
    return _withdrawn(request, f"{mailbox.address} is removed", answer)


@router.post("/grants")
def give(runtime: Runtimed, session: SignedIn, form: OwnForm) -> Response:
    """Let somebody, or everyone, send from my mailbox."""
    to = form.get("to", "")
    with runtime.database.transaction() as tx:
        mailbox = _own(my_settings.mailbox_of(tx, session.member.id))
    grantee = None if to == EVERYONE else _id(to, "Choose who may send from your mailbox.")
    give_grant(
        runtime,
        mailbox_id=mailbox.id,
        grantor_id=session.member.id,
        grantee_id=grantee,
        actor=session.member.name,
    )
    return RedirectResponse("/settings/sequences?done=given", status_code=303)


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
    )


@router.post("/grants/{grant}/revoke")
def revoke(request: Request, runtime: Runtimed, session: SignedIn, grant: UUID, _form: OwnForm) -> Response:
    """End it; returns when nothing can leave on it any more."""
    with runtime.database.transaction() as tx:
        given = my_settings.grant_of(tx, grant, session.member.id)
    answer = withdraw.revoke_grant(runtime, grant, actor=session.member.name)
    return _withdrawn(request, f"The permission of {given.person or 'everyone'} has ended", answer)


def _withdrawn(request: Request, title: str, answer: Answer) -> Response:
    return page(request, "withdrawn.html", title=title, answer=answer)


def _own(mailbox: my_settings.MyMailbox | None) -> my_settings.MyMailbox:
    if mailbox is None:
        raise NotFound("You have no mailbox here yet. Connect it first.")
    return mailbox


def _id(value: str, fix: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise InvalidInput("That is nobody.", fix=fix) from None
