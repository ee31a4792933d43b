"""Sender addresses of the organization and its legal entities, for its owners and admins.

``web/mailbox.py`` connects and removes them.
"""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from actions import sender_addresses
from db.mailboxes import senders
from domain.errors import InvalidInput, NotFound, NotPermitted
from web.email_settings import show_settings
from web.forms import PageForm, Typed, again, id_of
from web.mailbox import mailbox_of
from web.pages import form_alone, go, page
from web.protection import Administrator, Runtimed, administrator, transaction_of
from web.rooms import waits_for_others

router = APIRouter(prefix="/settings/email")
_KINDS = ("company", "employee")


class SenderNameForm(PageForm):
    """Whose name recipients see beside a sender address."""

    kind: str = ""


class AddressForm(PageForm):
    """An address for a legal entity or, if ``entity`` is empty, for the organization."""

    entity: str = ""
    address: str = ""


form_alone(router, "/sender-name", "/addresses", to="/settings/email")


@router.post("/sender-name")
def set_sender_name(request: Request, form: Typed[SenderNameForm]) -> Response:
    """Whose name recipients see beside a sender address."""
    with transaction_of(request) as (tx, session):
        administrator(request)
        if form.kind not in _KINDS:
            error = InvalidInput(
                "Nothing is chosen", where="sender name", fix="Choose whose name recipients see."
            )
            return show_settings(request, again(form.typed(), error, {"sender name": "kind"}), status=422)
        senders.set_sender_name(tx, session.member.organization_id, form.kind, actor=session.member.name)
        whose = "the company's name" if form.kind == "company" else "the sequence owner's name"
        return go(request, "/settings/email", f"Saved. Recipients see {whose} from now on.")


@router.post("/addresses")
@waits_for_others
def put_address(
    request: Request, session: Administrator, runtime: Runtimed, form: Typed[AddressForm]
) -> Response:
    """Give the organization or a legal entity an address of its own."""
    entity_id = id_of(form.entity)
    if form.entity and entity_id is None:
        raise NotFound("There is no such legal entity.")
    try:
        mailbox_id = sender_addresses.put_address(
            runtime,
            session.member.organization_id,
            entity_id,
            form.address,
            actor=session.member.name,
        )
    except (InvalidInput, NotPermitted) as error:
        return show_settings(request, again(form.typed(), error, {}, other="address"), status=422)
    return RedirectResponse(f"/settings/email/addresses/{mailbox_id}", status_code=303)


@router.get("/addresses/{which:uuid}")
def show(request: Request) -> Response:
    """Show a sender address and how it sends."""
    with transaction_of(request):
        return page(request, "sender_address.html", mailbox=mailbox_of(request))
