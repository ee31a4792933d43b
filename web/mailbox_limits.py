"""A mailbox's limits: how many emails a day, how fast, and in which hours; for its owner, and owners and admins."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from actions import mailbox_limits as actions
from db.access.sessions import Session
from db.core.session import Transaction
from db.mailboxes import limits
from db.mailboxes.limits import Limits
from domain.errors import NotFound
from domain.hand_edits import Overtaken
from domain.lane import MAX_DAILY_CAP, PACE
from domain.send_window import SendWindow
from web.forms import REFUSED, Filled, PageForm, Typed, again, number_of
from web.pages import go, page
from web.protection import Runtimed, SignedIn, manages, transaction_of

router = APIRouter(prefix="/settings/mailboxes/{mailbox:uuid}/limits")


class LimitsForm(PageForm):
    """``was``: the limit that the form was filled from."""

    daily_cap: str = ""
    was: str = ""


def _chosen(request: Request, mailbox: UUID) -> UUID:
    """Return the mailbox, if the member may change it. Raises ``NotFound``."""
    with transaction_of(request) as (tx, session):
        return _load(tx, session, mailbox).id


Chosen = Annotated[UUID, Depends(_chosen)]


def _load(tx: Transaction, session: Session, mailbox_id: UUID) -> Limits:
    found = limits.of(tx, mailbox_id)
    mine = found.owner_id == session.member.id
    if found.organization_id != session.member.organization_id or not (mine or manages(session)):
        raise NotFound("There is no such mailbox of yours.")
    return found


@router.get("")
def show(request: Request, mailbox: UUID) -> Response:
    """Show the limits."""
    return _shown(request, mailbox, Filled())


def _shown(request: Request, mailbox: UUID, filled: Filled, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, session):
        found = _load(tx, session, mailbox)
        mine = found.owner_id == session.member.id
        return page(
            request,
            "mailbox_limits.html",
            found=found,
            above=("/settings/sequences", "Mailbox and permissions")
            if mine
            else ("/settings/email", "Email settings"),
            admin=manages(session),
            pace=PACE,
            most=MAX_DAILY_CAP,
            own=found.own,
            hours=None if found.hours is None else SendWindow.from_json(found.hours).words(),
            organization_hours=None
            if found.organization_hours is None
            else SendWindow.from_json(found.organization_hours).words(),
            filled=filled,
            status=status,
        )


@router.post("")
def save(
    request: Request, mailbox: Chosen, runtime: Runtimed, session: SignedIn, form: Typed[LimitsForm]
) -> Response:
    """Save the limit. It counts for the next email."""
    try:
        actions.set_daily_cap(
            runtime,
            mailbox,
            number_of(form.daily_cap),
            was=number_of(form.was) or None,
            actor=session.member.name,
        )
    except REFUSED as error:
        typed = form.typed() | ({"was": ""} if isinstance(error, Overtaken) else {})
        filled = again(typed, error, {"daily_cap": "daily_cap"})
        return _shown(request, mailbox, filled, status=409 if isinstance(error, Overtaken) else 422)
    return go(request, f"/settings/mailboxes/{mailbox}/limits", "Saved. It counts from the next email on.")
