"""Mailbox and permissions: my mailbox (connect, test, remove). Who may send from it is in ``web/grants.py``."""

import secrets
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from actions import sign_in as visits
from actions import verify, withdraw
from app.runtime import Runtime
from db.access import grant_requests
from db.access.sessions import Session
from db.mailboxes import approvals
from db.views import my_settings, overviews
from db.withdrawing import impact
from domain.errors import NotFound
from web.forms import Filled
from web.limits import count_visit
from web.pages import page, show_verdict
from web.protection import OwnForm, Runtimed, SignedIn
from web.results import see
from web.return_to import freshly_signed_in
from web.rooms import asks_microsoft, waits_for_others, withdraws
from web.sign_in import callback_url, visit

router = APIRouter(prefix="/settings/sequences")

_HERE = "/settings/sequences"
_JUST_NOW = timedelta(minutes=2)


@router.get("")
def show(request: Request, runtime: Runtimed, session: SignedIn) -> Response:
    """My mailbox, permissions I gave, permissions I received. ``?ask=``: the address that a notice suggests to ask for."""
    asked = request.query_params.get("ask", "")[:320]
    return show_settings(request, runtime, session, Filled({"mailbox": asked} if asked else {}))


def show_settings(
    request: Request, runtime: Runtime, session: Session, asking: Filled, *, status: int = 200
) -> Response:
    """The page, with the form for asking as it was filled in."""
    me = session.member.id
    with runtime.database.transaction() as tx:
        approvals.check_soon(tx, me)
        values: dict[str, Any] = {
            "mailbox": my_settings.mailbox_of(tx, me),
            "given": my_settings.given(tx, me),
            "ended": my_settings.ended_with_mailbox(tx, me),
            "received": my_settings.received(tx, me),
            "approval": approvals.waiting(tx, runtime.web_keys, me),
            "watched": approvals.is_watched(tx, me),
            "public_url": runtime.settings.public_url,
            "requests": grant_requests.for_owner(tx, me),
            "asked_for": grant_requests.by_requester(tx, me),
        }
        around = my_settings.around(tx, me)
    mailbox = values["mailbox"]
    fresh = (
        request.query_params.get("done") == "connected"
        and mailbox is not None
        and mailbox.status == "connected"
        and mailbox.connected_at is not None
        and around.now - mailbox.connected_at < _JUST_NOW
    )
    return page(
        request, "sequences_settings.html", **values, connected_now=fresh, asking=asking, status=status
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
    return show_verdict(request, verdict, back=_HERE)


@router.post("/verify")
@waits_for_others
def verify_settings(request: Request, runtime: Runtimed, session: SignedIn, _form: OwnForm) -> Response:
    """What Microsoft says of my mailbox."""
    with runtime.database.transaction() as tx:
        mailbox = own(my_settings.mailbox_of(tx, session.member.id))
    verdict = verify.verify_settings(runtime, mailbox.id, actor=session.member.name)
    return show_verdict(request, verdict, back=_HERE)


@router.get("/remove")
def ask_remove(request: Request, runtime: Runtimed, session: SignedIn) -> Response:
    """What removing my mailbox would stop, and whose permissions end with it."""
    freshly_signed_in(request, "/settings/sequences/remove")
    with runtime.database.transaction() as tx:
        mailbox = own(my_settings.mailbox_of(tx, session.member.id))
        stops = impact.of_removal(tx, mailbox.id)
        ends = overviews.grants_of_mailbox(tx, mailbox.id)
    return page(
        request,
        "confirm.html",
        title=f"Remove {mailbox.address}?",
        explanation="We delete our access at once and pause the sequences that use this mailbox. We notify their owners."
        " Nothing else is deleted, and you can connect it again.",
        impact=stops,
        ends=ends,
        action=f"{_HERE}/remove",
        verb="Remove mailbox",
        back=_HERE,
    )


@router.post("/remove")
@withdraws
def remove(request: Request, runtime: Runtimed, session: SignedIn, _form: OwnForm) -> Response:
    """Disconnect; returns when nothing can leave any more."""
    freshly_signed_in(request, "/settings/sequences/remove")
    with runtime.database.transaction() as tx:
        mailbox = own(my_settings.mailbox_of(tx, session.member.id))
    return see(withdraw.disconnect_mailbox(runtime, mailbox.id, actor=session.member.name))


def own(mailbox: my_settings.MyMailbox | None) -> my_settings.MyMailbox:
    """The mailbox that there has to be. Raises ``NotFound``."""
    if mailbox is None:
        raise NotFound("You have no mailbox here yet. Connect it first.")
    return mailbox
