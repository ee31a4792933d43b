"""Sequences settings: my mailbox (connect, reconnect, remove). Who may send from it is in ``web/grants.py``."""

import secrets
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from actions import sign_in as visits
from actions import verify, withdraw
from db import approvals, grant_requests, my_settings
from domain.errors import NotFound
from domain.withdrawal import Answer
from web.limits import count_visit
from web.pages import page
from web.protection import OwnForm, Runtimed, SignedIn
from web.return_to import freshly_signed_in
from web.rooms import asks_microsoft, waits_for_others, withdraws
from web.sign_in import callback_url, visit

router = APIRouter(prefix="/settings/sequences")

# What the step before this page did.
_DONE = {
    "connected": "Your mailbox is connected. Sequences that were paused can be resumed by their owners.",
    "given": "The permission stands from now on.",
    "confirmed": "You have confirmed the permission. You can end it at any time.",
    "asked": "You have asked. When they answer, you will hear of it here.",
    "declined": "You have declined. They will hear of it.",
}


@router.get("")
def show(request: Request, runtime: Runtimed, session: SignedIn) -> Response:
    """My mailbox, permissions I gave, permissions I received."""
    me = session.member.id
    with runtime.database.transaction() as tx:
        approvals.look_again(tx, me)
        values: dict[str, Any] = {
            "mailbox": my_settings.mailbox_of(tx, me),
            "given": my_settings.given(tx, me),
            "received": my_settings.received(tx, me),
            "colleagues": my_settings.colleagues(tx, me),
            "approval": approvals.waiting(tx, runtime.keys, me),
            "watched": approvals.is_watched(tx, me),
            "public_url": runtime.settings.public_url,
            "requests": grant_requests.for_owner(tx, me),
            "asked_for": grant_requests.by_requester(tx, me),
        }
    return page(
        request, "sequences_settings.html", **values, done=_DONE.get(request.query_params.get("done", ""), "")
    )


@router.post("/connect")
@asks_microsoft
def connect(request: Request, runtime: Runtimed, session: SignedIn, _form: OwnForm) -> Response:
    """Off to Microsoft, to sign in to my mailbox and to allow sending from it."""
    count_visit(request, session.member.id)
    browser = secrets.token_urlsafe(32)
    url = visits.begin_connect(runtime, session.member, browser=browser, redirect_uri=callback_url(runtime))
    return visit(request, url, browser)


@router.post("/approval")
def wait(runtime: Runtimed, session: SignedIn, _form: OwnForm) -> Response:
    """I asked for an approval on Microsoft's own page, which does not lead back to us."""
    visits.wait_for_approval(runtime, session.member)
    return RedirectResponse("/settings/sequences", status_code=303)


@router.post("/test")
@waits_for_others
def send_test_email(request: Request, runtime: Runtimed, session: SignedIn, _form: OwnForm) -> Response:
    """An email from my mailbox to myself, and what came of it."""
    with runtime.database.transaction() as tx:
        mailbox = own(my_settings.mailbox_of(tx, session.member.id))
    verdict = verify.send_test_email(runtime, mailbox.id, actor=session.member.name)
    return page(request, "verdict.html", verdict=verdict)


@router.post("/verify")
@waits_for_others
def verify_settings(request: Request, runtime: Runtimed, session: SignedIn, _form: OwnForm) -> Response:
    """What Microsoft says of my mailbox."""
    with runtime.database.transaction() as tx:
        mailbox = own(my_settings.mailbox_of(tx, session.member.id))
    return page(
        request,
        "verdict.html",
        verdict=verify.verify_settings(runtime, mailbox.id, actor=session.member.name),
    )


@router.get("/remove")
def ask_remove(request: Request, runtime: Runtimed, session: SignedIn) -> Response:
    """What removing my mailbox would stop."""
    freshly_signed_in(request, "/settings/sequences/remove")
    with runtime.database.transaction() as tx:
        mailbox = own(my_settings.mailbox_of(tx, session.member.id))
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
        back="/settings/sequences",
    )


@router.post("/remove")
@withdraws
def remove(request: Request, runtime: Runtimed, session: SignedIn, _form: OwnForm) -> Response:
    """Disconnect; returns when nothing can leave any more."""
    freshly_signed_in(request, "/settings/sequences/remove")
    with runtime.database.transaction() as tx:
        mailbox = own(my_settings.mailbox_of(tx, session.member.id))
    answer = withdraw.disconnect_mailbox(runtime, mailbox.id, actor=session.member.name)
    return withdrawn(request, f"{mailbox.address} is removed", answer)


def withdrawn(request: Request, title: str, answer: Answer, *, back: str = "/settings/sequences") -> Response:
    """What a withdrawal answered."""
    return page(request, "withdrawn.html", title=title, answer=answer, back=back)


def own(mailbox: my_settings.MyMailbox | None) -> my_settings.MyMailbox:
    """The mailbox that there has to be. Raises ``NotFound``."""
    if mailbox is None:
        raise NotFound("You have no mailbox here yet. Connect it first.")
    return mailbox
