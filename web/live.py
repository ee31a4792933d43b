"""The numbers beside the navigation, for pages without a live part of their own. Each open page asks every two seconds."""

from fastapi import APIRouter, Request, Response

from web.pages import page
from web.protection import transaction_of

router = APIRouter(prefix="/live")


@router.get("")
def show(request: Request) -> Response:
    """Return them, or 304 if the page shows them already."""
    with transaction_of(request):
        return page(request, "live.html")
