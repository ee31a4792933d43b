"""Pages for a member's mailbox and for sender addresses alike: connect, test, check, disable, remove."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from actions import sender_addresses, verify, withdraw
from actions import sign_in as visits
from app.runtime import Runtime
from db.access.sessions import Session
from db.core.session import Transaction
from db.mailboxes import mailboxes, senders
from db.mailboxes.mailboxes import Mailbox
from db.views import my_settings, overviews
from db.withdrawing import impact
from domain.connection import Provider
from domain.errors import NotFound, NotPermitted
from transports.providers import PROVIDERS
from web.forms import id_of
from web.limits import count_visit
from web.pages import go, page, show_verdict
from web.protection import Runtimed, SignedIn, manages, transaction_of
from web.results import see
from web.return_to import freshly_signed_in
from web.rooms import asks_provider, waits_for_others, withdraws
from web.sign_in import visit

router = APIRouter(prefix="/settings")
_MINE, _ADDRESS, _SERVER = "/sequences", "/email/addresses/{which:uuid}", "/mail-server/{which}"


def mailbox_of(request: Request) -> Mailbox:
    """Return the sender address that the page's address names, for owners and admins; otherwise the member's mailbox.

    Raises ``SignInFirstError``, ``NotFound``, ``NotPermitted``.
    """
    which = str(request.path_params.get("which", "mine"))
    with transaction_of(request) as (tx, session):
        mailbox_id = own(tx, session).id if which == "mine" else id_of(which)
        found = None if mailbox_id is None else mailboxes.load(tx, mailbox_id)
        if found is None or (
            which != "mine" and not senders.is_sender_address(tx, found.id, session.member.organization_id)
        ):
            raise NotFound("There is no such address.")
        if which != "mine" and not manages(session):
            raise NotPermitted("Sender addresses are for your organization's owners and admins.")
        return found


def own(tx: Transaction, session: Session) -> my_settings.MyMailbox:
    """Return the member's mailbox. Raises ``NotFound``."""
    mailbox = my_settings.mailbox_of(tx, session.member.id)
    if mailbox is None:
        raise NotFound("You have no mailbox here yet. Connect it first.")
    return mailbox


def page_of(mailbox: Mailbox) -> str:
    """Return the path of the mailbox's page."""
    return (
        "/settings/sequences" if mailbox.owner_id is not None else f"/settings/email/addresses/{mailbox.id}"
    )


Chosen = Annotated[Mailbox, Depends(mailbox_of)]


@router.post(f"{_MINE}/connect")
@router.post(f"{_ADDRESS}/connect")
@asks_provider
def connect(request: Request, runtime: Runtimed, session: SignedIn) -> Response:
    """Redirect to Microsoft, to sign in with the mailbox and allow sending. A member's own may be new."""
    return _connect(request, runtime, session, Provider.GRAPH)


@router.post(f"{_MINE}/connect/google")
@router.post(f"{_ADDRESS}/connect/google")
@asks_provider
def connect_at_google(request: Request, runtime: Runtimed, session: SignedIn) -> Response:
    """The same at Google, where the operators have set it up."""
    if not runtime.settings.google_client_id:
        raise NotFound("Mailboxes at Google cannot be connected here.")
    return _connect(request, runtime, session, Provider.GMAIL)


def _connect(request: Request, runtime: Runtime, session: Session, provider: Provider) -> Response:
    mailbox_id = mailbox_of(request).id if "which" in request.path_params else None
    count_visit(request, session.member.id)
    begin = partial(visits.begin_connect, runtime, session.member, mailbox_id=mailbox_id, provider=provider)
    return visit(request, begin, PROVIDERS[provider].sign_in)


@router.post(f"{_MINE}/test")
@router.post(f"{_ADDRESS}/test")
@waits_for_others
def send_test_email(request: Request, mailbox: Chosen, runtime: Runtimed, session: SignedIn) -> Response:
    """Send an email from the mailbox to itself, and show the result."""
    verdict = verify.send_test_email(runtime, mailbox.id, actor=session.member.name)
    return show_verdict(request, verdict, back=page_of(mailbox))


@router.post(f"{_MINE}/verify")
@router.post(f"{_ADDRESS}/verify")
@waits_for_others
def verify_settings(request: Request, mailbox: Chosen, runtime: Runtimed, session: SignedIn) -> Response:
    """Ask the provider whether the mailbox can send, and show the answer."""
    verdict = verify.verify_settings(runtime, mailbox.id, actor=session.member.name)
    return show_verdict(request, verdict, back=page_of(mailbox))


@router.get(f"{_SERVER}/disable")
def ask_disable(request: Request) -> Response:
    """Show what disabling would stop."""
    with transaction_of(request) as (tx, _):
        mailbox = mailbox_of(request)
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
            impact=impact.of_disabling(tx, mailbox.id),
            verb="Disable mailbox",
            back=request.url.path.removesuffix("/disable"),
        )


@router.post(f"{_SERVER}/disable")
@withdraws
def disable(mailbox: Chosen, runtime: Runtimed, session: SignedIn) -> Response:
    """Disable the mailbox; answers when no more emails can leave from it."""
    return see(withdraw.disable_mailbox(runtime, mailbox.id, actor=session.member.name))


@router.get(f"{_MINE}/remove")
@router.get(f"{_ADDRESS}/remove")
def ask_remove(request: Request) -> Response:
    """Show what removing would stop, and which permissions would end."""
    with transaction_of(request) as (tx, _):
        freshly_signed_in(request, request.url.path)
        mailbox = mailbox_of(request)
        if mailbox.owner_id is not None:
            explanation = (
                "We delete our access at once and pause the sequences that use this mailbox. We notify their owners."
                " Nothing else is deleted, and you can connect it again."
            )
        elif mailbox.status == "never_connected":
            explanation = "This address was never in use. No sequence changes."
        else:
            explanation = (
                "We delete our access at once and pause the sequences that use this address. We notify their owners."
                " No other address takes over. To continue with the default mail service, disable the address instead."
            )
        return page(
            request,
            "confirm.html",
            title=f"Remove {mailbox.address}?",
            explanation=explanation,
            impact=impact.of_removal(tx, mailbox.id),
            ends=overviews.grants_of_mailbox(tx, mailbox.id),
            verb="Remove address" if mailbox.owner_id is None else "Remove mailbox",
            back=page_of(mailbox),
        )


@router.post(f"{_MINE}/remove")
@router.post(f"{_ADDRESS}/remove")
@withdraws
def remove(request: Request, mailbox: Chosen, runtime: Runtimed, session: SignedIn) -> Response:
    """Remove the mailbox; answers when no more emails can leave from it."""
    freshly_signed_in(request, request.url.path)
    if mailbox.owner_id is None and mailbox.status == "never_connected":
        organization_id = session.member.organization_id
        sender_addresses.remove_address(runtime, organization_id, mailbox.id, actor=session.member.name)
        return go(request, "/settings/email", f"{mailbox.address} is removed.")
    return see(withdraw.disconnect_mailbox(runtime, mailbox.id, actor=session.member.name))
