"""Addresses of the organization and its legal entities, for its owners and admins: give one, connect it, or use the default."""

import secrets
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from actions import sender_addresses, verify, withdraw
from actions import sign_in as visits
from app.runtime import Runtime
from db.access.sessions import Session
from db.mailboxes import mailboxes, senders
from db.mailboxes.mailboxes import Mailbox
from db.withdrawing import impact
from domain.errors import InvalidInput, NotFound, NotPermitted
from web.email_settings import show_settings
from web.forms import again
from web.limits import count_visit
from web.pages import go, page, show_verdict
from web.protection import Administrator, OwnForm, Runtimed
from web.results import see
from web.return_to import freshly_signed_in
from web.rooms import asks_microsoft, waits_for_others, withdraws
from web.sign_in import callback_url, visit

router = APIRouter(prefix="/settings/email")
_KINDS = ("company", "employee")


@router.get("/sender-name")
@router.get("/addresses")
def form_was_reloaded() -> Response:
    """The address that a form was sent to, opened by itself."""
    return RedirectResponse("/settings/email", status_code=303)


@router.post("/sender-name")
def set_sender_name(request: Request, runtime: Runtimed, session: Administrator, form: OwnForm) -> Response:
    """Whose name recipients see beside a sender address."""
    kind = form.get("kind", "")
    if kind not in _KINDS:
        error = InvalidInput(
            "Nothing is chosen", where="sender name", fix="Choose whose name recipients see."
        )
        filled = again(form, error, {"sender name": "kind"})
        return show_settings(request, runtime, session, filled, status=422)
    with runtime.database.transaction() as tx:
        senders.set_sender_name(tx, session.member.organization_id, kind, actor=session.member.name)
    whose = "the company's name" if kind == "company" else "the sequence owner's name"
    return go(request, "/settings/email", f"Saved. Recipients see {whose} from now on.")


@router.post("/addresses")
@waits_for_others
def put_address(request: Request, runtime: Runtimed, session: Administrator, form: OwnForm) -> Response:
    """An address of their own for the organization (no entity) or one of its legal entities."""
    entity = form.get("entity", "")
    try:
        entity_id = UUID(entity) if entity else None
    except ValueError:
        raise NotFound("There is no such legal entity.") from None
    try:
        mailbox_id = sender_addresses.put_address(
            runtime,
            session.member.organization_id,
            entity_id,
            form.get("address", ""),
            actor=session.member.name,
        )
    except (InvalidInput, NotPermitted) as error:
        filled = again(form, error, {}, other="address")
        return show_settings(request, runtime, session, filled, status=422)
    return RedirectResponse(f"/settings/email/addresses/{mailbox_id}", status_code=303)


@router.get("/addresses/{mailbox}")
def show(request: Request, runtime: Runtimed, session: Administrator, mailbox: UUID) -> Response:
    """One of them, and how it sends."""
    return page(request, "sender_address.html", mailbox=_own(runtime, session, mailbox))


@router.post("/addresses/{mailbox}/connect")
@asks_microsoft
def connect(
    request: Request, runtime: Runtimed, session: Administrator, mailbox: UUID, _form: OwnForm
) -> Response:
    """Off to Microsoft, to sign in with the address itself."""
    _own(runtime, session, mailbox)
    count_visit(request, session.member.id)
    browser = secrets.token_urlsafe(32)
    url = visits.begin_connect(
        runtime,
        session.member,
        browser=browser,
        redirect_uri=callback_url(runtime),
        mailbox_id=mailbox,
    )
    return visit(request, url, browser)


@router.post("/addresses/{mailbox}/test")
@waits_for_others
def send_test_email(
    request: Request, runtime: Runtimed, session: Administrator, mailbox: UUID, _form: OwnForm
) -> Response:
    """An email from the address to itself."""
    _own(runtime, session, mailbox)
    verdict = verify.send_test_email(runtime, mailbox, actor=session.member.name)
    return show_verdict(request, verdict, back=f"/settings/email/addresses/{mailbox}")


@router.post("/addresses/{mailbox}/verify")
@waits_for_others
def verify_settings(
    request: Request, runtime: Runtimed, session: Administrator, mailbox: UUID, _form: OwnForm
) -> Response:
    """What its provider says of it."""
    _own(runtime, session, mailbox)
    verdict = verify.verify_settings(runtime, mailbox, actor=session.member.name)
    return show_verdict(request, verdict, back=f"/settings/email/addresses/{mailbox}")


@router.get("/addresses/{mailbox}/remove")
def ask_remove(request: Request, runtime: Runtimed, session: Administrator, mailbox: UUID) -> Response:
    """What removing it would stop."""
    freshly_signed_in(request, f"/settings/email/addresses/{mailbox}/remove")
    found = _own(runtime, session, mailbox)
    with runtime.database.transaction() as tx:
        stops = impact.of_removal(tx, mailbox)
    unused = "It was never in use: nothing is sent from it, and no sequence changes."
    return page(
        request,
        "confirm.html",
        title=f"Remove {found.address}?",
        explanation=unused
        if found.status == "never_connected"
        else "We delete our access at once and pause the sequences that use this address. We notify their owners."
        " Nothing is sent from another address instead: to go on with the default mail service, disable the address"
        " and do not remove it.",
        impact=stops,
        ends=[],
        action=f"/settings/email/addresses/{mailbox}/remove",
        verb="Remove address",
        back=f"/settings/email/addresses/{mailbox}",
    )


@router.post("/addresses/{mailbox}/remove")
@withdraws
def remove(
    request: Request, runtime: Runtimed, session: Administrator, mailbox: UUID, _form: OwnForm
) -> Response:
    """Disconnect; returns when nothing can leave any more."""
    freshly_signed_in(request, f"/settings/email/addresses/{mailbox}/remove")
    found = _own(runtime, session, mailbox)
    if found.status == "never_connected":
        sender_addresses.remove_address(
            runtime, session.member.organization_id, mailbox, actor=session.member.name
        )
        return go(request, "/settings/email", f"{found.address} is removed.")
    return see(withdraw.disconnect_mailbox(runtime, mailbox, actor=session.member.name))


def _own(runtime: Runtime, session: Session, mailbox_id: UUID) -> Mailbox:
    with runtime.database.transaction() as tx:
        known = senders.is_sender_address(tx, mailbox_id, session.member.organization_id)
        found = mailboxes.load(tx, mailbox_id) if known else None
    if found is None:
        raise NotFound("There is no such address.")
    return found
