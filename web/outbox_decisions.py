"""Several planned emails, chosen in the outbox: skipped, cancelled or moved by one form, and what became of each."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from actions import planned_several
from actions.planned_several import MOST, Decided, Whose
from db.access import page_results
from db.access.sessions import Session
from db.views import frame
from domain.changes import Cancel, Change, NotBefore, Skip
from domain.errors import InvalidInput, NotFound
from web.forms import Filled, PageForm, Typed, again, id_of, local_time, said
from web.pages import go, page
from web.protection import Runtimed, SignedIn, manages, transaction_of
from web.rooms import withdraws

router = APIRouter(prefix="/outbox")

Do = Literal["skip", "cancel", "later"]
_DONE: Mapping[str, str] = {
    "skip": "Skipped. The next step counts its delay from now.",
    "cancel": "Cancelled. It cannot leave any more.",
}


class SeveralForm(PageForm):
    """``tick``: emails. ``at``: local time, for later. ``which``, ``whose``: of the list that they were chosen in."""

    tick: list[str] = Field(default_factory=list)
    do: Do = "skip"
    at: str = ""
    which: str = ""
    whose: str = ""


@router.get("/decide")
def ask(request: Request) -> Response:
    """Say which of the chosen emails a decision changes, and ask. Changes nothing."""
    asked = request.query_params
    do = asked.get("do", "")
    if do not in get_args(Do):
        raise NotFound("There is nothing to decide here.")
    values = {name: asked.get(name, "")[:40] for name in ("at", "which", "whose")}
    return _asked(request, asked.getlist("tick"), do, Filled(values))


def _asked(request: Request, ticked: list[str], do: str, filled: Filled, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, session):
        wanted: Change | None = Skip() if do == "skip" else Cancel() if do == "cancel" else None
        found = planned_several.foresee_several(tx, _ids(ticked), wanted, _whose(session))
        if not found:
            return go(request, _list(filled), "Tick emails in the list first.")
        return page(
            request,
            "decide_emails.html",
            status=status,
            do=do,
            emails=[each.email for each in found if each.refused is None],
            others=[each for each in found if each.refused is not None],
            filled=filled,
            back=_list(filled),
        )


@router.post("/decide")
@withdraws
def decide(request: Request, runtime: Runtimed, session: SignedIn, form: Typed[SeveralForm]) -> Response:
    """Do it, and lead to what became of each. A repeated request changes nothing more."""
    ids, whose = _ids(form.tick), _whose(session)
    filled = Filled(form.typed())
    if not ids:
        return go(request, _list(filled), "Tick emails in the list first.")
    with transaction_of(request) as (tx, _):
        zone = frame.around(tx, session.member.id).zone
        try:
            wanted = _change(form.do, form.at, zone)
            planned_several.foresee_several(tx, ids, wanted, whose)
        except InvalidInput as error:
            return _asked(
                request, form.tick, form.do, again(form.typed(), error, {"at": "at"}, other="at"), status=422
            )
    done = planned_several.change_several(runtime, ids, wanted, whose, actor=session.member.name)
    content = {"decided": [_kept(each, form.do) for each in done], "back": _list(filled)}
    with transaction_of(request) as (tx, _):
        kept = page_results.put(tx, session.member.organization_id, session.member.id, content)
    return go(request, f"/outbox/decided/{kept}")


@router.get("/decided/{result:uuid}")
def show(request: Request, result: UUID) -> Response:
    """Show what became of each email."""
    with transaction_of(request) as (tx, session):
        content = page_results.load(tx, result, session.member.id)
        if content is None or "decided" not in content:
            raise NotFound("This result was not kept. The outbox shows what is planned.")
        return page(
            request,
            "decided_emails.html",
            lines=[_shown(each) for each in content["decided"]],
            changed=sum(each["changed"] for each in content["decided"]),
            back=content["back"],
        )


def _ids(ticked: list[str]) -> list[UUID]:
    return [known for each in ticked[:MOST] if (known := id_of(each)) is not None]


def _whose(session: Session) -> Whose:
    return Whose(session.member.organization_id, None if manages(session) else session.member.id)


def _list(filled: Filled) -> str:
    kept = [("which", "held"), ("whose", "all")]
    asked = "&".join(f"{name}={value}" for name, value in kept if filled.get(name) == value)
    return f"/outbox?{asked}" if asked else "/outbox"


def _change(do: Do, at: str, zone: str) -> Change:
    match do:
        case "skip":
            return Skip()
        case "cancel":
            return Cancel()
        case "later":
            return NotBefore(local_time(at, zone, "at"))


def _shown(kept: Mapping[str, Any]) -> dict[str, Any]:
    due_at = kept["due_at"]
    return {**kept, "due_at": None if due_at is None else datetime.fromisoformat(due_at)}


def _kept(each: Decided, do: str) -> dict[str, object]:
    return {
        "person": each.person,
        "position": each.position,
        "changed": each.changed,
        "refused": "" if each.refused is None else said(each.refused),
        "said": _DONE.get(do, ""),
        "due_at": None if each.due_at is None else each.due_at.isoformat(),
    }
