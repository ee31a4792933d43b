"""What an import wrote, and everything in the file that it left alone."""

from dataclasses import dataclass, field, fields
from typing import Any

from db.withdrawing.withdrawals import Scope

HOURS_STAY = "keeps its sending hours: the file names none. sending: null removes them."
ANSWERS_SET = "Answers and opt-outs are as the file says, whatever was set on a page."


@dataclass(slots=True)
class ImportSummary:
    """Counts of rows, and sentences. ``left_out``: what no email can contain, by step;
    ``edits``: what changes for people in a sequence; ``left_alone``: what the file says and the import
    did not do; ``asked``: who is asked for something now. ``names``: the organizations in the file.

    ``stopping``: sequences that the file set back to draft; the importer waits until nothing of them can leave.
    """

    organizations: int = 0
    legal_entities: int = 0
    members: int = 0
    mailboxes: int = 0
    grants: int = 0
    sequences: int = 0
    unchanged: int = 0
    left_out: list[str] = field(default_factory=list)
    edits: list[str] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    stopping: list[Scope] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Return the numbers by name."""
        return {
            each.name: value for each in fields(self) if isinstance(value := getattr(self, each.name), int)
        }

    def to_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            **self.counts(),
            **{name: getattr(self, name) for name in ("left_out", "edits", "left_alone", "asked")},
        }

    def count(self, name: str, written: bool) -> None:
        """Count one more row of a kind, or one that was already correct."""
        counted = name if written else "unchanged"
        setattr(self, counted, getattr(self, counted) + 1)
