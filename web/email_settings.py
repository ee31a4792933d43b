"""Email settings: the organization's mailboxes and permissions, for its owners and admins. They see and end, and give nothing."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from actions import sender_addresses, withdraw
from db import companies, domains, my_settings, overviews
from web.pages import page
from web.protection import Administrator, OwnForm, Runtimed
from web.rooms import withdraws
from web.sequences_settings import withdrawn

router = APIRouter(prefix="/settings/email")

# What the step before this page did.
_DONE = {
    "connected": "The address is connected.",
    "removed": "The address is removed.",
    "sender-name": "Recipients will see that name from now on.",
}


@router.get("")
def show(request: Request, runtime: Runtimed, session: Administrator) -> Response:
    """All mailboxes and every permission that stands."""
    organization_id = session.member.organization_id
    with runtime.database.transaction() as tx:
        values: dict[str, Any] = {
            "mailboxes": overviews.mailboxes(tx, organization_id),
            "grants": overviews.grants(tx, organization_id),
            "addresses": companies.overview(tx, organization_id),
            "default_address": companies.default_address_of(tx, organization_id),
            "domains": domains.listing(tx, organization_id),
            "record": sender_addresses.records(runtime.keys, organization_id)[0],
            "sender_name": companies.sender_name_of(tx, organization_id),
        }
    done = _DONE.get(request.query_params.get("done", ""), "")
    return page(request, "email_settings.html", **values, done=done)


@router.get("/grants/{grant}/end")
def ask_end(request: Request, runtime: Runtimed, session: Administrator, grant: UUID) -> Response:
    """What ending somebody else's permission would stop."""
    with runtime.database.transaction() as tx:
        found = overviews.grant(tx, grant, session.member.organization_id)
        impact = my_settings.impact_of_revocation(tx, grant)
    return page(
        request,
        "confirm.html",
        title=f"End the permission of {found.person or 'everyone'} for {found.address}?",
        explanation=f"{found.holder} gave it, and only {found.holder} can give it again. Sequences that have no other permission"
        " are paused and their owners told.",
        impact=impact,
        action=f"/settings/email/grants/{grant}/end",
        verb="End it",
        back="/settings/email",
    )


@router.post("/grants/{grant}/end")
@withdraws
def end(request: Request, runtime: Runtimed, session: Administrator, grant: UUID, _form: OwnForm) -> Response:
    """End it; returns when nothing can leave on it any more."""
    with runtime.database.transaction() as tx:
        found = overviews.grant(tx, grant, session.member.organization_id)
    answer = withdraw.revoke_grant(runtime, grant, actor=session.member.name)
    title = f"The permission of {found.person or 'everyone'} for {found.address} has ended"
    return withdrawn(request, title, answer, back="/settings/email")
