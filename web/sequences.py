"""Sequences: how mine stand, why one is paused, and coming back from a pause in two steps."""

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from actions import activation, resume, withdraw
from db import overviews, resumes, waits
from db.sessions import Session
from domain.errors import InvalidInput, NotPermitted
from domain.notice import PAUSED_BECAUSE
from web.pages import page
from web.protection import OwnForm, Runtimed, SignedIn, looks_after
from web.rooms import withdraws
from web.sequences_settings import withdrawn

router = APIRouter(prefix="/sequences")

_SHOWN = 50
_TOGETHER = 50  # sequences resumed at once
_DONE = {"resumed": "It goes on from now.", "activated": "It runs from now."}
# What may be left out when it has become too late, in days.
_STALE = {"": None, "1": timedelta(days=1), "3": timedelta(days=3), "7": timedelta(days=7)}


@router.get("")
def show(request: Request, runtime: Runtimed, session: SignedIn) -> Response:
    """Mine; all of the organization for those who look after it."""
    with runtime.database.transaction() as tx:
        lines = overviews.sequences_of(tx, session.member.organization_id, _only_of(session))
        said = waits.of_sequences(tx, [line.id for line in lines])
    done = _DONE.get(request.query_params.get("done", ""), "")
    return page(request, "sequences.html", lines=lines, waits=said, because=PAUSED_BECAUSE, done=done)


@router.post("/{sequence}/pause")
@withdraws
def pause(request: Request, runtime: Runtimed, session: SignedIn, sequence: UUID, _form: OwnForm) -> Response:
    """Pause it; returns when nothing of it can leave any more."""
    line = _line(runtime, session, sequence)
    answer = withdraw.pause_sequence(
        runtime, sequence, actor=session.member.name, reason="on the Sequences page"
    )
    return withdrawn(request, f"{line.name} is paused", answer, back="/sequences")


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
def activate(runtime: Runtimed, session: SignedIn, sequence: UUID, _form: OwnForm) -> Response:
    """Start it as previewed."""
    _line(runtime, session, sequence)
    activation.activate_sequence(runtime, sequence, actor=session.member.name)
    return RedirectResponse("/sequences?done=activated", status_code=303)


@router.post("/{sequence}/deactivate")
def deactivate(
    request: Request, runtime: Runtimed, session: SignedIn, sequence: UUID, _form: OwnForm
) -> Response:
    """Set it back to draft; returns when nothing of it can leave any more."""
    line = _line(runtime, session, sequence)
    answer = withdraw.deactivate_sequence(
        runtime, sequence, actor=session.member.name, reason="on the Sequences page"
    )
    return withdrawn(request, f"{line.name} is a draft again", answer, back="/sequences")


def _only_of(session: Session) -> UUID | None:
    return None if looks_after(session) else session.member.id


def _line(runtime: Runtimed, session: Session, sequence: UUID) -> overviews.SequenceLine:
    with runtime.database.transaction() as tx:
        return overviews.sequence_of(tx, sequence, session.member.organization_id, _only_of(session))


def _stale(late: str) -> timedelta | None:
    if late not in _STALE:
        raise InvalidInput("That is no choice here.", where="late", fix="Choose from the list.")
    return _STALE[late]
