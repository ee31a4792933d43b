"""Search for people and sequences from everywhere. The same page gives suggestions while somebody types (docs/pages.md)."""

from fastapi import APIRouter, Request, Response

from db.views import search
from web.messages import viewer_of
from web.pages import page
from web.protection import transaction_of

router = APIRouter(prefix="/search")

_SUGGESTED = 5  # of each kind
_STATES = {
    "active": ("Running", "ok"),
    "paused": ("Paused", "bad"),
    "draft": ("Draft", ""),
    "archived": ("Archived", ""),
}


@router.get("")
def show(request: Request) -> Response:
    """Show what fits ``?q=``, and only whom the member may see."""
    words = request.query_params.get("q", "")[:100].strip()
    suggests = request.headers.get("hx-target") == "found"
    most = _SUGGESTED if suggests else search.SHOWN
    with transaction_of(request) as (tx, session):
        viewer = viewer_of(session)
        people = search.people(tx, viewer, words, most=most + 1) if words else []
        sequences = search.sequences(tx, viewer, words, most=most + 1) if words else []
        return page(
            request,
            "search.html",
            words=words,
            people=people[:most],
            sequences=sequences[:most],
            more=len(people) > most or len(sequences) > most,
            suggests=suggests,
            states=_STATES,
        )
