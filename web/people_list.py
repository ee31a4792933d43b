"""The page People: everybody whom the member may see, where each of them stands, and the start of an import."""

from fastapi import APIRouter, Request, Response

from db.views import people
from web.forms import id_of
from web.messages import viewer_of
from web.pages import page
from web.protection import manages, transaction_of

router = APIRouter(prefix="/people")


@router.get("")
def show(request: Request) -> Response:
    """Show people, the newest first: the member's own or, for owners and admins, everybody."""
    asked = request.query_params
    state, words = asked.get("state", ""), asked.get("q", "")[:100].strip()
    state = state if state in people.STATES else ""
    with transaction_of(request) as (tx, session):
        whole = manages(session) and asked.get("whose") == "all"
        viewer = viewer_of(session, everything=whole)
        found = people.page(tx, viewer, state=state, words=words, before=id_of(asked.get("before", "")))
        return page(
            request,
            "people.html",
            people=found.listed,
            before=found.before,
            more=found.more,
            state=state,
            words=words,
            whole=whole,
        )
