"""The page for an organization's Microsoft administrator: what Onbehalf asks for, and a button to approve it. It needs no session."""

from functools import partial

from fastapi import APIRouter, Request, Response

from actions import sign_in as visits
from db.mailboxes import approvals
from web.limits import count_visit
from web.pages import page
from web.protection import Whole
from web.sign_in import visit

router = APIRouter(prefix="/approve")


@router.get("/{token}")
def show(request: Request, runtime: Whole, token: str) -> Response:
    """Show what the administrator approves."""
    with runtime.database.transaction() as tx:
        found = approvals.approver(tx, runtime.web_keys, token[:64])
    scopes = [scope.rpartition("/")[2] for scope in visits.APPROVED]
    return page(request, "approve.html", organization=found.organization, token=token, scopes=scopes)


@router.post("/{token}")
def go(request: Request, runtime: Whole, token: str) -> Response:
    """Redirect to Microsoft's approval."""
    count_visit(request)
    return visit(request, partial(visits.begin_approval, runtime, token[:64]))
