"""What was read of my mailbox: for its owner, when we read it, how much we saw, and each message that we kept, why and for whom."""

from fastapi import APIRouter, Request, Response

from db.views import readings
from web.forms import id_of
from web.pages import page
from web.protection import transaction_of

router = APIRouter(prefix="/settings/read")

_BECAUSE = {
    "message_id": "It answers an email of ours.",
    "conversation": "It is from the person, in our conversation.",
    "address": "It is from a person we wrote to.",
    "thread_stranger": "It answers an email of ours, from another address.",
}


@router.get("")
def show(request: Request) -> Response:
    """Show it, newest first, 50 at a time."""
    with transaction_of(request) as (tx, session):
        before = id_of(request.query_params.get("before", ""))
        kept = readings.kept_of(tx, session.member.id, before=before, limit=readings.PER_PAGE + 1)
        shown = kept[: readings.PER_PAGE]
        return page(
            request,
            "readings.html",
            mailboxes=readings.mailboxes_of(tx, session.member.id),
            kept=shown,
            because=_BECAUSE,
            next=shown[-1].id if len(kept) > len(shown) else None,
        )
