"""Sequences: how mine stand, why one is paused, and coming back from a pause in two steps."""

import time
from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from actions import resume, withdraw
from db import overviews
from db.overviews import Filter
from db.sessions import Session
from domain.errors import InvalidInput
from domain.notice import PAUSED_BECAUSE
from web.pages import Link, counted, go, id_of, page
from web.protection import OwnForm, Runtimed, SignedIn, looks_after

router = APIRouter(prefix="/sequences")

_SHOWN = 50
# What may be left out when it has become too late, in days.
_STALE = {"": None, "1": timedelta(days=1), "3": timedelta(days=3), "7": timedelta(days=7)}


_STATUSES = ("", "attention", "paused", "active", "draft")
_REFRESH = 30  # seconds
_REFRESHES_FOR = 1800  # seconds without a click; a tab that is left open does not keep its session alive


@router.get("")
def show(request: Request, runtime: Runtimed, session: SignedIn) -> Response:
    """Mine, or all of the organization for those who look after it; a page at a time, by filter and search."""
    asked = request.query_params
    whole = looks_after(session) and asked.get("whose") == "all"
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
    last = shown[-1] if len(lines) > len(shown) else None
    searching = "q" in asked
    response = page(
        request,
        "sequences.html",
        lines=shown,
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
def pause(request: Request, runtime: Runtimed, session: SignedIn, sequence: UUID, _form: OwnForm) -> Response:
    """Pause it; returns when nothing of it can leave any more. It asks nothing, and can be undone."""
    line = _line(runtime, session, sequence)
    answer = withdraw.pause_sequence(
        runtime, sequence, actor=session.member.name, reason="on the Sequences page"
    )
    said = (
        f"{line.name} is paused. {counted(answer.stopped, 'email', 'emails')} stopped, nothing can leave now."
        if answer.complete
        else f"{line.name} is paused, except {counted(len(answer.unknown), 'email', 'emails')} in doubt."
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
def preview(request: Request, runtime: Runtimed, session: SignedIn, sequence: UUID) -> Response:
    """Who would get what, and when. Changes nothing."""
    late = request.query_params.get("late", "")
    line = _line(runtime, session, sequence)
    found = resume.preview_resume(runtime, sequence, skip_older_than=_stale(late))
    going = [each for each in found.planned if each.send_at is not None]
    values: dict[str, Any] = {
        "line": line,
        "preview": found,
        "going": going[:_SHOWN],
        "more": max(0, len(going) - _SHOWN),
        "left_out": [each for each in found.planned if each.send_at is None],
        "late": late,
        "because": PAUSED_BECAUSE,
    }
    return page(request, "resume.html", **values)


@router.post("/{sequence}/resume")
def go_on(runtime: Runtimed, session: SignedIn, sequence: UUID, form: OwnForm) -> Response:
    """Resume as previewed."""
    _line(runtime, session, sequence)
    late = _stale(form.get("late", ""))
    resume.resume_sequence(runtime, sequence, actor=session.member.name, skip_older_than=late)
    return RedirectResponse("/sequences?done=resumed", status_code=303)


def _only_of(session: Session) -> UUID | None:
    return None if looks_after(session) else session.member.id


def _line(runtime: Runtimed, session: Session, sequence: UUID) -> overviews.SequenceLine:
    with runtime.database.transaction() as tx:
        return overviews.sequence_of(tx, sequence, session.member.organization_id, _only_of(session))


def _stale(late: str) -> timedelta | None:
    if late not in _STALE:
        raise InvalidInput("That is no choice here.", where="late", fix="Choose from the list.")
    return _STALE[late]
