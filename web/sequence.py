"""One sequence: its steps, its people, what it lacks, and what one can do with it."""

from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response

from actions import building, withdraw
from db.access import authority
from db.sending import waits
from db.sequences import built, draft_sequences, handover_requests
from db.views import sequence_people
from db.views.sequence_people import PER_PAGE, STATES
from domain.completeness import Lack, Place
from domain.delay import parse_delay
from domain.event_types import PAUSED_BECAUSE
from web.forms import PageForm, Typed, id_of
from web.pages import Link, counted, form_alone, go, page
from web.protection import Runtimed, SignedIn, transaction_of
from web.results import see
from web.rooms import withdraws
from web.sequences import Line, line_of

router = APIRouter(prefix="/sequences")


class KeyForm(PageForm):
    """``key``: of the form, so that a second click makes nothing more."""

    key: str = ""


@router.get("/{sequence:uuid}")
def show(request: Request, sequence: UUID) -> Response:
    """Show a sequence: its steps or, with ``tab=people``, who is in it."""
    asked = request.query_params
    state, search = asked.get("state", ""), asked.get("q", "")[:100].strip()
    state = state if state in STATES else ""
    after = id_of(asked.get("after", ""))
    with transaction_of(request) as (tx, _):
        line = line_of(request, sequence)
        found, steps = built.built(tx, line.id), built.steps_of(tx, line.id)
        blockers = authority.blockers(tx, [line.id])[line.id]
        lacks = [] if line.status == "archived" else draft_sequences.lacking(tx, line.id, sender=blockers)
        people = asked.get("tab") == "people"
        lines = sequence_people.page(tx, line.id, search=search, state=state, after=after) if people else []
        shown = lines[:PER_PAGE]
        return page(
            request,
            "sequence.html",
            line=line,
            found=found,
            steps=[(each, in_words(each.delay)) for each in steps],
            lacks=[(each, _remedy(each, line.id, [step.id for step in steps])) for each in lacks],
            can_start=not any(each.blocks for each in lacks),
            people=people,
            lines=shown,
            total=sequence_people.count(tx, line.id),
            matching=sequence_people.count(tx, line.id, search=search, state=state) if people else 0,
            next=str(shown[-1].id) if len(lines) > len(shown) else "",
            states=STATES,
            state=state,
            search=search,
            waits=waits.of_sequences(tx, [line.id]).get(line.id, ""),
            because=PAUSED_BECAUSE,
            asked=handover_requests.open_of(tx, line.id),
            key=str(uuid4()),
        )


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
