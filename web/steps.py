"""Write, change, move and remove the steps of a sequence."""

from collections.abc import Callable
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response

from actions import steps
from db.access.sessions import Session
from db.sequences import built
from db.sequences.built import Built, BuiltStep
from domain.approval import StepKind, read_kind
from domain.delay import UNITS, delay_of, parse_delay
from domain.errors import InvalidInput, NotFound, OnbehalfError
from domain.hand_edits import AddStep, ChangeStep, Edit, MoveStep, Overtaken, RemoveStep, words
from domain.step_edits import Known, Words
from web.changes import ask, kept
from web.forms import REFUSED, Filled, PageForm, Typed, again, number_of
from web.pages import form_alone, go, page
from web.protection import Runtimed, SignedIn, transaction_of
from web.sequences import Line, line_of

router = APIRouter(prefix="/sequences")

_PLACES = {"delay": "wait", "at": "at", "kind": "kind", "subject": "subject", "body": "body"}
_COMMON = (
    *("first_name", "last_name", "full_name", "company", "title", "location", "email"),
    *("sender_first_name", "sender_name", "sender_email"),
)


class StepForm(PageForm):
    """``wait``, ``unit`` and ``at``: the delay. ``kind``: of the step. ``thread``: same or new. ``version``: of the step that was shown. ``key``: of the form."""

    wait: str = ""
    unit: str = "days"
    at: str = ""
    kind: str = ""
    thread: str = "same"
    subject: str = ""
    body: str = ""
    position: str = ""
    version: str = ""
    key: str = ""


class MoveForm(PageForm):
    """``was``: the position that was shown. ``to``: where it goes."""

    was: str = ""
    to: str = ""


@router.get("/{sequence:uuid}/steps/new")
def write_step(request: Request, sequence: UUID) -> Response:
    """Show an empty step."""
    place = request.query_params.get("at", "")
    with transaction_of(request):
        line = line_of(request, sequence)
        return _new_step(request, line.id, Filled({"key": str(uuid4()), "position": place}))


def _new_step(request: Request, sequence_id: UUID, filled: Filled, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, _):
        found = built.built(tx, sequence_id)
        present = built.steps_of(tx, sequence_id)
        position = min(number_of(str(filled.get("position"))) or len(present) + 1, len(present) + 1)
        defaults = {
            "wait": "0" if position == 1 else "3",
            "unit": "days" if position == 1 else "business days",
        }
        values = {
            **defaults,
            "kind": StepKind.AUTOMATIC.value,
            "thread": "new" if position == 1 else "same",
            **filled.values,
        }
        return _step_page(
            request, found, present, position, None, Filled(values, filled.errors), status=status
        )


@router.get("/{sequence:uuid}/steps/{step:uuid}")
def show_step(request: Request, sequence: UUID, step: UUID) -> Response:
    """Show a step to be changed."""
    with transaction_of(request) as (tx, _):
        line = line_of(request, sequence)
        found, present = built.built(tx, line.id), built.steps_of(tx, line.id)
        here = _step(present, step)
        return _step_page(request, found, present, here.position, here, _as_form(here))


def _step_page(
    request: Request,
    found: Built,
    present: list[BuiltStep],
    position: int,
    step: BuiltStep | None,
    filled: Filled,
    *,
    theirs: Known | None = None,
    status: int = 200,
) -> Response:
    return page(
        request,
        "step.html",
        status=status,
        found=found,
        steps=present,
        position=position,
        step=step,
        filled=filled,
        theirs=theirs,
        units=list(UNITS)[: None if filled.get("unit") == "seconds" else -1],
        fields=_fields(found),
    )


def _fields(found: Built) -> list[tuple[str, str]]:
    """Fields to insert: how each is written, and what it is."""
    named = [*_COMMON, *found.fields]
    return [("{{" + each + "}}", each.replace("_", " ").capitalize()) for each in named]


def _as_form(step: BuiltStep) -> Filled:
    delay = parse_delay(step.delay)
    wait, unit = delay.parts
    return Filled(
        {
            "wait": str(wait),
            "unit": unit,
            "at": "" if delay.at is None else f"{delay.at:%H:%M}",
            "kind": step.kind,
            "thread": "same" if step.subject is None else "new",
            "subject": step.subject or "",
            "body": step.body,
            "version": str(step.version),
        }
    )


