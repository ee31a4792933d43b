"""The JSON API's sender addresses, of the organization and its legal entities. Members connect their own mailboxes."""

from dataclasses import asdict
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from actions import sender_addresses, smtp, withdraw
from db.mailboxes import senders
from domain.connection import MAX_PASSWORD
from domain.errors import NotFound
from web.api_call import Call, Called
from web.api_models import REFUSALS, Asked, Withdrawal, answered, verdict_json
from web.rooms import waits_for_others, withdraws

router = APIRouter(responses=REFUSALS)


class NewAddress(Asked):
    """``legal_entity_id`` null: the organization's own."""

    address: str = Field(min_length=3)
    legal_entity_id: UUID | None = None


class MailServer(Asked):
    """Your own mail server. The account is the address. We store the password encrypted and never show it."""

    host: str
    port: int = Field(ge=1, le=65535)
    encryption: Literal["starttls", "tls"]
    password: str = Field(min_length=1, max_length=MAX_PASSWORD)


class Activation(Asked):
    """``code``: the code that the first attempt emailed to the address, to check that you read that mailbox."""

    code: str = Field(default="", max_length=20)


class SenderName(Asked):
    """Whose name recipients see."""

    kind: Literal["company", "employee"]


class Addresses(BaseModel):
    """The organization's address first, then its legal entities'. ``sends_from``: what their sequences are sent from."""

    items: list[dict[str, Any]]


@router.get("/addresses", response_model=Addresses)
def list_addresses(call: Called) -> Addresses:
    """Which address the organization and each legal entity have, and send from."""
    return Addresses(items=_listed(call))


# Changes to what company sequences are sent from need the scope addresses.
_SCOPE = "addresses"


@router.post("/addresses", response_model=Addresses)
@waits_for_others
def put_address(call: Called, asked: NewAddress) -> Response:
    """Give the organization or a legal entity an address of its own. This does not connect the address, and reserves nothing.

    Its domain has to belong to your organization: by your Microsoft tenant, a TXT record or an operator. The refusal says how.
    """

    def work() -> dict[str, Any]:
        sender_addresses.put_address(
            call.runtime,
            call.caller.organization_id,
            asked.legal_entity_id,
            asked.address,
            actor=call.caller.name,
        )
        return {"items": _listed(call)}

    return call.do(work, scope=_SCOPE)


@router.post("/addresses/{mailbox}/remove", response_model=Addresses)
def remove_address(call: Called, mailbox: UUID) -> Response:
    """Remove an address that was never in use."""

    def work() -> dict[str, Any]:
        sender_addresses.remove_address(
            call.runtime, call.caller.organization_id, mailbox, actor=call.caller.name
        )
        return {"items": _listed(call)}

    return call.do(work, scope=_SCOPE)


@router.post("/addresses/{mailbox}/mail-server", response_model=dict[str, Any])
@waits_for_others
def save_mail_server(call: Called, mailbox: UUID, server: MailServer) -> Response:
    """Save a mail server for an address and test it. Nothing in use changes."""
    address = _own(call, mailbox)
    return call.do(lambda: saved_and_tested(call, mailbox, address, server), scope=_SCOPE)


def saved_and_tested(call: Call, mailbox: UUID, address: str, server: MailServer) -> dict[str, Any]:
    """Save a server for a mailbox, with its address as the account, and test it. Raises what ``smtp.save_and_test`` raises."""
    checked, verdict = smtp.save_and_test(
        call.runtime,
        mailbox,
        host=server.host,
        port=str(server.port),
        encryption=server.encryption,
        account=address,
        password=server.password,
        actor=call.caller.name,
    )
    return {**verdict_json(verdict), "warnings": list(checked.warnings)}


@router.post("/addresses/{mailbox}/activate", response_model=dict[str, Any])
@waits_for_others
def activate(call: Called, mailbox: UUID, how: Activation | None = None) -> Response:
    """Test the saved mail server and, if it works, send through it from now on. The first attempt emails a code to the address."""
    _own(call, mailbox)
    code = "" if how is None else how.code
    return call.do(
        lambda: verdict_json(smtp.activate(call.runtime, mailbox, actor=call.caller.name, code=code)),
        scope=_SCOPE,
    )


@router.post("/addresses/{mailbox}/disable", response_model=Withdrawal)
@router.post(  # its former name
    "/addresses/{mailbox}/set-aside", response_model=Withdrawal, include_in_schema=False, deprecated=True
)
@withdraws
def disable(call: Called, mailbox: UUID) -> Response:
    """Disable an address; company sequences continue with the parent's or the default address."""
    _own(call, mailbox)
    return call.do(lambda: answered(withdraw.disable_mailbox(call.runtime, mailbox, actor=call.caller.name)))


@router.post("/sender-name", response_model=dict[str, Any])
def set_sender_name(call: Called, name: SenderName) -> Response:
    """Whose name recipients see beside a sender address."""

    def work() -> dict[str, Any]:
        sender_addresses.set_sender_name(
            call.runtime, call.caller.organization_id, name.kind, actor=call.caller.name
        )
        return {"kind": name.kind}

    return call.do(work)


def _listed(call: Call) -> list[dict[str, Any]]:
    with call.runtime.database.transaction() as tx:
        return [asdict(each) for each in senders.overview(tx, call.caller.organization_id)]


def _own(call: Call, mailbox_id: UUID) -> str:
    """The address, once it is known to be one of the organization's. Raises ``NotFound``."""
    with call.runtime.database.transaction() as tx:
        for each in senders.overview(tx, call.caller.organization_id):
            if each.mailbox_id == mailbox_id and each.address is not None:
                return each.address
    raise NotFound("There is no such address of your organization.")
