"""The JSON API's mail servers of members' own mailboxes, and what else connects them. Sender addresses: ``web/api_addresses.py``."""

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from actions import smtp, withdraw
from db.mailboxes import mailboxes
from domain.errors import NotFound
from web import api_tenant
from web.api_addresses import MailServer, saved_and_tested
from web.api_call import Call, Called
from web.api_models import REFUSALS, Withdrawal, answered, verdict_json
from web.rooms import waits_for_others, withdraws

router = APIRouter(responses=REFUSALS)
router.include_router(api_tenant.router)
_HERE = "/mailboxes/{mailbox}"


class Listed(BaseModel):
    """The member's own mailbox."""

    id: UUID


@router.post("/members/{member}/mailbox", response_model=Listed, status_code=201)
def list_own_mailbox(call: Called, member: UUID) -> Response:
    """List a member's own mailbox, with their address, so that it can get a mail server. It is not connected by that."""
    call.own("members", member)
    return call.do(lambda: {"id": smtp.list_own_mailbox(call.runtime, member)}, 201)


@router.post(f"{_HERE}/mail-server", response_model=dict[str, object])
@waits_for_others
def save_members_mail_server(call: Called, mailbox: UUID, server: MailServer) -> Response:
    """Save a mail server for a member's mailbox and test it. Nothing in use changes."""
    address = _own(call, mailbox)
    return call.do(lambda: saved_and_tested(call, mailbox, address, server))


@router.post(f"{_HERE}/activate", response_model=dict[str, object])
@waits_for_others
def activate_mailbox(call: Called, mailbox: UUID) -> Response:
    """Test the saved mail server of a member's mailbox and, if it works, send through it from now on."""
    _own(call, mailbox)
    return call.do(lambda: verdict_json(smtp.activate(call.runtime, mailbox, actor=call.caller.name)))


@router.post(f"{_HERE}/disable", response_model=Withdrawal)
@withdraws
def disable_mailbox(call: Called, mailbox: UUID) -> Response:
    """Take a member's mailbox out of use; answers when no more emails can leave from it. Permissions stay."""
    _own(call, mailbox)
    return call.do(lambda: answered(withdraw.disable_mailbox(call.runtime, mailbox, actor=call.caller.name)))


def _own(call: Call, mailbox_id: UUID) -> str:
    """Return the address of a member's mailbox. Raises ``NotFound``, also for a sender address: those need another scope."""
    with call.runtime.database.transaction() as tx:
        found = mailboxes.load(tx, mailbox_id)
    if found is None or found.organization_id != call.caller.organization_id or found.owner_id is None:
        raise NotFound("None of your members' mailboxes has this id.")
    return found.address
