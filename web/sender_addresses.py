"""Sender addresses of the organization and its legal entities, for its owners and admins.

``web/mailbox.py`` connects and removes them.
"""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from actions import legal_entities, sender_addresses
from domain.errors import InvalidInput, NotFound, NotPermitted
from web.email_settings import show_settings
from web.forms import PageForm, Typed, again, id_of
from web.mailbox import mailbox_of
from web.pages import form_alone, go, page
from web.protection import Administrator, Runtimed, transaction_of
from web.rooms import waits_for_others

router = APIRouter(prefix="/settings/email")


class SenderNameForm(PageForm):
    """Whose name recipients see beside a sender address."""

    kind: str = ""


class AddressForm(PageForm):
    """An address for a legal entity or, if ``entity`` is empty, for the organization."""

    entity: str = ""
    address: str = ""


class EntityForm(PageForm):
    """A legal entity. ``parent``: another one's id, or empty."""

    name: str = ""
    parent: str = ""


form_alone(router, "/sender-name", "/addresses", "/entities", to="/settings/email")


@router.post("/entities")
def add_entity(
    request: Request, session: Administrator, runtime: Runtimed, form: Typed[EntityForm]
) -> Response:
    """Add a legal entity. It sends from its parent's address until it has one of its own."""
    parent = id_of(form.parent)
    if form.parent and parent is None:
        raise NotFound("There is no such legal entity.")
    member = session.member
    try:
        legal_entities.add(runtime, member.organization_id, form.name, parent, actor=member.name)
    except InvalidInput as error:
        filled = again({"entity-name": form.name, "parent": form.parent}, error, {"name": "entity-name"})
        return show_settings(request, filled, status=422)
    return go(request, "/settings/email", f"{form.name.strip()} is added. It uses its parent's address.")


@router.post("/sender-name")
def set_sender_name(
    request: Request, session: Administrator, runtime: Runtimed, form: Typed[SenderNameForm]
) -> Response:
    """Whose name recipients see beside a sender address."""
    try:
        sender_addresses.set_sender_name(
            runtime, session.member.organization_id, form.kind, actor=session.member.name
        )
    except InvalidInput as error:
        return show_settings(request, again(form.typed(), error, {"sender name": "kind"}), status=422)
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
