"""Email settings: an organization's mailboxes and permissions. Its owners and admins can end permissions, but give none."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from actions import sender_addresses, withdraw
from db.mailboxes import domains, senders
from db.views import overviews
from db.withdrawing import impact
from domain.errors import NotFound
from web.forms import Filled
from web.pages import page
from web.protection import Administrator, Runtimed, administrator, runtime_of, transaction_of
from web.results import ended_already, see
from web.rooms import withdraws

router = APIRouter(prefix="/settings/email")

_HERE = "/settings/email"


@router.get("")
def show(request: Request) -> Response:
    """Show all mailboxes and all current permissions."""
    return show_settings(request, Filled())


def show_settings(request: Request, filled: Filled, *, status: int = 200) -> Response:
    """Return the page. ``filled``: the form for an address."""
    search = request.query_params.get("q", "")[:100].strip()
    with transaction_of(request) as (tx, _):
        organization_id = administrator(request).member.organization_id
        boxes = overviews.mailboxes(tx, organization_id, search=search)
        grants = overviews.grants(tx, organization_id, search=search)
        values: dict[str, Any] = {
            "mailboxes": boxes[: overviews.PER_PAGE],
            "grants": grants[: overviews.PER_PAGE],
            "more": len(boxes) > overviews.PER_PAGE or len(grants) > overviews.PER_PAGE,
            "addresses": senders.overview(tx, organization_id),
            "default_address": senders.default_address_of(tx, organization_id),
            "domains": domains.listing(tx, organization_id),
            "record": sender_addresses.records(runtime_of(request).web_keys, organization_id)[0],
            "sender_name": senders.sender_name_of(tx, organization_id),
            "connected_now": request.query_params.get("done") == "connected"
            and overviews.sender_address_connected_just_now(tx, organization_id),
        }
        return page(request, "email_settings.html", **values, q=search, filled=filled, status=status)


@router.get("/grants/{grant}/end")
def ask_end(request: Request, grant: UUID) -> Response:
    """Show what ending somebody else's permission would stop or, once it has ended, what that stopped."""
    with transaction_of(request) as (tx, _):
        organization_id = administrator(request).member.organization_id
        if not overviews.is_grant_of(tx, grant, organization_id):
            raise NotFound("There is no such permission in your organization.")
        standing = overviews.grants(tx, organization_id, only=grant)
        if not standing:
            return ended_already(request, tx, grant, back=_HERE)
        found = standing[0]
        return page(
            request,
            "confirm.html",
            title=f"End the permission of {found.person or 'everyone'} for {found.address}?",
            explanation=f"{found.mailbox_owner} gave it, and only {found.mailbox_owner} can give it again. We pause the sequences that have no"
            " other permission, and tell their owners and the owner of the mailbox.",
            impact=impact.of_revocation(tx, grant),
            verb="End permission",
            back=_HERE,
        )


@router.post("/grants/{grant}/end")
@withdraws
def end(runtime: Runtimed, session: Administrator, grant: UUID) -> Response:
    """End a permission; answers when no more emails can leave on it. A repeated request leads to the same result."""
    with runtime.database.transaction() as tx:
        if not overviews.is_grant_of(tx, grant, session.member.organization_id):
            raise NotFound("There is no such permission in your organization.")
    return see(withdraw.revoke_grant(runtime, grant, actor=session.member.name))
