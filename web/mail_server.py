"""A mail server of one's own: its settings, a test, putting it into use and out of it. For a person's mailbox and a sender address."""

import secrets
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from actions import sign_in as visits
from actions import smtp, withdraw
from app.runtime import Runtime
from db.access.sessions import Session
from db.mailboxes import mailboxes, senders, smtp_settings
from db.mailboxes.mailboxes import Mailbox
from db.views import my_settings
from db.withdrawing import impact
from domain.connection import Provider
from domain.errors import NotFound, NotPermitted
from transports.providers import PROVIDERS
from web.forms import REFUSED, Filled, again
from web.limits import count_visit
from web.pages import page, show_verdict
from web.protection import OwnForm, Runtimed, SignedIn, manages
from web.results import see
from web.rooms import waits_for_others, withdraws
from web.sequences_settings import own
from web.sign_in import callback_url, visit

router = APIRouter(prefix="/settings/mail-server")

_FIELDS = {name: name for name in ("host", "port", "encryption", "account", "password")}
_MICROSOFT_FIELDS = {"host": "microsoft_host", "port": "microsoft_port"}


@router.post("")
def begin(runtime: Runtimed, session: SignedIn, _form: OwnForm) -> Response:
    """To my own mailbox's mail server; the mailbox is listed from now on, not connected."""
    with runtime.database.transaction() as tx:
        my_settings.make_mailbox(tx, session.member.id)
    return RedirectResponse("/settings/mail-server/mine", status_code=303)


@router.get("/{which}")
def show(request: Request, runtime: Runtimed, session: SignedIn, which: str) -> Response:
    """The settings that are kept, never the password."""
    return _show(request, runtime, _mailbox(runtime, session, which), which, Filled())


def _show(
    request: Request, runtime: Runtime, mailbox: Mailbox, which: str, filled: Filled, *, status: int = 200
) -> Response:
    with runtime.database.transaction() as tx:
        saved = smtp_settings.saved(tx, mailbox.id, Provider.SMTP)
        microsoft = smtp_settings.saved(tx, mailbox.id, Provider.MICROSOFT_SMTP)
    return page(
        request,
        "mail_server.html",
        which=which,
        mailbox=mailbox,
        saved=saved,
        microsoft=None if microsoft is None else microsoft.server,
        usual=smtp.DEFAULT_SERVER,
        sends_by=PROVIDERS[mailbox.provider].shown,
        back=_back(mailbox),
        filled=filled,
        status=status,
    )


@router.get("/{which}/activate")
@router.get("/{which}/microsoft")
def form_was_reloaded(which: str) -> Response:
    """The address that a form was sent to, opened by itself."""
    return RedirectResponse(_here(which), status_code=303)


@router.post("/{which}")
@waits_for_others
def save(request: Request, runtime: Runtimed, session: SignedIn, which: str, form: OwnForm) -> Response:
    """Save settings and try them. Nothing that is in use changes."""
    mailbox = _mailbox(runtime, session, which)
    try:
        checked, verdict = smtp.save_and_test(
            runtime,
            mailbox.id,
            host=form.get("host", ""),
            port=form.get("port", ""),
            encryption=form.get("encryption", ""),
            account=form.get("account", ""),
            password=form.get("password", ""),
            actor=session.member.name,
        )
    except REFUSED as error:
        filled = again(form, error, _FIELDS)
        return _show(request, runtime, mailbox, which, filled, status=422)
    return show_verdict(request, verdict, warnings=checked.warnings, back=_here(which))


@router.post("/{which}/activate")
@waits_for_others
def activate(request: Request, runtime: Runtimed, session: SignedIn, which: str, form: OwnForm) -> Response:
    """Test once more and, if it works, send by it."""
    mailbox = _mailbox(runtime, session, which)
    verdict = smtp.activate(runtime, mailbox.id, actor=session.member.name, code=form.get("code", "")[:20])
    return show_verdict(request, verdict, back=_here(which))


@router.post("/{which}/microsoft")
@waits_for_others
def connect(request: Request, runtime: Runtimed, session: SignedIn, which: str, form: OwnForm) -> Response:
    """Off to Microsoft, to sign in for SMTP."""
    mailbox = _mailbox(runtime, session, which)
    count_visit(request, session.member.id)
    try:
        checked = smtp.check_microsoft_server(
            runtime, mailbox.address, host=form.get("host", ""), port=form.get("port", "")
        )
    except REFUSED as error:
        typed = {_MICROSOFT_FIELDS[name]: form.get(name, "") for name in _MICROSOFT_FIELDS}
        filled = again(typed, error, _MICROSOFT_FIELDS, other="microsoft_host")
        return _show(request, runtime, mailbox, which, filled, status=422)
    browser = secrets.token_urlsafe(32)
    url = visits.begin_connect(
        runtime,
        session.member,
        browser=browser,
        redirect_uri=callback_url(runtime),
        mailbox_id=mailbox.id,
        server=checked.server,
    )
    return visit(request, url, browser)


@router.get("/{which}/set-aside")
def ask_disable(request: Request, runtime: Runtimed, session: SignedIn, which: str) -> Response:
    """What taking the connection out of use would stop."""
    mailbox = _mailbox(runtime, session, which)
    with runtime.database.transaction() as tx:
        stops = impact.of_disabling(tx, mailbox.id)
    company = mailbox.owner_id is None
    return page(
        request,
        "confirm.html",
        title=f"Use the default mail service instead of {mailbox.address}?"
        if company
        else f"Disable {mailbox.address}?",
        explanation=(
            "Company sequences continue with the parent's address, or with the default address if there is none."
            if company
            else "We pause the sequences that use this mailbox and notify their owners."
        )
        + " We keep settings and permissions: you can activate the mailbox again.",
        impact=stops,
        ends=[],
        action=f"{_here(which)}/set-aside",
        verb="Disable mailbox",
        back=_here(which),
    )


@router.post("/{which}/set-aside")
@withdraws
def disabled(runtime: Runtimed, session: SignedIn, which: str, _form: OwnForm) -> Response:
    """Out of use; returns when nothing can leave by it any more."""
    mailbox = _mailbox(runtime, session, which)
    return see(withdraw.disable_mailbox(runtime, mailbox.id, actor=session.member.name))


def _mailbox(runtime: Runtime, session: Session, which: str) -> Mailbox:
    """``mine``, or the id of a sender address for those who manage it. Raises ``NotFound``, ``NotPermitted``."""
    with runtime.database.transaction() as tx:
        if which == "mine":
            mailbox_id = own(my_settings.mailbox_of(tx, session.member.id)).id
        else:
            mailbox_id = _known_id(which)
            if not senders.is_sender_address(tx, mailbox_id, session.member.organization_id):
                raise NotFound("There is no such address.")
            if not manages(session):
                raise NotPermitted("Sender addresses are for your organization's owners and admins.")
        found = mailboxes.load(tx, mailbox_id)
    if found is None:
        raise NotFound("There is no such address.")
    return found


def _known_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such address.") from None


def _here(which: str) -> str:
    return f"/settings/mail-server/{which}"


def _back(mailbox: Mailbox) -> str:
    return (
        "/settings/sequences" if mailbox.owner_id is not None else f"/settings/email/addresses/{mailbox.id}"
    )
