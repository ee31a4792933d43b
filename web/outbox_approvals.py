"""Emails that wait for the member's approval: each shown as it would leave, approved as it was read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict, Field

from actions import approvals
from actions.approvals import ChangedSince, Letter
from db.access.sessions import Session
from db.sending import changes
from db.sending.changes import Email
from db.views import approvals as lists
from db.views import frame, overviews
from db.views.outbox import read_place
from domain import moments
from domain.errors import NotFound
from web.forms import REFUSED, Filled, Id, PageForm, Typed, id_of, said
from web.pages import Link, counted, form_alone, go, page
from web.protection import Runtimed, SignedIn, manages, transaction_of

router = APIRouter(prefix="/outbox")

_HERE = "/outbox/approvals"
# What was read goes with the form, so that it can be shown beside what it says now. In bytes as a form has them, of 64 KiB in all.
MAX_READ = 40_000


class SeveralForm(PageForm):
    """``tick``: those that were read. ``do``: only this one. ``mark-ID``, ``read-ID``: of the text that was shown, and that text."""

    model_config = ConfigDict(extra="allow")
    tick: list[str] = Field(default_factory=list)
    do: str = ""
    only: Id = None
    whose: str = ""

    def marks(self) -> dict[UUID, str]:
        """Return the marks of those to approve."""
        wanted = [self.do] if self.do else self.tick[: lists.PER_PAGE]
        found = {key: self.typed().get(f"mark-{key}", "") for each in wanted if (key := id_of(each))}
        return {key: mark for key, mark in found.items() if mark}

    def read(self, delivery_id: UUID) -> str:
        """Return what was shown of an email."""
        return self.typed().get(f"read-{delivery_id}", "")


class OneForm(PageForm):
    """``mark``: of the text that was shown; ``read``: that text."""

    mark: str = ""
    read: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """An email that says something else than what was read. ``read``: that, or its beginning."""

    read: str
    now: Letter


def kept(letter: Letter, most: int) -> str:
    """Return what a letter says, for its form: all of it, or its beginning."""
    text = f"{letter.subject}\n\n{letter.text}"
    while len(quote(text)) > most:
        text = f"{text[: len(text) * 2 // 3]}…"
    return text


@router.get("/approvals")
def show(request: Request) -> Response:
    """Show the emails that wait, those that came due first, each whole; the organization's with ``whose=all``, to its admins."""
    return _shown(request, Filled(), [], whose=request.query_params.get("whose", ""))


