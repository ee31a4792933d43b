"""Handing a sequence over: how somebody takes it over, what the next email to each person says first, and what receipts say."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from html import escape
from uuid import UUID

from domain.errors import InvalidInput
from domain.markup import is_html

MAX_INTRODUCTION = 300  # characters
MAX_NAME = 100  # characters of a name in our words
MAX_WORDS = 1000  # characters of a message to whoever is asked
MAX_TOGETHER = 200  # sequences of one member, handed over at once
# An email whose sequence sends from another mailbox by now: it never leaves from the old one.
SENDER_CHANGED = "sender_changed"


class Middle(StrEnum):
    """What becomes of people who had an email from another mailbox."""

    GO_ON = "go_on"  # the next one starts a new thread
    WAIT = "wait"  # they are paused until somebody resumes them


@dataclass(frozen=True, slots=True)
class TakeOver:
    """How somebody takes a sequence over. ``mailbox_id`` None: it keeps its mailbox, and they choose another one later.

    ``introduction``: what the next email says first to whoever had one from another mailbox. "": nothing. None: our words.
    """

    mailbox_id: UUID | None
    middle: Middle = Middle.GO_ON
    introduction: str | None = None


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The last hand-over of a sequence, for its emails and their receipts. People and senders are addresses.

    ``former_owner``, ``former_sender``: before the last change of each, which may have been an earlier hand-over.
    """

    id: UUID
    at: datetime
    by: str
    former_owner: str
    former_sender: str
    owner: str
    sender: str
    introduction: str = ""

    @classmethod
    def from_json(cls, value: Mapping[str, str]) -> "HandedOver":
        """Read what ``to_json`` wrote."""
        rest = {name: value[name] for name in cls.__slots__ if name not in ("id", "at")}
        return cls(id=UUID(value["id"]), at=datetime.fromisoformat(value["at"]), **rest)

    def to_json(self) -> dict[str, str]:
        """As kept with the sequence."""
        texts = {name: str(getattr(self, name)) for name in self.__slots__}
        return {**texts, "at": self.at.isoformat()}

    def in_words(self) -> str:
        """For a receipt: who has it from whom."""
        owner = f"{self.owner} has it from {self.former_owner}" if self.owner != self.former_owner else ""
        before = f", before from {self.former_sender}" if self.sender != self.former_sender else ""
        sender = f"it sends from {self.sender}{before}"
        since = f"since {self.at.isoformat()} (hand-over {self.id} by {self.by})"
        return "; ".join(each for each in (owner, sender, since) if each)


def default_introduction(writers: Collection[str], *, elsewhere: bool) -> str:
    """Return our words to people who had emails from another mailbox.

    ``elsewhere``: are there any? ``writers``: the names of those who wrote to them, without whoever writes from now on.
    """
    if not elsewhere:
        return ""
    if not writers:
        return "I am writing from another address now."
    names = set(writers)
    name = names.pop()
    known = not names and len(name) <= MAX_NAME and _is_plain(name)
    return f"I am taking over from {name if known else 'a colleague'}, who wrote to you before."


def checked_introduction(text: str) -> str:
    """Return the introduction on one line. Raises ``InvalidInput``."""
    line = " ".join(text.split())
    if len(line) > MAX_INTRODUCTION:
        raise InvalidInput(
            "This is too long", where="introduction", fix=f"Use at most {MAX_INTRODUCTION} characters."
        )
    if not _is_plain(line):
        raise InvalidInput(
            "Fields and markup do not work here",
            where="introduction",
            fix="Write plain words, without { } < >.",
        )
    return line


def _is_plain(line: str) -> bool:
    return line.isprintable() and not any(each in line for each in ("{{", "}}", "<", ">"))


def checked_words(text: str) -> str:
    """Return the message to whoever is asked. Raises ``InvalidInput``."""
    if len(text.strip()) > MAX_WORDS:
        raise InvalidInput("This is too long", where="message", fix=f"Use at most {MAX_WORDS} characters.")
    return text.strip()


def introduced(body: str, introduction: str) -> str:
    """Return a step's text with the introduction before it. The introduction is plain words."""
    if not introduction:
        return body
    return f"<p>{escape(introduction)}</p>\n{body}" if is_html(body) else f"{introduction}\n\n{body}"
