"""Tasks: steps that a person does by hand, such as a call. A task sends nothing, and the sequence waits for it.

The first line of its text says what to do; the rest is a note. Its person gets the next step after somebody has done or skipped it,
with that step's delay from then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.errors import InvalidInput
from domain.merge import BadTemplate, fields_in, fill

WAITS = "waits_for_task"  # why the row of an open task is held
DONE = "task_done"  # why it is closed
MAX_TEXT = 4_000  # characters
_MAX_TITLE = 120
NO_EMAIL = "This is a task, and sends nothing. Mark it done, or skip it."


class Outcome(StrEnum):
    """What became of a task, as its row says."""

    DONE = "done"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Settled:
    """Who (``by``: a name) has done or skipped a task, and when (``at``: aware)."""

    by: str
    at: datetime

    @classmethod
    def from_json(cls, value: Mapping[str, str]) -> "Settled":
        """As kept with its row."""
        return cls(value["by"], datetime.fromisoformat(value["at"]))

    def to_json(self) -> dict[str, str]:
        """As kept with its row."""
        return {"by": self.by, "at": self.at.isoformat()}


@dataclass(frozen=True, slots=True)
class Said:
    """What a task says to whoever does it. ``note``: perhaps empty."""

    title: str
    note: str


def said(template: str, values: Mapping[str, str]) -> Said:
    """Fill the fields in, as in emails. An empty field without a fallback holds up nobody: it says that it is missing."""
    empty = {
        each.name: f"({each.name.replace('_', ' ')} is missing)"
        for each in fields_in(template)
        if not each.fallback and each.name in values and not values[each.name].strip()
    }
    try:
        text = fill(template, {**values, **empty}, escape=str)
    except BadTemplate:
        text = template
    return split(text)


def split(text: str) -> Said:
    """Return the first line, cut short if it is long, and the rest."""
    line, _, note = text.strip().partition("\n")
    if len(line) > _MAX_TITLE:
        return Said(f"{line[:_MAX_TITLE].rstrip()}…", text.strip())
    return Said(line.strip(), note.strip())


def check(text: str) -> None:
    """Refuse a text that is too long for a task. Raises ``InvalidInput``."""
    if len(text) > MAX_TEXT:
        raise InvalidInput(f"A task has at most {MAX_TEXT:,} characters", where="body", fix="Shorten it.")