def _shown(
    request: Request,
    filled: Filled,
    changed: list[Changed],
    *,
    whose: str,
    only: UUID | None = None,
    reasons: Mapping[str, str] | None = None,
    done: str = "",
    status: int = 200,
) -> Response:
    only = only or id_of(request.query_params.get("sequence", ""))
    with transaction_of(request) as (tx, session):
        whole = manages(session) and whose == "all"
        owner = None if whole or (only is not None and manages(session)) else session.member.id
        organization_id = session.member.organization_id
        line = None if only is None else overviews.sequence_of(tx, only, organization_id, owner)
        after = read_place(request.query_params.get("after", ""))
        shown, following = lists.WAITING.page(tx, organization_id, owner, only, after=after)
        letters = [approvals.letter(tx, each.id) for each in shown]
        return page(
            request,
            "approvals.html",
            status=status,
            lines=list(zip(shown, letters, strict=True)),
            total=lists.WAITING.count(tx, organization_id, owner, only),
            next=following,
            line=line,
            whole=whole,
            changed=changed,
            reasons=reasons or {},
            done=done,
            kept=lambda letter: kept(letter, MAX_READ // lists.PER_PAGE),
            filled=filled,
        )


@router.post("/approvals")
def approve_several(
    request: Request, runtime: Runtimed, session: SignedIn, form: Typed[SeveralForm]
) -> Response:
    """Approve those that were ticked, or one, each as it was shown. What has changed since is shown with both texts."""
    marks = form.marks()
    if not marks:
        nothing = Filled({}, {"tick": "Tick the emails that you have read."})
        return _shown(request, nothing, [], whose=form.whose, only=form.only, status=422)
    for each in marks:
        _asked(request, each)
    done = approvals.approve_several(runtime, marks, actor=session.member.name)
    words = f"{counted(len(done.approved), 'email', 'emails')} approved, to leave after all checks, within sending hours."
    if not done.refused:
        return go(request, _back(form.only, form.whose), words)
    changed = [
        Changed(form.read(key), error.present)
        for key, error in done.refused.items()
        if isinstance(error, ChangedSince)
    ]
    others = {
        str(key): said(error) for key, error in done.refused.items() if not isinstance(error, ChangedSince)
    }
    return _shown(
        request,
        Filled(),
        changed,
        whose=form.whose,
        only=form.only,
        reasons=others,
        done=words if done.approved else "",
        status=409,
    )


def _back(only: UUID | None, whose: str) -> str:
    if only is not None:
        return f"{_HERE}?sequence={only}"
    return f"{_HERE}?whose=all" if whose == "all" else _HERE


@router.get("/{delivery:uuid}/approve")
def show_one(request: Request, delivery: UUID) -> Response:
    """Show one email as it would leave, to be approved."""
    return _one(request, delivery, None)


def _one(
    request: Request, delivery: UUID, changed: Changed | None, error: str = "", *, status: int = 200
) -> Response:
    with transaction_of(request) as (tx, session):
        _check(session, changes.email(tx, delivery))
        letter = approvals.letter(tx, delivery)
        return page(
            request,
            "approval.html",
            status=status,
            letter=letter,
            changed=changed,
            error=error,
            kept=lambda found: kept(found, MAX_READ),
        )


@router.post("/{delivery:uuid}/approve")
def approve(
    request: Request, runtime: Runtimed, session: SignedIn, delivery: UUID, form: Typed[OneForm]
) -> Response:
    """Approve one email as it was shown. If it has changed since, both texts are shown and nothing is approved."""
    _asked(request, delivery)
    try:
        done = approvals.approve(runtime, delivery, form.mark, actor=session.member.name)
    except ChangedSince as error:
        return _one(request, delivery, Changed(form.read, error.present), str(error), status=409)
    except REFUSED as error:
        return _one(request, delivery, None, said(error), status=409)
    undo = Link("See it, or take it back", f"/outbox/{delivery}/approve")
    return go(request, _HERE, _leaves(request, done.leaves_at), undo)


@router.post("/{delivery:uuid}/take-back")
def take_back(request: Request, runtime: Runtimed, session: SignedIn, delivery: UUID) -> Response:
    """Take the approval of one email back, unless it is leaving or has left."""
    _asked(request, delivery)
    try:
        changed = approvals.take_back(runtime, delivery, actor=session.member.name)
    except REFUSED as error:
        return _one(request, delivery, None, said(error), status=409)
    words = (
        "Taken back. It waits until somebody approves it." if changed else "Nobody has approved this email."
    )
    return go(request, f"/outbox/{delivery}/approve", words)


form_alone(router, "/{delivery:uuid}/take-back", to="/outbox/{delivery}/approve")


def _leaves(request: Request, at: datetime) -> str:
    with transaction_of(request) as (tx, session):
        here = frame.here(tx, session.member.id)
    if at <= here.now:
        return "Approved. It leaves as soon as the mailbox's pace allows, after all checks."
    return f"Approved. It leaves {moments.stated(at, here.zone, here.now)} at the earliest, after all checks."


def _asked(request: Request, delivery_id: UUID) -> None:
    with transaction_of(request) as (tx, session):
        _check(session, changes.email(tx, delivery_id))


def _check(session: Session, email: Email) -> None:
    """Raise ``NotFound`` unless the member could start or resume the email's sequence: they own it, or are an owner or admin."""
    if email.organization_id != session.member.organization_id or not (
        manages(session) or email.owner_id == session.member.id
    ):
        raise NotFound("There is no such email.")
