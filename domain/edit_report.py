"""Say what an edit of a running sequence means for the people in it.

The import and its preview print these sentences.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.approval import StepKind


@dataclass(frozen=True, slots=True)
class NewStep:
    """A step that the edit adds, and how many people it concerns.

    ``get``: in progress, and will get it; ``passed``: already past its place; ``had``: have had its words
    already; ``finished``: had finished the sequence.
    """

    position: int
    get: int
    passed: int
    had: int
    finished: int


@dataclass(frozen=True, slots=True)
class Reworded:
    """A reworded step.

    ``had``: people who have had its former text; ``knew``: people who have had the new text as another step;
    ``get``: everybody else.
    """

    position: int
    get: int
    had: int
    knew: int = 0


@dataclass(frozen=True, slots=True)
class Rekinded:
    """A step of another kind than before. ``get``: people who will get it."""

    position: int
    kind: StepKind
    get: int


@dataclass(frozen=True, slots=True)
class Removed:
    """A step taken out. ``waited``: people who waited for it; ``under_way``: those whose email is being sent."""

    position: int
    waited: int
    under_way: int


@dataclass(frozen=True, slots=True)
class Moved:
    """A step that has another position now."""

    position: int
    before: int


@dataclass(frozen=True, slots=True)
class Times:
    """Due times that changed: how many people's, and the earliest and latest one before and after."""

    people: int
    before: tuple[datetime, datetime]
    after: tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class EditReport:
    """All that an edit changes.

    ``changed``: something was written. ``kept_time``: people whose email is being sent right now and keeps its
    time. ``goes_on``: people who had finished and continue; ``done``: people who have nothing left to get.
    """

    changed: bool = False
    new: Sequence[NewStep] = ()
    reworded: Sequence[Reworded] = ()
    rekinded: Sequence[Rekinded] = ()
    removed: Sequence[Removed] = ()
    moved: Sequence[Moved] = ()
    times: Times | None = None
    kept_time: int = 0
    goes_on: int = 0
    done: int = 0

    def __bool__(self) -> bool:
        return self.changed

    def sentences(
        self, *, continue_by: str = "import the file with --continue", zone: str = "UTC"
    ) -> list[str]:
        """One sentence for each change that people notice.

        ``continue_by``: how people who have finished get a new step. ``zone``: of the times.
        """
        return [
            *(_new(each, continue_by) for each in self.new),
            *(_reworded(each) for each in self.reworded),
            *(_rekinded(each) for each in self.rekinded),
            *(f"Step {each.position} was step {each.before}." for each in self.moved),
            *(_removed(each) for each in self.removed),
            *([] if self.times is None else [_times(self.times, zone)]),
            *(
                [
                    f"{_people(self.kept_time, 'keeps', 'keep')} the time planned before: their email is on its way."
                ]
                if self.kept_time
                else []
            ),
            *(
                [f"{_people(self.done, 'has', 'have')} nothing left to get and finished with this edit."]
                if self.done
                else []
            ),
            *(
                [f"{_people(self.goes_on, 'who had finished continues', 'who had finished continue')}."]
                if self.goes_on
                else []
            ),
        ]


def _new(step: NewStep, continue_by: str) -> str:
    parts = [f"Step {step.position} is new: {_people(step.get, 'gets', 'get')} it"]
    if step.passed:
        parts.append(f"{_people(step.passed, 'is', 'are')} already past it")
    if step.had:
        parts.append(
            f"{step.had} {'has' if step.had == 1 else 'have'} had this text before and {'does' if step.had == 1 else 'do'} not get it again"
        )
    text = "; ".join(parts) + "."
    if step.finished:
        text += (
            f" {_people(step.finished, 'has', 'have')} finished and will not get step {step.position}:"
            f" {continue_by}, and they do."
        )
    return text


def _reworded(step: Reworded) -> str:
    text = f"Step {step.position} was reworded: {_people(step.get, 'gets', 'get')} the new text"
    if step.had:
        text += f"; {step.had} {'has' if step.had == 1 else 'have'} had the former text and {'does' if step.had == 1 else 'do'} not get the new one"
    if step.knew:
        text += f"; {step.knew} {'has' if step.knew == 1 else 'have'} had it as another step"
    return text + "."


def _rekinded(step: Rekinded) -> str:
    if step.kind is StepKind.APPROVAL:
        return f"Step {step.position} needs approval from now on: {_people(step.get, 'gets', 'get')} it once somebody has approved their email."
    return f"Step {step.position} needs no approval any more: {_people(step.get, 'gets', 'get')} it when it is due."


def _removed(step: Removed) -> str:
    if not step.waited:
        return f"Step {step.position} is removed: nobody waits for it."
    text = f"Step {step.position} is removed: {_people(step.waited, 'who waited for it continues', 'who waited for it continue')} without it"
    if step.under_way:
        text += f" ({step.under_way} once the email in preparation is dropped; an email already submitted may still arrive)"
    return text + "."


def _times(times: Times, zone: str) -> str:
    before, after = (span(each, zone) for each in (times.before, times.after))
    whose = (
        "The due time of 1 person moves" if times.people == 1 else f"Due times of {times.people} people move"
    )
    return f"{whose} from {before} to {after} ({zone})."


def span(moments: tuple[datetime, datetime], zone: str) -> str:
    """Return the first and the last of them, by the clock of ``zone``."""
    first, last = (f"{each.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" for each in moments)
    return first if first == last else f"{first} … {last}"


def _people(count: int, one: str, more: str) -> str:
    return f"1 person {one}" if count == 1 else f"{count} people {more}"
