"""Result pages: what a withdrawal stopped, and how a test ended. Both can be opened again."""

from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from db.access import page_results
from db.core.session import Transaction
from db.withdrawing import withdrawal_results
from domain.errors import NotFound
from domain.withdrawal import Action, WithdrawalResult
from web.pages import go, page
from web.protection import manages, transaction_of

router = APIRouter()

_AGAIN = 5  # seconds until a page that waits for something asks again
_WORKS_FOR = timedelta(minutes=2)  # a withdrawal without an answer after that has lost its process
_BACK = {
    Action.END_GRANT: "/settings/sequences",
    Action.REMOVE_MAILBOX: "/settings/sequences",
    Action.DISABLE_MAILBOX: "/settings/sequences",
    Action.DISCONNECT_TENANT: "/settings/email/microsoft",
    Action.HOLD_MAILBOX: "/settings/holds",
    Action.HOLD_ORGANIZATION: "/settings/holds",
}


def see(answer: WithdrawalResult) -> Response:
    """Redirect to a withdrawal's result."""
    return RedirectResponse(f"/withdrawals/{answer.withdrawal_id}", status_code=303)


def ended_already(request: Request, tx: Transaction, grant: UUID, *, back: str) -> Response:
    """Redirect to what ending a permission stopped, or to ``back`` if that is not known."""
    withdrawal = withdrawal_results.of_grant(tx, grant)
    if withdrawal is None:
        return go(request, back, "This permission has ended already.")
    return RedirectResponse(f"/withdrawals/{withdrawal}", status_code=303)


@router.get("/withdrawals/{withdrawal}")
def show(request: Request, withdrawal: UUID) -> Response:
    """Show what was stopped, what had left and what was in doubt, to those whom it concerns."""
    with transaction_of(request) as (tx, session):
        member = session.member
        found = withdrawal_results.load(tx, withdrawal, member.organization_id)
        if member.id not in found.concerned and not manages(session):
            raise NotFound("There is no such result.")
        response = page(
            request,
            "withdrawn.html",
            found=found,
            back=_BACK.get(found.action, "/sequences"),
            works_for=_WORKS_FOR,
            mine=[each for each in found.touched if each["owner_id"] == str(member.id)],
        )
    if found.answered_at is None or any(each.state != "review" for each in found.doubts if found.open):
        response.headers["Refresh"] = str(_AGAIN)
    return response


@router.get("/results/{result}")
def show_result(request: Request, result: UUID) -> Response:
    """Show how a test or check ended, for a day, to the member who made it."""
    with transaction_of(request) as (tx, session):
        found = page_results.load(tx, result, session.member.id)
        if found is None or "title" not in found:
            raise NotFound("This result is no longer kept. Test again to see the present one.")
        return page(request, "verdict.html", result=found)
