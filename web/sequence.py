"""One sequence: its steps, its people, what it lacks, and what one can do with it."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from actions import building, withdraw
from db.access import authority
from db.access.sessions import Session
from db.core.session import Transaction
from db.sending import waits
from db.sequences import built, draft_sequences, handover_requests
from db.views import audit_list, sequence_people
from db.views.audit_list import Happened
from db.views.people import STATES
from db.views.sequence_people import PER_PAGE
from domain.audit_words import sentence
from domain.completeness import Lack, Place
from domain.delay import parse_delay
from domain.event_types import PAUSED_BECAUSE
from domain.reasons import because
from web.audit import KINDS
from web.forms import PageForm, Typed, id_of, number_of
from web.pages import Link, counted, form_alone, go, page
from web.protection import Runtimed, SignedIn, transaction_of
from web.remedies import change_sender, remedies
from web.results import see
from web.rooms import withdraws
from web.sequences import Line, draft_key, line_of

router = APIRouter(prefix="/sequences")


class KeyForm(PageForm):
    """``key``: of the form, so that a second click makes nothing more."""

    key: str = ""


@router.get("/{sequence:uuid}")
def show(request: Request, sequence: UUID) -> Response:
    """Show a sequence: its steps or, with ``tab=people``, who is in it, with ``tab=history``, who did what to it."""
    tab = request.query_params.get("tab", "")
    with transaction_of(request) as (tx, session):
        line = line_of(request, sequence)
        found, steps = built.built(tx, line.id), built.steps_of(tx, line.id)
        blockers = authority.blockers(tx, [line.id])[line.id]
        lacks = [] if line.status == "archived" else draft_sequences.lacking(tx, line.id, sender=blockers)
        match tab:
            case "people":
                shown = _people(request, tx, line.id)
            case "history":
                shown = _history(request, tx, session, line.id)
            case _:
                tab, shown = "", {"results": sequence_people.results(tx, line.id)}
        return page(
            request,
            "sequence.html",
            line=line,
            found=found,
            steps=[(each, in_words(each.delay)) for each in steps],
            lacks=[(each, _remedy(each, line.id, [step.id for step in steps])) for each in lacks],
            can_start=not any(each.blocks for each in lacks),
            tab=tab,
            total=sequence_people.count(tx, line.id),
            waits=waits.of_sequences(tx, [line.id]).get(line.id, ""),
            because=PAUSED_BECAUSE,
            remedies=remedies(tx, [line], session.member.id)[line.id] if line.status == "paused" else [],
            change_sender=change_sender(line.id, line.owner_id).path,
            asked=handover_requests.open_of(tx, line.id),
            key=draft_key(session),
            **shown,
        )


def _people(request: Request, tx: Transaction, sequence_id: UUID) -> dict[str, Any]:
    """A page of people, as the address asks for."""
    asked = request.query_params
    state = found if (found := asked.get("state", "")) in STATES else ""
    step, search = number_of(asked.get("step", "")), asked.get("q", "")[:100].strip()
    after = id_of(asked.get("after", ""))
    lines = sequence_people.page(tx, sequence_id, search=search, state=state, step=step, after=after)
    shown = lines[:PER_PAGE]
    return {
        "lines": shown,
        "matching": sequence_people.count(tx, sequence_id, search=search, state=state, step=step),
        "next": str(shown[-1].id) if len(lines) > len(shown) else "",
        "first": after is not None,
        "states": STATES,
        "state": state,
        "step": step,
        "search": search,
    }


def _history(request: Request, tx: Transaction, session: Session, sequence_id: UUID) -> dict[str, Any]:
    """A page of what the audit trail says of the sequence."""
    before = id_of(request.query_params.get("before", ""))
    lines = audit_list.of_sequence(tx, session.member.organization_id, sequence_id, before=before)
    shown = lines[: audit_list.PER_PAGE]
    return {
        "entries": [(each, sentence(each.action), _said(each)) for each in shown],
        "next": str(shown[-1].id) if len(lines) > len(shown) else "",
        "first": before is not None,
        "kinds": KINDS,
    }


def _said(entry: Happened) -> str:
    """What somebody wrote with it, or why it happened."""
    said = str(entry.data.get("reason") or "")
    words = next((words for kind, words in PAUSED_BECAUSE.items() if kind == said), "") or because(said)
    return "" if "{" in words or said == "on the Sequences page" else words[:1].upper() + words[1:]


def in_words(delay: str) -> str:
    """Return ``3 business days later``, ``1 business day later, at 09:00`` or ``at once``."""
    found = parse_delay(delay)
    count, unit = found.parts
    clock = "" if found.at is None else f", at {found.at:%H:%M}"
    return f"{counted(count, unit.removesuffix('s'), unit)} later{clock}" if count else "at once"


def _remedy(lack: Lack, sequence_id: UUID, steps: list[UUID]) -> Link | None:
    """Where somebody mends that."""
    here = f"/sequences/{sequence_id}"
    match lack.place:
        case Place.NAME:
            return Link("Name it", f"{here}/settings")
        case Place.STEPS:
            return Link("Add a step", f"{here}/steps/new")
        case Place.STEP:
            return Link(f"Open step {lack.step}", f"{here}/steps/{steps[lack.step - 1]}")
        case Place.SENDER:
            return Link("Change sender", f"{here}/settings")
        case Place.PEOPLE if not steps:
            return None  # nobody can join before there is a step
        case Place.PEOPLE:
            return Link("Add people", f"/people/import?sequence={sequence_id}")


@router.post("/{sequence:uuid}/duplicate")
def duplicate(
    line: Line, request: Request, runtime: Runtimed, session: SignedIn, form: Typed[KeyForm]
) -> Response:
    """Make a draft with the same steps. A second click leads to the same one."""
    made, _ = building.duplicate(
        runtime, line.id, owner_id=session.member.id, key=form.key, actor=session.member.name
    )
    return go(request, f"/sequences/{made}", f"This is a copy of {line.name}, with nobody in it.")


@router.get("/{sequence:uuid}/archive")
def ask_archive(request: Request, sequence: UUID) -> Response:
    """Ask before a sequence ends for good."""
    with transaction_of(request):
        return page(request, "archive.html", line=line_of(request, sequence))


@router.post("/{sequence:uuid}/archive")
@withdraws
def archive(line: Line, runtime: Runtimed, session: SignedIn) -> Response:
    """End a sequence for good; answers when none of its emails can leave any more."""
    answer = withdraw.archive_sequence(
        runtime, line.id, actor=session.member.name, reason="on the Sequences page"
    )
    return see(answer)


form_alone(router, "/{sequence:uuid}/duplicate", to="/sequences/{sequence}")
