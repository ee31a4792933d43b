"""Pages for a custom mail server of a member's mailbox or a sender address: its settings, a test, and activation."""

from functools import partial

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import SecretStr

from actions import sign_in as visits
from actions import smtp
from db.mailboxes import smtp_settings
from db.mailboxes.mailboxes import Mailbox
from domain.connection import Provider, at_google
from transports.providers import PROVIDERS
from web.forms import REFUSED, Filled, PageForm, Typed, again
from web.limits import count_visit
from web.mailbox import Chosen, mailbox_of, page_of
from web.pages import form_alone, page, show_verdict
from web.protection import Runtimed, SignedIn, transaction_of
from web.rooms import waits_for_others
from web.sign_in import visit

router = APIRouter(prefix="/settings/mail-server")


class ServerForm(PageForm):
    """A server with a password."""

    host: str = ""
    port: str = ""
    encryption: str = ""
    account: str = ""
    password: SecretStr = SecretStr("")


class MicrosoftServerForm(PageForm):
    """Microsoft's server, without a password."""

    host: str = ""
    port: str = ""


class CodeForm(PageForm):
    """The code that we emailed to a sender address."""

    code: str = ""


@router.post("")
def begin(session: SignedIn, runtime: Runtimed) -> Response:
    """List the member's mailbox, not connected, and redirect to its mail server."""
    smtp.list_own_mailbox(runtime, session.member.id)
    return RedirectResponse("/settings/mail-server/mine", status_code=303)


@router.get("/{which}")
def show(request: Request) -> Response:
    """Show the saved settings, never the password."""
    with transaction_of(request):
        return _show(request, mailbox_of(request), Filled())


def _show(request: Request, mailbox: Mailbox, filled: Filled, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, _):
        saved = smtp_settings.saved(tx, mailbox.id, Provider.SMTP)
        microsoft = smtp_settings.saved(tx, mailbox.id, Provider.MICROSOFT_SMTP)
        return page(
            request,
            "mail_server.html",
            path=_here(request),
            mailbox=mailbox,
            saved=saved,
            better_at_google=saved is not None and at_google(saved.server.host),
            microsoft=None if microsoft is None else microsoft.server,
            usual=smtp.DEFAULT_SERVER,
            sends_by=PROVIDERS[mailbox.provider].shown,
            back=page_of(mailbox),
            filled=filled,
            status=status,
        )


form_alone(router, "/{which}/activate", "/{which}/microsoft", to="/settings/mail-server/{which}")


@router.post("/{which}")
@waits_for_others
def save(
    request: Request, mailbox: Chosen, runtime: Runtimed, session: SignedIn, form: Typed[ServerForm]
) -> Response:
    """Save settings and test them. Nothing in use changes."""
    try:
        checked, verdict = smtp.save_and_test(
            runtime,
            mailbox.id,
            **form.typed(),
            password=form.password.get_secret_value(),
            actor=session.member.name,
        )
    except REFUSED as error:
        filled = again(form.typed(), error, {name: name for name in ServerForm.model_fields})
        return _show(request, mailbox, filled, status=422)
    return show_verdict(request, verdict, warnings=checked.warnings, back=_here(request))


@router.post("/{which}/activate")
@waits_for_others
def activate(
    request: Request, mailbox: Chosen, runtime: Runtimed, session: SignedIn, form: Typed[CodeForm]
) -> Response:
    """Test once more and, if that works, send through it from now on."""
    verdict = smtp.activate(runtime, mailbox.id, actor=session.member.name, code=form.code[:20])
    return show_verdict(request, verdict, back=_here(request))


@router.post("/{which}/microsoft")
@waits_for_others
def connect(
    request: Request, mailbox: Chosen, runtime: Runtimed, session: SignedIn, form: Typed[MicrosoftServerForm]
) -> Response:
    """Redirect to Microsoft, to sign in for SMTP."""
    count_visit(request, session.member.id)
    try:
        checked = smtp.check_microsoft_server(runtime, mailbox.address, **form.typed())
    except REFUSED as error:
        typed = {f"microsoft_{name}": value for name, value in form.typed().items()}
        places = {name: f"microsoft_{name}" for name in MicrosoftServerForm.model_fields}
        filled = again(typed, error, places, other="microsoft_host")
        return _show(request, mailbox, filled, status=422)
    begin_connect = partial(visits.begin_connect, runtime, session.member, mailbox_id=mailbox.id)
    return visit(request, partial(begin_connect, provider=Provider.MICROSOFT_SMTP, server=checked.server))


def _here(request: Request) -> str:
    return f"/settings/mail-server/{request.path_params['which']}"
