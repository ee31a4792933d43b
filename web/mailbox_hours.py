"""A mailbox's own sending hours, instead of those that its provider states; for its owner, and owners and admins."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from actions import mailbox_hours as actions
from app.runtime import Runtime
from db.access import page_results
from db.access.sessions import Session
from db.core.session import Transaction
from db.mailboxes import own_hours
from db.mailboxes.own_hours import OwnHours
from domain.errors import NotFound
from domain.hand_edits import Overtaken
from domain.organization_hours import HoursReport
from domain.send_window import DAYS, SendWindow
from web.forms import REFUSED, Filled, Typed, again
from web.hours import PLACES, HoursForm
from web.pages import go, page, zone_of
from web.protection import Runtimed, SignedIn, manages, transaction_of

router = APIRouter(prefix="/settings/mailboxes/{mailbox:uuid}/hours")


def _chosen(request: Request, mailbox: UUID) -> UUID:
    """Return the mailbox, if the member may change it. Raises ``NotFound``."""
    with transaction_of(request) as (tx, session):
        _load(tx, session, mailbox)
    return mailbox


Chosen = Annotated[UUID, Depends(_chosen)]


def _load(tx: Transaction, session: Session, mailbox_id: UUID) -> OwnHours:
    found = own_hours.of(tx, mailbox_id)
    mine = found.owner_id == session.member.id
    if found.organization_id != session.member.organization_id or not (mine or manages(session)):
        raise NotFound("There is no such mailbox of yours.")
    return found


@router.get("")
def show(request: Request, mailbox: UUID) -> Response:
    """Show the hours."""
    return _shown(request, mailbox, None)


def _shown(request: Request, mailbox: UUID, filled: Filled | None, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, session):
        found = _load(tx, session, mailbox)
        present = found.own or found.stated or {}
        return page(
            request,
            "mailbox_hours.html",
            found=found,
            here=_here(mailbox),
            above=_above(mailbox),
            stated=None if found.stated is None else SendWindow.from_json(found.stated).words(),
            now=None if found.own is None else SendWindow.from_json(found.own).words(),
            own=present,
            days=DAYS,
            chosen=filled.chosen if filled else frozenset(present.get("days", DAYS if present else DAYS[:5])),
            filled=filled or Filled({"holidays": "\n".join(present.get("holidays", []))}),
            status=status,
        )


def _here(mailbox: UUID) -> str:
    return f"/settings/mailboxes/{mailbox}/hours"


def _above(mailbox: UUID) -> str:
    return f"/settings/mailboxes/{mailbox}/limits"


@router.post("")
def save(
    request: Request, mailbox: Chosen, runtime: Runtimed, session: SignedIn, form: Typed[HoursForm]
) -> Response:
    """Save the hours, at once or after a page that shows how many emails get another time."""
    wanted = form.sending()
    try:
        report = actions.preview_change(runtime, mailbox, wanted, version=form.version)
        if report.moved:
            content = {"mailbox": str(mailbox), "own_hours": wanted, "version": form.version}
            with transaction_of(request) as (tx, _):
                kept = page_results.put(tx, session.member.organization_id, session.member.id, content)
            return go(request, f"{_here(mailbox)}/changes/{kept}")
        actions.change(runtime, mailbox, wanted, version=form.version, actor=session.member.name)
    except REFUSED as error:
        typed = form.typed()
        if isinstance(error, Overtaken):
            with transaction_of(request) as (tx, _):
                typed |= {"version": own_hours.of(tx, mailbox).version}
        filled = again(typed, error, PLACES, chosen=form.days)
        return _shown(request, mailbox, filled, status=409 if isinstance(error, Overtaken) else 422)
    return go(request, _here(mailbox), "Saved.")


@router.get("/changes/{change:uuid}")
def show_change(request: Request, mailbox: Chosen, runtime: Runtimed, change: UUID) -> Response:
    """Show how many emails get another time if this is saved. Changes nothing."""
    return _change(request, mailbox, runtime, _kept(request, mailbox, change))


def _change(
    request: Request,
    mailbox: UUID,
    runtime: Runtime,
    content: Mapping[str, Any],
    error: str = "",
    *,
    status: int = 200,
) -> Response:
    report = HoursReport()
    try:
        report = actions.preview_change(runtime, mailbox, content["own_hours"], version=content["version"])
    except REFUSED as refused:
        error, status = error or str(refused), 409
    with transaction_of(request) as (tx, session):
        return page(
            request,
            "organization_hours_change.html",
            report=report,
            sentences=report.sentences(zone_of(tx, session)),
            back=_here(mailbox),
            error=error,
            status=status,
        )


@router.post("/changes/{change:uuid}")
def save_change(
    request: Request, mailbox: Chosen, runtime: Runtimed, session: SignedIn, change: UUID
) -> Response:
    """Save what was shown. A repeated request answers the same."""
    content = _kept(request, mailbox, change)
    try:
        actions.change(
            runtime,
            mailbox,
            content["own_hours"],
            version=content["version"],
            actor=session.member.name,
        )
    except REFUSED as error:
        return _change(request, mailbox, runtime, content, str(error), status=409)
    return go(request, _here(mailbox), "Saved.")


def _kept(request: Request, mailbox: UUID, change: UUID) -> Mapping[str, Any]:
    with transaction_of(request) as (tx, session):
        content = page_results.load(tx, change, session.member.id)
    if content is None or content.get("mailbox") != str(mailbox) or "own_hours" not in content:
        raise NotFound("This change was not kept. Make it again.")
    return content
