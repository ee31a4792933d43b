"""What a sequence lacks before it can start, each with the place where somebody can mend that."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain import merge


class Place(StrEnum):
    """Where to go. ``STEP``: a step that exists."""

    NAME = "name"
    STEPS = "steps"
    STEP = "step"
    SENDER = "sender"
    PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class Lack:
    """``what``: a sentence with its fix. ``step``: its position, or 0. ``blocks``: the sequence cannot start without it."""

    what: str
    place: Place
    step: int = 0
    blocks: bool = True


@dataclass(frozen=True, slots=True)
class StepText:
    """What a step says. ``subject`` None: same thread, or a task."""

    subject: str | None
    body: str
    is_task: bool = False


def lacks(
    *,
    name: str,
    steps: Sequence[StepText],
    fields: Collection[str],
    sender: Sequence[str],
    people: bool,
) -> list[Lack]:
    """Return everything that is missing, in the order in which one builds a sequence.

    ``fields``: the sequence's own. ``sender``: why it cannot send, in sentences.
    ``people``: is anybody in it? A sequence can start without; whoever joins later gets the first step.
    """
    found = []
    if not name.strip():
        found.append(Lack("It has no name: give it one.", Place.NAME))
    if not steps:
        found.append(Lack("It has no steps: add at least one.", Place.STEPS))
    first = next((number for number, each in enumerate(steps, start=1) if not each.is_task), 0)
    if first and not (steps[first - 1].subject or "").strip():
        found.append(
            Lack(
                f"Step {first} has no subject: only later emails can answer in the same thread.",
                Place.STEP,
                first,
            )
        )
    found += [
        Lack(
            f"Step {number} does not say what to do: write it."
            if each.is_task
            else f"Step {number} has no text: write one.",
            Place.STEP,
            number,
        )
        for number, each in enumerate(steps, start=1)
        if not each.body.strip()
    ]
    found += wrong_fields(steps, fields)
    found += [Lack(each, Place.SENDER) for each in sender]
    if not people:
        found.append(Lack("Nobody is in it yet: add people.", Place.PEOPLE, blocks=False))
    return found


def wrong_fields(steps: Sequence[StepText], fields: Collection[str]) -> list[Lack]:
    """Return the template errors in the steps' texts, each with the correct spelling."""
    allowed = merge.STANDARD_FIELDS | set(fields)
    return [
        Lack(f"Step {number}: {each.what}. {each.fix}".strip(), Place.STEP, number)
        for number, step in enumerate(steps, start=1)
        for template in (step.subject or "", step.body)
        for each in merge.check(template, allowed)
    ]
