"""Sequences: how mine stand, why one is paused, and coming back from a pause in two steps."""

import time
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from actions import activation, resume, withdraw
from db.access.sessions import Session
from db.sending import waits
from db.views import overviews
from db.views.overviews import Filter
from db.withdrawing import resumes
from domain.errors import InvalidInput, NotPermitted
from domain.notice import PAUSED_BECAUSE
from web.pages import Link, counted, go, id_of, page
from web.protection import OwnForm, Runtimed, SignedIn, manages
from web.results import see
from web.rooms import withdraws

router = APIRouter(prefix="/sequences")

_SHOWN = 50
_TOGETHER = 50  # sequences resumed at once
# What may be left out when it has become too late, in days.
_STALE = {"": None, "1": timedelta(days=1), "3": timedelta(days=3), "7": timedelta(days=7)}


_STATUSES = ("", "attention", "paused", "active", "draft")
_REFRESH = 30  # seconds
_REFRESHES_FOR = 1800  # seconds without a click; a tab that is left open does not keep its session alive


@router.get("")
def show(request: Request, runtime: Runtimed, session: SignedIn) -> Response:
    """Mine, or all of the organization for those who look after it; a page at a time, by filter and search."""
    asked = request.query_params
    whole = manages(session) and asked.get("whose") == "all"
    status = asked.get("status", "")
    wanted = Filter(
        None if whole else session.member.id,
        status if status in _STATUSES else "",
        asked.get("q", "")[:100].strip(),
    )
    after = _after(asked.get("after", ""))
    organization_id = session.member.organization_id
    with runtime.database.transaction() as tx:
        lines = overviews.sequences_of(tx, organization_id, wanted, after=after, limit=overviews.PER_PAGE + 1)
        total = overviews.count_sequences(tx, organization_id, wanted)
        resumed = asked.get("done") == "resumed" and overviews.resumed_just_now(tx, organization_id)
        shown = lines[: overviews.PER_PAGE]
        said = waits.of_sequences(tx, [line.id for line in shown])
    last = shown[-1] if len(lines) > len(shown) else None
    searching = "q" in asked
    response = page(
        request,
        "sequences.html",
        lines=shown,
        waits=said,
        total=total,
        next="" if last is None else f"{last.place}~{last.id}~{last.name}",
        wanted=wanted,
        whole=whole,
        searching=searching,
        because=PAUSED_BECAUSE,
        resumed=resumed,
    )
    # The page tells live state: it asks again, but never while somebody may be typing, nor for ever.
    since = asked.get("since", "")
    started = int(since) if since.isascii() and since.isdecimal() and len(since) < 12 else 0
    if not searching and "still" not in asked and (not since or time.time() - started < _REFRESHES_FOR):
        here = request.url.include_query_params(since=since or int(time.time())).remove_query_params("note")
        response.headers["Refresh"] = f"{_REFRESH}; url={here.path}?{here.query}"
    return response


def _after(text: str) -> tuple[int, str, UUID] | None:
    place, _, rest = text[:400].partition("~")
    key, _, name = rest.partition("~")
    found = id_of(key)
    return (int(place), name, found) if place in ("0", "1", "2") and found is not None else None


@router.post("/{sequence}/pause")
@withdraws
def pause(request: Request, runtime: Runtimed, session: SignedIn, sequence: UUID, _form: OwnForm) -> Response:
    """Pause it; returns when nothing of it can leave any more. It asks nothing, and can be undone."""
    line = _line(runtime, session, sequence)
    answer = withdraw.pause_sequence(
        runtime, sequence, actor=session.member.name, reason="on the Sequences page"
    )
    said = (
        f"{line.name} is paused. {counted(answer.stopped, 'email', 'emails')} stopped, nothing can leave now."
        if answer.complete
        else f"{line.name} is paused, except {counted(len(answer.in_doubt), 'email', 'emails')} in doubt."
    )
    undo = Link("Resume", f"/sequences/{sequence}/resume")
    return go(
        request, "/sequences", said, undo, Link("See the result", f"/withdrawals/{answer.withdrawal_id}")
    )


@router.get("/{sequence}/pause")
def pause_was_reloaded() -> Response:
    """The address that a pause was sent to, opened by itself."""
    return RedirectResponse("/sequences", status_code=303)


