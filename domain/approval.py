"""Emails that leave only after a person has read and approved them, and only as they were read.

An approval names the text by its mark: of the finished email, with the person's fields. Whatever changes it (the step, an edit, a
field, another sender) makes it another text, which nobody has approved.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.audit import digest
from domain.errors import InvalidInput
from domain.message import OutgoingMessage

WAITS = "waits_for_approval"  # why such an email is held
WAITS_FOR_OWNER = (
    "waits_for_mailbox_owner"  # the first one on a permission whose giver reads it before it leaves
)


class StepKind(StrEnum):
    """What happens when a step comes due."""

    AUTOMATIC = "automatic"  # its email leaves
    APPROVAL = "approval"  # its email leaves after somebody has approved it
    TASK = "task"  # somebody does it by hand, and nothing leaves (``domain.task``)


_IN_WORDS = {
    StepKind.AUTOMATIC: "Email",
    StepKind.APPROVAL: "Email, after approval",
    StepKind.TASK: "Task",
}


def kind_in_words(kind: str) -> str:
    """Say what a kind of step is."""
    return _IN_WORDS[StepKind(kind)]


def read_kind(text: str) -> StepKind:
    """Return the kind with that name. Raises ``InvalidInput``."""
    try:
        return StepKind(text.strip().lower())
    except ValueError:
        known = ", ".join(StepKind)
        raise InvalidInput(
            f"{text[:40]!r} is no kind of step", where="kind", fix=f"Use one of: {known}."
        ) from None


@dataclass(frozen=True, slots=True)
class Approval:
    """Who (``by``: a name) approved which text (``text``: its mark) and when (``at``: aware)."""

    by: str
    at: datetime
    text: str

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> "Approval | None":
        """As kept with the email."""
        return None if value is None else cls(value["by"], datetime.fromisoformat(value["at"]), value["text"])

    def to_json(self) -> dict[str, str]:
        """As kept with the email."""
        return {"by": self.by, "at": self.at.isoformat(), "text": self.text}

    def in_words(self) -> str:
        """For a receipt."""
        return f"approved by {self.by} at {self.at.isoformat()}, text {self.text}"


def mark_of(message: OutgoingMessage, sender: str, opt_out_line: str | None) -> str:
    """Return what changes with a finished email: the SHA-256, in hex, of who gets it from whom and all that it says.

    ``message``: without its way out, which is each email's own. ``opt_out_line``: None: ours.
    """
    said = {
        "from": sender,
        "to": message.recipient.email,
        "name": message.recipient.name,
        "subject": message.subject,
        "html": message.html,
        "text": message.text,
        "opt_out": opt_out_line,
    }
    return digest(said)
