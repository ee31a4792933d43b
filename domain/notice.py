"""Notices: what they are made of, and words that pages share with them. Their texts are in ``domain/notice_texts.py``."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

Link = tuple[str, str]


@dataclass(frozen=True, slots=True)
class TouchedSequence:
    """A sequence, and how many people in it wait. ``authorized``: its owner may send from its mailbox now."""

    name: str
    people: int
    id: UUID | None = None
    owner: str = ""
    authorized: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """What a notice is made of. ``payload``: the event's own facts.

    ``mailbox_is_mine``: the recipient owns the mailbox. ``for_admin``: they manage the sender address.
    ``mailbox_owner``: the mailbox's owner, by name. ``names``: the first of the people concerned, of ``count``. ``bounds``: of the
    permission, in words. ``until``: its last day. ``person``: whose permission it was. ``given_by_hand``: the owner gave it.
    """

    payload: Mapping[str, str]
    touched: Sequence[TouchedSequence] = ()
    mailbox_is_mine: bool = False
    for_admin: bool = False
    mailbox_owner: str = ""
    mailbox_id: str = ""
    names: Sequence[str] = ()
    count: int = 0
    bounds: str = ""
    until: str = ""
    person: str = ""
    given_by_hand: bool = True

    @property
    def mailbox(self) -> str:
        """The address."""
        return self.payload.get("mailbox", "the sender's mailbox")

    @property
    def actor(self) -> str:
        """Who did it, as a person would say."""
        actor = self.payload.get("actor", "somebody")
        return "An operator" if actor.startswith("operator ") else actor


@dataclass(frozen=True, slots=True)
class Notice:
    """A title of one line, a body of short paragraphs in plain text, and where something can be done."""

    title: str
    body: str
    links: Sequence[Link] = field(default=())

    def as_email(self, public_url: str) -> str:
        """The body with whole addresses of the links, for an email."""
        lines = [f"{label}: {public_url}{path}" for label, path in self.links]
        return "\n\n".join([self.body, "\n".join([*lines, f"All notifications: {public_url}/notifications"])])


_FAILED = {
    "recipient_rejected": "The mail provider refused the address.",
    "provider_unavailable": "The mail provider could not be reached for a whole day.",
    "bad_template": "The text of the step has a field that nobody can fill.",
    "ErrorInvalidRecipients": "Microsoft refused the address.",
    "ErrorMessageSizeExceeded": "The email is larger than the mail provider accepts.",
}


# Where the person's address is at fault, and correcting it is the way out.
ABOUT_THE_ADDRESS = frozenset({"recipient_rejected", "ErrorInvalidRecipients"})


def isolated(name: str) -> str:
    """A name that is written from right to left, so that it does not turn the sentence around it (Unicode's isolates)."""
    turns = any(unicodedata.bidirectional(each) in ("R", "AL") for each in name)
    return f"\u2068{name}\u2069" if turns else name


def why_failed(reason: str) -> str:
    """Why emails failed, in a sentence; the code itself is for the IT team."""
    return _FAILED.get(reason, "The mail provider refused the email.")


def shown_at(moment: datetime, zone: str) -> str:
    """A time as people of that zone read it, with the zone."""
    try:
        there = moment.astimezone(ZoneInfo(zone))
    except (ValueError, OSError):  # a zone that this machine does not know
        there, zone = moment, "UTC"
    return f"{there:%H:%M} on {there.day} {there:%B} ({zone})"