@router.get("/{sequence}/resume")
def preview(
    request: Request,
    runtime: Runtimed,
    session: SignedIn,
    sequence: UUID,
    also: Annotated[list[UUID], Query(max_length=_TOGETHER)] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Who would get what, and when; ``also``: sequences that the same cause has paused. Changes nothing."""
    late = request.query_params.get("late", "")
    line = _line(runtime, session, sequence)
    others = _same_cause(runtime, session, sequence)
    chosen = [each.id for each in others if each.id in also]
    found = resume.preview_together(runtime, [sequence, *chosen], skip_older_than=_stale(late))
    planned = [each for preview in found.values() for each in preview.planned]
    going = sorted(
        (each for each in planned if each.send_at is not None),
        key=lambda each: (each.send_at or line.paused_at, each.delivery_id),
    )
    values: dict[str, Any] = {
        "line": line,
        "previews": list(found.values()),
        "blockers": [words for preview in found.values() for words in preview.blockers],
        "notes": list(dict.fromkeys(words for preview in found.values() for words in preview.notes)),
        "going": going[:_SHOWN],
        "count": len(going),
        "left_out": len(planned) - len(going),
        "late": late,
        "others": others,
        "chosen": chosen,
        "because": PAUSED_BECAUSE,
    }
    return page(request, "resume.html", **values)


@router.post("/{sequence}/resume")
def go_on(runtime: Runtimed, session: SignedIn, sequence: UUID, form: OwnForm) -> Response:
    """Resume as previewed, or show the preview with other choices. Sent twice, it answers the same."""
    _line(runtime, session, sequence)
    late = form.get("late", "")
    oldest = _stale(late)
    chosen = [each.id for each in _same_cause(runtime, session, sequence) if f"also-{each.id}" in form]
    if form.get("act") == "show":
        choices = urlencode([("late", late), *(("also", each) for each in chosen)])
        return RedirectResponse(f"/sequences/{sequence}/resume?{choices}", status_code=303)
    try:
        resume.resume_together(
            runtime, [sequence, *chosen], actor=session.member.name, skip_older_than=oldest
        )
    except NotPermitted:
        if _line(runtime, session, sequence).status != "active":
            raise  # and not the second click on a form that has done its work
    return RedirectResponse("/sequences?done=resumed", status_code=303)


def _same_cause(runtime: Runtimed, session: Session, sequence: UUID) -> list[overviews.SequenceLine]:
    """Sequences that the same cause has paused, and that this member may resume."""
    with runtime.database.transaction() as tx:
        ids = resumes.same_cause(tx, sequence, _only_of(session))[:_TOGETHER]
        return [
            overviews.sequence_of(tx, each, session.member.organization_id, _only_of(session)) for each in ids
        ]


@router.get("/{sequence}/activate")
def preview_activation(request: Request, runtime: Runtimed, session: SignedIn, sequence: UUID) -> Response:
    """What a draft lacks, or who would get what first. Changes nothing."""
    line = _line(runtime, session, sequence)
    found = activation.preview_activation(runtime, sequence)
    going = [each for each in found.planned if each.send_at is not None]
    values: dict[str, Any] = {"line": line, "preview": found, "going": going[:_SHOWN], "count": len(going)}
    return page(request, "activate.html", **values)


@router.post("/{sequence}/activate")
def activate(
    request: Request, runtime: Runtimed, session: SignedIn, sequence: UUID, _form: OwnForm
) -> Response:
    """Start it as previewed. Sent twice, it answers the same."""
    line = _line(runtime, session, sequence)
    try:
        started = activation.activate_sequence(runtime, sequence, actor=session.member.name)
    except NotPermitted:
        if _line(runtime, session, sequence).status != "active":
            raise
        started = None
    when = f" {', '.join(started.summary)}." if started and started.summary else ""
    return go(request, "/sequences", f"{line.name} is running.{when}")


@router.post("/{sequence}/deactivate")
@withdraws
def deactivate(runtime: Runtimed, session: SignedIn, sequence: UUID, _form: OwnForm) -> Response:
    """Set it back to draft; returns when nothing of it can leave any more."""
    _line(runtime, session, sequence)
    answer = withdraw.deactivate_sequence(
        runtime, sequence, actor=session.member.name, reason="on the Sequences page"
    )
    return see(answer)


@router.get("/{sequence}/deactivate")
def deactivating_was_reloaded() -> Response:
    """The address that the form was sent to, opened by itself."""
    return RedirectResponse("/sequences", status_code=303)


def _only_of(session: Session) -> UUID | None:
    return None if manages(session) else session.member.id


def _line(runtime: Runtimed, session: Session, sequence: UUID) -> overviews.SequenceLine:
    with runtime.database.transaction() as tx:
        return overviews.sequence_of(tx, sequence, session.member.organization_id, _only_of(session))


def _stale(late: str) -> timedelta | None:
    if late not in _STALE:
        raise InvalidInput("That is no choice here.", where="late", fix="Choose from the list.")
    return _STALE[late]
