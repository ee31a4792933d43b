"""The organization's time zone, sending hours and holidays, with what another choice moves; for owners and admins."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from actions import organization_hours as actions
from app.runtime import Runtime
from db.access import page_results
from db.access.sessions import Session
from db.sequences import organization_hours
from domain.errors import NotFound
from domain.hand_edits import Overtaken
from domain.organization_hours import HoursReport, OrganizationHours
from domain.send_window import DAYS
from web.forms import REFUSED, Filled, Typed, again
from web.hours import PLACES, HoursForm
from web.pages import go, page, zone_of
from web.protection import Administrator, Runtimed, administrator, transaction_of

router = APIRouter(prefix="/settings/organization")

_HERE = "/settings/organization"


@router.get("")
def show(request: Request) -> Response:
    """Show the settings."""
    return _shown(request, None)


def _shown(request: Request, filled: Filled | None, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, _):
        found = organization_hours.of(tx, administrator(request).member.organization_id)
        own = found.sending or {}
        return page(
            request,
            "organization_hours.html",
            found=found,
            own=own,
            days=DAYS,
            chosen=filled.chosen if filled else frozenset(own.get("days", DAYS if own else DAYS[:5])),
            filled=filled or Filled({"holidays": "\n".join(own.get("holidays", []))}),
            status=status,
        )


@router.post("")
def save(request: Request, session: Administrator, runtime: Runtimed, form: Typed[HoursForm]) -> Response:
    """Save the settings, at once or after a page that shows how many emails get another time."""
    wanted = _wanted(form)
    try:
        report = _preview(runtime, session, wanted, form.version)
        if report.moved:
            content = {"hours": _kept(wanted), "version": form.version}
            with transaction_of(request) as (tx, _):
                kept = page_results.put(tx, session.member.organization_id, session.member.id, content)
            return go(request, f"{_HERE}/changes/{kept}")
        _save(runtime, session, wanted, form.version)
    except REFUSED as error:
        typed = form.typed()
        if isinstance(error, Overtaken):
            with transaction_of(request) as (tx, _):
                now = organization_hours.of(tx, session.member.organization_id)
            typed = typed | {"version": now.version}
        filled = again(typed, error, PLACES, chosen=form.days)
        return _shown(request, filled, status=409 if isinstance(error, Overtaken) else 422)
    return go(request, _HERE, "Saved.")


@router.get("/changes/{change:uuid}")
def show_change(request: Request, session: Administrator, runtime: Runtimed, change: UUID) -> Response:
    """Show how many emails get another time if this is saved. Changes nothing."""
    return _change(request, session, runtime, _load(request, change))


def _change(
    request: Request,
    session: Session,
    runtime: Runtime,
    content: Mapping[str, Any],
    error: str = "",
    *,
    status: int = 200,
) -> Response:
    report = HoursReport()
    try:
        report = _preview(runtime, session, _of(content), content["version"])
    except REFUSED as refused:
        error, status = error or str(refused), 409
    with transaction_of(request) as (tx, _):
        sentences = report.sentences(zone_of(tx, session))
        return page(
            request,
            "organization_hours_change.html",
            report=report,
            sentences=sentences,
            back=_HERE,
            error=error,
            status=status,
        )


@router.post("/changes/{change:uuid}")
def save_change(request: Request, session: Administrator, runtime: Runtimed, change: UUID) -> Response:
    """Save what was shown. A repeated request answers the same."""
    content = _load(request, change)
    try:
        _save(runtime, session, _of(content), content["version"])
    except REFUSED as error:
        return _change(request, session, runtime, content, str(error), status=409)
    return go(request, _HERE, "Saved.")


def _load(request: Request, change: UUID) -> Mapping[str, Any]:
    with transaction_of(request) as (tx, session):
        content = page_results.load(tx, change, session.member.id)
    if content is None or "hours" not in content:
        raise NotFound("This change was not kept. Make it again.")
    return content


def _preview(runtime: Runtime, session: Session, wanted: OrganizationHours, version: str) -> HoursReport:
    return actions.preview_change(runtime, session.member.organization_id, wanted, version=version)


def _save(runtime: Runtime, session: Session, wanted: OrganizationHours, version: str) -> None:
    organization_id, actor = session.member.organization_id, session.member.name
    actions.change(runtime, organization_id, wanted, version=version, actor=actor)


def _kept(wanted: OrganizationHours) -> dict[str, object]:
    return {"time_zone": wanted.time_zone, "sending": wanted.sending}


def _of(content: Mapping[str, Any]) -> OrganizationHours:
    return OrganizationHours(content["hours"]["time_zone"], content["hours"]["sending"])


def _wanted(form: HoursForm) -> OrganizationHours:
    return OrganizationHours(form.zone, form.sending())
