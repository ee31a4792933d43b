"""Sent in my name: for a mailbox's owner, what others sent from it, by whom, to whom, and on which permission, with its receipt."""

from fastapi import APIRouter, Request, Response

from db.views import sent_in_name
from web.forms import id_of
from web.pages import page, zone_of
from web.protection import transaction_of

router = APIRouter(prefix="/settings/sent")


@router.get("")
def show(request: Request) -> Response:
    """Show it, newest first, 50 at a time; ``?permission=``: on one alone."""
    asked = request.query_params
    grant, before = id_of(asked.get("permission", "")), id_of(asked.get("before", ""))
    with transaction_of(request) as (tx, session):
        mine = sent_in_name.mailboxes_of(tx, session.member.id)
        found = sent_in_name.sent(tx, mine, grant_id=grant, before=before, limit=sent_in_name.PER_PAGE + 1)
        shown = found[: sent_in_name.PER_PAGE]
        return page(
            request,
            "sent_in_name.html",
            shown=shown,
            counts=sent_in_name.counts(tx, mine, zone_of(tx, session)),
            most=sent_in_name.MOST_COUNTED,
            permissions=sent_in_name.permissions(tx, mine),
            several=len(mine) > 1,
            chosen=grant,
            first=before is not None,
            next=shown[-1].delivery_id if len(found) > len(shown) else None,
        )
