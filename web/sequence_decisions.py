"""What somebody decides about several at once, after one page that says what it does: people of a sequence, and sequences."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from actions import resume, withdraw
from db.core.session import Transaction
from db.views import overviews, sequence_people
from db.views.overviews import SequenceLine
from db.views.sequence_people import PersonLine
from domain.errors import NotFound, NotPermitted
from domain.withdrawal import WithdrawalResult
from web.forms import PageForm, Typed, id_of
from web.pages import Link, counted, go, page
from web.protection import Runtimed, SignedIn, manages, transaction_of
from web.rooms import withdraws
from web.sequences import Line, line_of

router = APIRouter(prefix="/sequences")

MOST = 50  # one page of a list
_REASON = "by_hand"
# Whom each verb changes, by where they stand in the sequence.
_MAY = {
    "pause": ("active",),
    "stop": ("active", "paused"),
    "resume": ("paused",),
}


class PeopleForm(PageForm):
    """``person``: enrollments. ``do``: what happens to them."""

    person: list[str] = Field(default_factory=list)
    do: Literal["pause", "resume", "stop"] = "pause"


class SequencesForm(PageForm):
    """``sequence``: which. ``do``: what happens to them."""

    sequence: list[str] = Field(default_factory=list)
    do: Literal["pause", "archive"] = "pause"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whom a decision changes, and who is left as they are."""

    people: list[PersonLine]
    others: list[PersonLine]


def _ids(texts: list[str]) -> list[UUID]:
    found = [known for each in texts[:MOST] if (known := id_of(each)) is not None]
    return list(dict.fromkeys(found))


def _chosen(tx: Transaction, sequence_id: UUID, ids: list[UUID], do: str) -> Chosen:
    lines = sequence_people.chosen(tx, sequence_id, ids)
    # Who lacks a field, or may have opted out, is decided about where that is said.
    may = [
        each for each in lines if each.status in _MAY[do] and (do != "resume" or each.standing == "paused")
    ]
    return Chosen(may, [each for each in lines if each not in may])


@router.get("/{sequence:uuid}/people/decide")
def ask(request: Request, sequence: UUID) -> Response:
    """Say what pausing, stopping or resuming some people does. Changes nothing."""
    asked = request.query_params
    do = asked.get("do", "")
    with transaction_of(request) as (tx, _):
        line = line_of(request, sequence)
        back = f"/sequences/{line.id}?tab=people"
        if do not in _MAY:
            raise NotFound("There is nothing to decide here.")
        found = _chosen(tx, line.id, _ids(asked.getlist("person")), do)
        if not found.people and not found.others:
            return go(request, back, "Choose people in the list first.")
        leaves = None
        if do == "resume" and line.status == "active":
            plans = resume.previews_of_people(tx, line.id, [each.id for each in found.people])
            leaves = min(
                (each.send_at for plan in plans for each in plan.planned if each.send_at), default=None
            )
        return page(request, "decide_people.html", line=line, found=found, do=do, back=back, leaves=leaves)


@router.post("/{sequence:uuid}/people/decide")
@withdraws
def decide(
    request: Request, line: Line, runtime: Runtimed, session: SignedIn, form: Typed[PeopleForm]
) -> Response:
    """Do it. A repeated request changes nothing more."""
    back, actor = f"/sequences/{line.id}?tab=people", session.member.name
    with transaction_of(request) as (tx, _):
        found = _chosen(tx, line.id, _ids(form.person), form.do)
    ids = [each.id for each in found.people]
    if not ids:
        return go(request, back, "Nobody was left to change.")
    who = found.people[0].name if len(ids) == 1 else counted(len(ids), "person", "people")
    is_are = "is" if len(ids) == 1 else "are"
    try:
        if form.do == "resume":
            done = resume.resume_people(runtime, line.id, ids, actor=actor)
            return go(request, back, f"{who} {is_are} resumed." if done else "Nobody was left to resume.")
    except NotPermitted as error:
        return go(request, back, str(error))
    status: Literal["paused", "stopped"] = "paused" if form.do == "pause" else "stopped"
    answer = withdraw.end_enrollments(runtime, line.id, ids, status, actor=actor, reason=_REASON)
    return go(request, back, f"{who} {is_are} {status} in {line.name}. {_answered(answer)}", _result(answer))


def _answered(answer: WithdrawalResult) -> str:
    stopped = f"{counted(answer.stopped, 'email', 'emails')} stopped"
    if answer.complete:
        return f"{stopped}, nothing can leave now."
    return f"{stopped}, {counted(len(answer.in_doubt), 'email', 'emails')} in doubt: we are looking."


def _result(answer: WithdrawalResult) -> Link:
    return Link("See the result", f"/withdrawals/{answer.withdrawal_id}")


@router.get("/decide")
def ask_about_sequences(request: Request) -> Response:
    """Say what pausing or archiving some sequences does. Changes nothing."""
    asked = request.query_params
    do = asked.get("do", "")
    if do not in ("pause", "archive"):
        raise NotFound("There is nothing to decide here.")
    with transaction_of(request):
        lines, others = _sequences(request, _ids(asked.getlist("sequence")), do)
        if not lines and not others:
            return go(request, "/sequences", "Choose sequences in the list first.")
        return page(request, "decide_sequences.html", lines=lines, others=others, do=do, back="/sequences")


@router.post("/decide")
@withdraws
def decide_about_sequences(
    request: Request, runtime: Runtimed, session: SignedIn, form: Typed[SequencesForm]
) -> Response:
    """Do it; answers when none of their emails can leave any more. A repeated request changes nothing more."""
    lines, _others = _sequences(request, _ids(form.sequence), form.do)
    if not lines:
        return go(request, "/sequences", "No sequence was left to change.")
    try:
        answer = withdraw.end_sequences(
            runtime,
            [each.id for each in lines],
            archive=form.do == "archive",
            actor=session.member.name,
            reason="on the Sequences page",
        )
    except NotPermitted as error:
        return go(request, "/sequences", str(error))
    done = "archived" if form.do == "archive" else "paused"
    which = lines[0].name if len(lines) == 1 else counted(len(lines), "sequence", "sequences")
    said = f"{which} {'is' if len(lines) == 1 else 'are'} {done}. {_answered(answer)}"
    return go(request, "/sequences", said)


def _sequences(request: Request, ids: list[UUID], do: str) -> tuple[list[SequenceLine], list[SequenceLine]]:
    """Return those that it changes, and those that it leaves as they are. Raises ``NotFound`` for one that is not the member's."""
    with transaction_of(request) as (tx, session):
        owner = None if manages(session) else session.member.id
        lines = [overviews.sequence_of(tx, each, session.member.organization_id, owner) for each in ids]
    may = [
        each for each in lines if each.status == "active" or (do == "archive" and each.status != "archived")
    ]
    return may, [each for each in lines if each not in may]