@router.post("/{sequence:uuid}/steps/new")
def add(
    request: Request, line: Line, runtime: Runtimed, session: SignedIn, form: Typed[StepForm]
) -> Response:
    """Add a step. A repeated request adds nothing more."""

    def wanted() -> Edit:
        step_id = steps.new_step_id(line.id, form.key)
        return AddStep(step_id, number_of(form.position) or 99, _words(form))

    return _save(
        request, line.id, runtime, session, wanted,
        lambda error: _new_step(request, line.id, again(form.typed(), error, _PLACES), status=422),
    )  # fmt: skip


@router.post("/{sequence:uuid}/steps/{step:uuid}")
def change_step(
    request: Request, line: Line, runtime: Runtimed, session: SignedIn, step: UUID, form: Typed[StepForm]
) -> Response:
    """Change a step. If somebody has changed it since, both texts are shown and nothing is saved."""

    def refused(error: OnbehalfError) -> Response:
        theirs = error.present if isinstance(error, Overtaken) else None
        typed = form.typed() | ({} if theirs is None else {"version": str(theirs.version)})
        filled = again(typed, error, _PLACES)
        with transaction_of(request) as (tx, _):
            found, present = built.built(tx, line.id), built.steps_of(tx, line.id)
            here = next((each for each in present if each.id == step), None)
            if here is None:  # removed: what was typed may become a new step
                filled = Filled({**filled.values, "key": str(uuid4())}, filled.errors)
            position = len(present) + 1 if here is None else here.position
            status = 409 if isinstance(error, Overtaken) else 422
            return _step_page(request, found, present, position, here, filled, theirs=theirs, status=status)

    def wanted() -> Edit:
        return ChangeStep(step, number_of(form.version), _words(form))

    return _save(request, line.id, runtime, session, wanted, refused)


@router.post("/{sequence:uuid}/steps/{step:uuid}/move")
def move(
    request: Request, line: Line, runtime: Runtimed, session: SignedIn, step: UUID, form: Typed[MoveForm]
) -> Response:
    """Move a step to another place."""
    return _save(
        request, line.id, runtime, session,
        lambda: MoveStep(step, number_of(form.was), number_of(form.to)),
        lambda error: go(request, f"/sequences/{line.id}", str(error)),
    )  # fmt: skip


@router.get("/{sequence:uuid}/steps/{step:uuid}/remove")
def ask_removal(request: Request, sequence: UUID, step: UUID) -> Response:
    """Ask before a step is removed, with what that means for the people in the sequence."""
    with transaction_of(request) as (tx, _):
        line = line_of(request, sequence)
        here = _step(built.steps_of(tx, line.id), step)
        return ask(request, line.id, kept(RemoveStep(step, here.version)))


form_alone(router, "/{sequence:uuid}/steps/{step:uuid}/move", to="/sequences/{sequence}")


def _save(
    request: Request,
    sequence_id: UUID,
    runtime: Runtimed,
    session: Session,
    wanted: Callable[[], Edit],
    refused: Callable[[OnbehalfError], Response],
) -> Response:
    """Edit at once if nobody has had anything, else ask first."""
    with transaction_of(request) as (tx, _):
        found = built.built(tx, sequence_id)
        ran = found.people and (
            found.status != "draft" or any(each.sent for each in built.steps_of(tx, sequence_id))
        )
    try:
        edit = wanted()
        if ran and steps.preview(runtime, sequence_id, edit):
            return ask(request, sequence_id, kept(edit))
        steps.edit(runtime, sequence_id, edit, actor=session.member.name)
    except REFUSED as error:
        return refused(error)
    return go(request, f"/sequences/{sequence_id}", "Saved.")


def _words(form: StepForm) -> Words:
    delay = str(delay_of(_wait(form.wait), form.unit, form.at))
    kind = read_kind(form.kind) if form.kind else None
    new = form.thread == "new" and kind is not StepKind.TASK
    if new and not form.subject.strip() and number_of(form.position) != 1:
        raise InvalidInput("A new thread needs a subject", where="subject", fix="Write one.")
    return words(delay, form.subject if new else None, form.body, kind)


def _step(present: list[BuiltStep], step_id: UUID) -> BuiltStep:
    for each in present:
        if each.id == step_id:
            return each
    raise NotFound("There is no such step any more.")


def _wait(text: str) -> int:
    if text.strip() != "0" and not number_of(text):
        raise InvalidInput("This is not a number", where="delay", fix="Write a number, such as 3.")
    return number_of(text)
