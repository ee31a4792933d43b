"""The first email on a permission: its mailbox's owner reads it as it would leave, and approves it or does not."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from actions import approvals
from actions.approvals import ChangedSince
from db.access import first_emails
from db.views import my_settings
from db.views.my_settings import GivenGrant
from domain.errors import NotFound
from web.forms import REFUSED, Id, PageForm, Typed, said
from web.outbox_approvals import MAX_READ, Changed, kept
from web.pages import go, page
from web.protection import Runtimed, SignedIn, transaction_of

router = APIRouter(prefix="/settings/sequences/grants")

_HERE = "/settings/sequences"


class ApproveForm(PageForm):
    """``mark``: of the text that was shown; ``read``: that text."""

    email: Id = None
    mark: str = ""
    read: str = ""


class AskForm(PageForm):
    """``asks``: yes: the next email waits."""

    asks: str = ""


@router.get("/{grant:uuid}/first")
def show(request: Request, grant: UUID) -> Response:
    """Show the email that waits on a permission, or whether one will."""
    return _shown(request, grant)


def _shown(
    request: Request, grant: UUID, changed: Changed | None = None, error: str = "", *, status: int = 200
) -> Response:
    with transaction_of(request) as (tx, session):
        me = session.member.id
        given = _given(my_settings.given(tx, me), grant)
        waiting = next(iter(first_emails.waiting(tx, me, grant)), None)
        return page(
            request,
            "first_email.html",
            status=status,
            grant=given,
            waiting=waiting,
            letter=None if waiting is None else approvals.letter(tx, waiting.delivery_id),
            changed=changed,
            error=error,
            kept=lambda found: kept(found, MAX_READ),
        )


def _given(grants: list[GivenGrant], grant: UUID) -> GivenGrant:
    found = next((each for each in grants if each.id == grant), None)
    if found is None:
        raise NotFound("You gave no such permission, or it has ended. Nothing leaves on it.")
    return found


@router.post("/{grant:uuid}/first")
def approve(
    request: Request, runtime: Runtimed, session: SignedIn, grant: UUID, form: Typed[ApproveForm]
) -> Response:
    """Approve the first email as it was shown. If it has changed since, both texts are shown and nothing is approved."""
    if form.email is None:
        raise NotFound("There is no such email.")
    me = session.member
    try:
        approvals.approve_first(runtime, grant, form.email, form.mark, mailbox_owner_id=me.id, actor=me.name)
    except ChangedSince as error:
        return _shown(request, grant, Changed(form.read, error.present), str(error), status=409)
    except REFUSED as error:
        return _shown(request, grant, error=said(error), status=409)
    return go(
        request,
        _HERE,
        "Approved. It leaves after all checks, and from now on this permission sends by itself.",
    )


@router.post("/{grant:uuid}/first/ask")
def ask(
    request: Request, runtime: Runtimed, session: SignedIn, grant: UUID, form: Typed[AskForm]
) -> Response:
    """Have the next email wait for the member, or let the permission send by itself."""
    me, asks = session.member, form.asks == "yes"
    approvals.ask_for_first(runtime, grant, asks=asks, mailbox_owner_id=me.id, actor=me.name)
    words = "The next email waits until you have read it." if asks else "This permission sends by itself."
    return go(request, f"{_HERE}/grants/{grant}/first" if asks else _HERE, words)
