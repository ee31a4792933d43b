"""One decision about all paused sequences: what leaves when if they resume, which cannot and why, and one button."""

from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from actions import resume
from db.access.sessions import Session
from db.views import overviews
from db.views.overviews import Filter
from db.withdrawing import resumes
from domain.event_types import PAUSED_BECAUSE
from web.forms import Filled, PageForm, Typed, id_of
from web.pages import Link, counted, go, page
from web.protection import Runtimed, SignedIn, manages, transaction_of
from web.remedies import remedies
from web.sequences import stale

router = APIRouter(prefix="/sequences")


class SeveralForm(PageForm):
    """``sequence``: those that resume. ``act``: resume, or show the preview. ``whose``: all, or the member's own."""

    sequence: list[str] = Field(default_factory=list)
    late: str = ""
    act: str = ""
    whose: str = ""

    def chosen(self) -> list[UUID]:
        """Which."""
        found = (id_of(each) for each in self.sequence[: resume.TOGETHER])
        return [each for each in dict.fromkeys(found) if each is not None]


def _owner(session: Session, whose: str) -> UUID | None:
    return None if whose == "all" and manages(session) else session.member.id


@router.get("/resume")
def preview(request: Request) -> Response:
    """Show every paused sequence. ``sequence``: only these are ticked (with ``act=show``). Changes nothing."""
    asked = request.query_params
    chosen = [found for each in asked.getlist("sequence") if (found := id_of(each)) is not None]
    return _page(
        request,
        chosen[: resume.TOGETHER] if asked.get("act") == "show" else None,
        asked.get("late", ""),
        asked.get("whose", ""),
        Filled(),
    )


def _page(
    request: Request, chosen: list[UUID] | None, late: str, whose: str, filled: Filled, *, status: int = 200
) -> Response:
    with transaction_of(request) as (tx, session):
        owner_id, organization_id = _owner(session, whose), session.member.organization_id
        plans = resume.preview_paused(
            tx, organization_id, owner_id, chosen=chosen, skip_older_than=stale(late)
        )
        wanted = Filter(owner_id, "paused")
        listed = overviews.sequences_of(tx, organization_id, wanted, limit=resume.TOGETHER)
        lines = [(line, plan) for line in listed if (plan := plans.get(line.id)) is not None]
        blocked = [(line, plan) for line, plan in lines if plan.blockers]
        return page(
            request,
            "resume_several.html",
            free=[(line, plan) for line, plan in lines if not plan.blockers],
            blocked=blocked,
            remedies=remedies(tx, [line for line, _ in blocked], session.member.id),
            ticked=[
                key for key, plan in plans.items() if (not plan.by_hand if chosen is None else key in chosen)
            ],
            left_out=sum(
                each.send_at is None
                for key, plan in plans.items()
                if not plan.blockers and (not plan.by_hand if chosen is None else key in chosen)
                for each in plan.planned
            ),
            total=overviews.count_sequences(tx, organization_id, wanted),
            late=late,
            whole=owner_id is None,
            because=PAUSED_BECAUSE,
            filled=filled,
            status=status,
        )


@router.post("/resume")
def resume_them(request: Request, runtime: Runtimed, session: SignedIn, form: Typed[SeveralForm]) -> Response:
    """Resume those chosen that may, or show the preview with other choices. A repeated request resumes nothing twice."""
    oldest, chosen = stale(form.late), form.chosen()
    if form.act == "show":
        choices = urlencode(
            [
                ("act", "show"),
                ("late", form.late),
                ("whose", form.whose),
                *(("sequence", each) for each in chosen),
            ]
        )
        return RedirectResponse(f"/sequences/resume?{choices}", status_code=303)
    if not chosen:
        error = Filled({}, {"sequence": "Choose at least one sequence."})
        return _page(request, [], form.late, form.whose, error, status=422)
    with transaction_of(request) as (tx, _):
        owner_id = _owner(session, form.whose)
        paused = resumes.paused(tx, session.member.organization_id, owner_id, most=resume.TOGETHER)
    found = resume.resume_several(
        runtime,
        [each for each in chosen if each in paused],
        actor=session.member.name,
        owner_id=owner_id,
        skip_older_than=oldest,
    )
    resumed = [each for each in found.values() if not each.blockers]
    stayed = len(found) - len(resumed)
    if not found:
        return go(request, "/sequences", "Nothing was left to resume.")
    said = f"{counted(len(resumed), 'sequence', 'sequences')} resumed."
    if stayed:
        said += f" {counted(stayed, 'stays', 'stay')} paused."
        return go(request, "/sequences", said, Link("See why", "/sequences/resume"))
    return go(request, "/sequences", said)
