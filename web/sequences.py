"""The page Sequences: their state, why one is paused, and a preview before it starts or resumes."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ConfigDict

from actions import activation, resume, withdraw
from db.access.sessions import Session
from db.sending import waits
from db.sequences import handover_requests
from db.views import overviews
from db.views.overviews import Filter
from db.withdrawing import resumes
from domain.errors import InvalidInput, NotPermitted
from domain.event_types import PAUSED_BECAUSE
from web.forms import PageForm, Typed, id_of
from web.pages import Link, counted, form_alone, go, page
from web.protection import Runtimed, SignedIn, manages, own_runtime, transaction_of
from web.remedies import remedies
from web.results import see
from web.rooms import withdraws

router = APIRouter(prefix="/sequences")

_SHOWN = 50
# What may be left out when it has become too late, in days.
_STALE = {"": None, "1": timedelta(days=1), "3": timedelta(days=3), "7": timedelta(days=7)}


_STATUSES = ("", "attention", "paused", "active", "draft", "finished", "archived")
_SORTS = ("", "name", "new", "next", "answered")


class ResumeForm(PageForm):
    """``late``: after how many days an email is left out. ``act``: resume, or show the preview. ``also-ID``: another sequence to resume."""

    model_config = ConfigDict(extra="allow")
    late: str = ""
    act: str = ""


def line_of(request: Request, sequence: UUID) -> overviews.SequenceLine:
    """Return the sequence that the page's address names. Raises ``NotFound`` unless it is the member's, or they are an owner or admin."""
    with transaction_of(request) as (tx, session):
        return overviews.sequence_of(tx, sequence, session.member.organization_id, _only_of(session))


def _only_of(session: Session) -> UUID | None:
    return None if manages(session) else session.member.id


Line = Annotated[overviews.SequenceLine, Depends(line_of)]


@router.get("")
def show(request: Request) -> Response:
    """Show the member's sequences or, to owners and admins, the organization's; filtered, a page at a time."""
    asked = request.query_params
    status, after = asked.get("status", ""), _after(asked.get("after", ""))
    with transaction_of(request) as (tx, session):
        organization_id = session.member.organization_id
        whole = manages(session) and asked.get("whose") == "all"
        wanted = Filter(
            None if whole else session.member.id,
            status if status in _STATUSES else "",
            asked.get("q", "")[:100].strip(),
            sort if (sort := asked.get("sort", "")) in _SORTS else "",
            id_of(asked.get("sender", "")),
        )
        lines = overviews.sequences_of(tx, organization_id, wanted, after=after, limit=overviews.PER_PAGE + 1)
        total = overviews.count_sequences(tx, organization_id, wanted)
        resumed = asked.get("done") == "resumed" and overviews.resumed_just_now(tx, organization_id)
        shown = lines[: overviews.PER_PAGE]
        said = waits.of_sequences(tx, [line.id for line in shown])
        last = shown[-1] if len(lines) > len(shown) else None
        return page(
            request,
            "sequences.html",
            lines=shown,
            waits=said,
            remedies=remedies(tx, [line for line in shown if line.status == "paused"], session.member.id),
            total=total,
            next="" if last is None else f"{last.place}~{last.id}~{last.name}",
            wanted=wanted,
            whole=whole,
            senders=overviews.senders(tx, organization_id, wanted.owner_id),
            key=draft_key(session),
            first=bool(after),
            asked=handover_requests.open_for(tx, session.member.id),
            because=PAUSED_BECAUSE,
            resumed=resumed,
        )


def draft_key(session: Session) -> str:
    """Return the key of a form that duplicates: the same for a minute, so that a second click makes nothing more."""
    return f"{session.member.id}-{datetime.now(UTC):%Y%m%d%H%M}"


def _after(text: str) -> tuple[int, str, UUID] | None:
    place, _, rest = text[:400].partition("~")
    key, _, name = rest.partition("~")
    found = id_of(key)
    number = place.removeprefix("-")
    known = number.isascii() and number.isdigit() and len(number) <= 12
    return (int(place), name, found) if known and found is not None else None


@router.post("/{sequence}/pause")
@withdraws
def pause(request: Request, line: Line, runtime: Runtimed, session: SignedIn, sequence: UUID) -> Response:
    """Pause a sequence, without asking first: it can be resumed. Answers when none of its emails can leave any more."""
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


@router.get("/{sequence}/resume")
def preview(
    request: Request,
    sequence: UUID,
    also: Annotated[list[UUID], Query(max_length=resume.TOGETHER)] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Show who would get what, and when. ``also``: other sequences that the same cause paused. Changes nothing."""
    late = request.query_params.get("late", "")
    with transaction_of(request) as (tx, session):
        line = line_of(request, sequence)
        others = _same_cause(request, sequence)
        chosen = [each.id for each in others if each.id in also]
        found = resume.previews_of(resumes.load_all(tx, [sequence, *chosen]), skip_older_than=stale(late))
        planned = [each for preview in found.values() for each in preview.planned]
        going = sorted(
            (each for each in planned if each.send_at is not None),
            key=lambda each: (each.send_at or line.paused_at, each.delivery_id),
        )
        values: dict[str, Any] = {
            "line": line,
            "previews": list(found.values()),
            "blockers": [words for preview in found.values() for words in preview.blockers],
            "remedies": remedies(tx, [line], session.member.id)[line.id],
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
def go_on(request: Request, sequence: UUID, form: Typed[ResumeForm]) -> Response:
    """Resume as previewed, or show the preview with other choices. A repeated request answers the same."""
    with transaction_of(request) as (_, session):
        line_of(request, sequence)
        oldest = stale(form.late)
        chosen = [each.id for each in _same_cause(request, sequence) if f"also-{each.id}" in form.typed()]
    if form.act == "show":
        choices = urlencode([("late", form.late), *(("also", each) for each in chosen)])
        return RedirectResponse(f"/sequences/{sequence}/resume?{choices}", status_code=303)
    try:
        resume.resume_together(
            own_runtime(request),
            [sequence, *chosen],
            actor=session.member.name,
            owner_id=_only_of(session),
            skip_older_than=oldest,
        )
    except NotPermitted:
        if line_of(request, sequence).status != "active":
            raise  # and not the second click on a form that has done its work
    return RedirectResponse("/sequences?done=resumed", status_code=303)


def _same_cause(request: Request, sequence: UUID) -> list[overviews.SequenceLine]:
    """Return the sequences that the same cause paused and this member may resume."""
    with transaction_of(request) as (tx, session):
        ids = resumes.same_cause(tx, sequence, _only_of(session))[: resume.TOGETHER]
        return [
            overviews.sequence_of(tx, each, session.member.organization_id, _only_of(session)) for each in ids
        ]


@router.get("/{sequence}/activate")
def preview_activation(request: Request, sequence: UUID) -> Response:
    """Show what a draft lacks, or who would get what first. Changes nothing."""
    with transaction_of(request) as (tx, session):
        line = line_of(request, sequence)
        found = activation.preview_of(tx, resumes.load(tx, sequence))
        going = [each for each in found.planned if each.send_at is not None]
        values: dict[str, Any] = {
            "line": line,
            "preview": found,
            "remedies": remedies(tx, [line], session.member.id)[line.id],
            "going": going[:_SHOWN],
            "count": len(going),
        }
        return page(request, "activate.html", **values)


@router.post("/{sequence}/activate")
def activate(request: Request, line: Line, runtime: Runtimed, session: SignedIn, sequence: UUID) -> Response:
    """Start a draft as previewed. A repeated request answers the same."""
    try:
        started = activation.activate_sequence(runtime, sequence, actor=session.member.name)
    except NotPermitted:
        if line_of(request, sequence).status != "active":
            raise
        started = None
    when = f" {', '.join(started.summary)}." if started and started.summary else ""
    return go(request, "/sequences", f"{line.name} is running.{when}")


@router.get("/{sequence}/deactivate")
def ask_to_set_back(request: Request, sequence: UUID) -> Response:
    """Ask before a sequence becomes a draft again: nothing of it leaves then."""
    with transaction_of(request):
        return page(request, "set_back.html", line=line_of(request, sequence))


@router.post("/{sequence}/deactivate")
@withdraws
def deactivate(_line: Line, runtime: Runtimed, session: SignedIn, sequence: UUID) -> Response:
    """Set a sequence back to draft; answers when none of its emails can leave any more."""
    answer = withdraw.deactivate_sequence(
        runtime, sequence, actor=session.member.name, reason="on the Sequences page"
    )
    return see(answer)


form_alone(router, "/{sequence}/pause", to="/sequences")


def stale(late: str) -> timedelta | None:
    """Return how late an email may be. Raises ``InvalidInput``."""
    if late not in _STALE:
        raise InvalidInput("This is not one of the choices.", where="late", fix="Choose from the list.")
    return _STALE[late]
