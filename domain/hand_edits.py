"""Edit a sequence by hand: one step is added, changed, moved or removed.

A step keeps its id, so what people have had stays theirs. An edit names what its author saw. If somebody has changed that
since, it is ``Overtaken`` and changes nothing. An edit that is done already changes nothing either.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never
from uuid import UUID

from domain import task
from domain.approval import StepKind
from domain.delay import parse_delay
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.message import MAX_BODY, MAX_SUBJECT
from domain.step_edits import Known, Words

MAX_STEPS = 50
Steps = list[tuple[UUID, Words]]


@dataclass(frozen=True, slots=True)
class AddStep:
    """A new step. ``id``: its own, so that a repeated request adds nothing more. ``position``: from 1, or the end."""

    id: UUID
    position: int
    words: Words


@dataclass(frozen=True, slots=True)
class ChangeStep:
    """Other words or another delay. ``version``: of the step that its author saw."""

    id: UUID
    version: int
    words: Words


@dataclass(frozen=True, slots=True)
class MoveStep:
    """Another place. ``was``: the position that its author saw."""

    id: UUID
    was: int
    to: int


@dataclass(frozen=True, slots=True)
class RemoveStep:
    """No such step any more. ``version``: of the step that its author saw."""

    id: UUID
    version: int


Edit = AddStep | ChangeStep | MoveStep | RemoveStep


class Overtaken(NotPermitted):
    """Somebody else has edited this since. ``present``: the step as it is now, or None."""

    def __init__(self, what: str, present: Known | None = None) -> None:
        self.present = present
        super().__init__(what)


def words(delay: str, subject: str | None, body: str, kind: StepKind | None = None) -> Words:
    """Return a step's words, tidied. ``subject`` None: same thread, or a task; ``kind`` None: unchanged. Raises ``InvalidInput`` naming the field."""
    line = None if subject is None else subject.strip()
    if line is not None and any(not each.isprintable() for each in line):
        raise InvalidInput("A subject is one line", where="subject", fix="Remove the line break.")
    if line is not None and len(line) > MAX_SUBJECT:
        raise InvalidInput(
            f"A subject has at most {MAX_SUBJECT} characters", where="subject", fix="Shorten it."
        )
    text = body.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    if len(text) > MAX_BODY:
        raise InvalidInput(f"A text has at most {MAX_BODY // 1024} KiB", where="body", fix="Shorten it.")
    if kind is StepKind.TASK:
        task.check(text)
        line = None
    return Words(str(parse_delay(delay)), line, text, kind=kind)


def apply(known: Sequence[Known], edit: Edit) -> Steps:
    """Return the steps after the edit, in order. ``known``: every step that the sequence has or had.

    Raises ``NotFound``, ``InvalidInput``, ``Overtaken``.
    """
    steps: Steps = [
        (each.id, each.words) for each in sorted(known, key=lambda each: each.position) if not each.retired
    ]
    match edit:
        case AddStep():
            _add(known, steps, edit)
        case ChangeStep():
            at, step = _find(known, steps, edit.id)
            _check_kind(step, edit.words)
            _check_version(step, edit.version, done=_same(step.words, edit.words))
            steps[at] = (step.id, _with_key(edit.words, step))
        case MoveStep():
            at, step = _find(known, steps, edit.id)
            to = min(max(edit.to, 1), len(steps))
            if at + 1 not in (edit.was, to):
                raise Overtaken(f"Somebody has moved this step: it is step {at + 1} now.", step)
            steps.insert(to - 1, steps.pop(at))
        case RemoveStep():
            retired = next((each for each in known if each.id == edit.id), None)
            if retired is None or not retired.retired:
                at, step = _find(known, steps, edit.id)
                _check_version(step, edit.version, done=False)
                steps.pop(at)
        case _:
            assert_never(edit)
    first = next((step_id for step_id, each in steps if not each.is_task), None)
    return [(step_id, _in_place(each, first=step_id == first)) for step_id, each in steps]


def _add(known: Sequence[Known], steps: Steps, edit: AddStep) -> None:
    if any(each.id == edit.id for each in known):
        return  # done before; whoever removed it since is not overruled
    if len(steps) >= MAX_STEPS:
        raise InvalidInput(
            f"A sequence has at most {MAX_STEPS} steps", where="position", fix="Remove one first."
        )
    steps.insert(min(max(edit.position, 1), len(steps) + 1) - 1, (edit.id, edit.words))


def _find(known: Sequence[Known], steps: Steps, step_id: UUID) -> tuple[int, Known]:
    step = next((each for each in known if each.id == step_id), None)
    if step is None:
        raise NotFound("There is no such step.")
    if step.retired:
        raise Overtaken("Somebody has removed this step.")
    return [each for each, _ in steps].index(step_id), step


def _check_version(step: Known, version: int, *, done: bool) -> None:
    if step.version != version and not done:
        raise Overtaken("Somebody has changed this step since you opened it.", step)


def _check_kind(step: Known, wanted: Words) -> None:
    """What somebody has had as an email cannot have been a call, so a step of the other kind is another step."""
    if wanted.kind is not None and wanted.is_task != step.words.is_task:
        raise InvalidInput(
            "An email stays an email, and a task stays a task",
            where="kind",
            fix="Add a step of the other kind, then remove this one.",
        )
    if step.words.is_task:
        task.check(wanted.body)


def _same(present: Words, wanted: Words) -> bool:
    kind = present.kind if wanted.kind is None else wanted.kind
    return (present.delay, present.subject or None, present.body, present.kind) == (
        wanted.delay,
        wanted.subject or None,
        wanted.body,
        kind,
    )


def _with_key(said: Words, step: Known) -> Words:
    return replace(said, key=step.words.key, kind=said.kind or step.words.kind)


def _in_place(said: Words, *, first: bool) -> Words:
    """Only a later email can answer in the thread before: the first has a subject, if only an empty one that is still missing."""
    subject = None if said.is_task else said.subject or ("" if first else None)
    return replace(said, subject=subject)
