"""Microsoft for the whole organization: an administrator connects the tenant, and members let their mailbox be used by it."""

from functools import partial

from fastapi import APIRouter, Request, Response

from actions import sign_in as visits
from actions import tenant as actions
from actions import withdraw
from actions.tenant import Answer
from db.mailboxes import tenants
from db.views import my_settings, overviews
from db.withdrawing import impact, losing
from domain.errors import NotFound, OperatorMisconfigured, ProviderError
from domain.exchange_scopes import PERMISSIONS
from domain.verification import Outcome, Verdict
from web.forms import Filled, PageForm, Typed
from web.limits import count_visit
from web.pages import form_alone, go, page, show_verdict
from web.protection import Administrator, Runtimed, SignedIn, administrator, runtime_of, transaction_of
from web.results import see
from web.return_to import freshly_signed_in
from web.rooms import asks_provider, waits_for_others, withdraws
from web.sign_in import advice, visit

router = APIRouter(prefix="/settings")

_HERE, _MINE = "/settings/email/microsoft", "/settings/sequences"

form_alone(router, "/email/microsoft/check", to=_HERE)


class CheckForm(PageForm):
    """``address``: whose mailbox is tried; empty: the admin's own."""

    address: str = ""


@router.get("/email/microsoft")
def show(request: Request) -> Response:
    """Show the connection, what it means, and how its reach is limited."""
    with transaction_of(request) as (tx, _):
        session = administrator(request)
        organization_id = session.member.organization_id
        found, trusted = tenants.of_organization(tx, organization_id), tenants.trusted(tx, organization_id)
        return page(
            request,
            "tenant.html",
            found=found,
            trusted=trusted,
            permissions=PERMISSIONS,
            commands=actions.commands(runtime_of(request)),
            filled=Filled(),
        )


@router.post("/email/microsoft/consent")
@asks_provider
def give_consent(request: Request, runtime: Runtimed, session: Administrator) -> Response:
    """Redirect to Microsoft, where an administrator consents for the whole tenant."""
    count_visit(request, session.member.id)
    return visit(request, partial(visits.begin_consent, runtime, session.member))


@router.post("/email/microsoft/connect")
@waits_for_others
def connect(request: Request, runtime: Runtimed, session: Administrator) -> Response:
    """Connect, where the consent was given at Microsoft already."""
    organization_id = session.member.organization_id
    try:
        actions.connect(runtime, organization_id, actor=session.member.name)
    except (ProviderError, OperatorMisconfigured) as error:
        return _refused(request, error, "Give the consent first, then connect again.", _HERE)
    return go(request, _HERE, "It is connected. Members can let their mailboxes be used now.")


@router.post("/email/microsoft/check")
@waits_for_others
def check(request: Request, runtime: Runtimed, session: Administrator, form: Typed[CheckForm]) -> Response:
    """Ask Microsoft what works, and show the answers."""
    answers = actions.check(
        runtime, session.member.organization_id, member_id=session.member.id, address=form.address
    )
    good = all(each.good is not False for each in answers)
    lines = [_line(each) for each in answers]
    verdict = Verdict(Outcome.VERIFIED if good else Outcome.NOT_VERIFIED, lines[0])
    return show_verdict(request, verdict, back=_HERE, warnings=lines[1:])


def _refused(request: Request, error: ProviderError | OperatorMisconfigured, fix: str, back: str) -> Response:
    """Show why nothing was connected, and what to do. Our own fault is nobody's here: ``advice`` alerts the operators."""
    code = error.code if isinstance(error, ProviderError) else ""
    text, todo = (str(error), fix) if isinstance(error, ProviderError) else (advice(error), "")
    return show_verdict(request, Verdict(Outcome.NOT_ALLOWED, text, todo, code), back=back)


def _line(answer: Answer) -> str:
    state = {True: "works", False: "does not work", None: "not known"}[answer.good]
    return " ".join(part for part in (f"{answer.what}: {state}.", answer.said, answer.fix) if part)


@router.get("/email/microsoft/disconnect")
def ask_disconnect(request: Request) -> Response:
    """Show what disconnecting would stop."""
    with transaction_of(request) as (tx, _):
        session = administrator(request)
        freshly_signed_in(request, request.url.path)
        organization_id = session.member.organization_id
        found = tenants.of_organization(tx, organization_id)
        if found is None or found.status == "disconnected":
            raise NotFound("Microsoft is not connected for the whole organization.")
        return page(
            request,
            "confirm.html",
            title="Disconnect Microsoft for the whole organization?",
            explanation=_what_ends(len(losing.in_tenant(tx, organization_id))),
            impact=impact.of_tenant(tx, organization_id),
            ends=overviews.grants_in_tenant(tx, organization_id),
            verb="Disconnect",
            back=_HERE,
        )


def _what_ends(mailboxes: int) -> str:
    """``mailboxes``: that use it, also those that Microsoft refuses now."""
    ends = (
        "We stop using one mailbox at once, pause the sequences that send from it, and tell its owner."
        if mailboxes == 1
        else f"We stop using {mailboxes:,} mailboxes at once, pause the sequences that send from them, and tell their owners."
        if mailboxes
        else "No mailbox uses it now."
    )
    return (
        f"{ends} The consent at Microsoft stays until your Microsoft 365 administrator removes it there, under Enterprise"
        " applications."
    )


@router.post("/email/microsoft/disconnect")
@withdraws
def disconnect(request: Request, runtime: Runtimed, session: Administrator) -> Response:
    """Disconnect; answers when no more emails can leave from its mailboxes."""
    freshly_signed_in(request, request.url.path)
    return see(withdraw.disconnect_tenant(runtime, session.member.organization_id, actor=session.member.name))


@router.get("/sequences/organization")
def ask_join(request: Request) -> Response:
    """Show a member what the connection may do with their mailbox, before they allow it."""
    with transaction_of(request) as (tx, session):
        found = tenants.of_organization(tx, session.member.organization_id)
        if found is None or found.status != "connected":
            raise NotFound("Microsoft is not connected for your whole organization.")
        return page(
            request, "tenant_join.html", mailbox=my_settings.mailbox_of(tx, session.member.id), found=found
        )


@router.post("/sequences/organization")
@asks_provider
def join(request: Request, runtime: Runtimed, session: SignedIn) -> Response:
    """Connect the member's own mailbox, which they allow by this."""
    try:
        actions.join(runtime, session.member.id, actor=session.member.name)
    except (ProviderError, OperatorMisconfigured) as error:
        fix = "Tell an administrator of your organization, or connect with your own sign-in instead."
        return _refused(request, error, fix, _MINE)
    return go(request, f"{_MINE}?done=connected", "")
