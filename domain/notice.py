"""What notices are made of, and words that pages share with them. Their texts are in ``domain/notice_texts.py``."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.connection import Provider
from domain.provider_words import PROVIDER_WORDS, ProviderWords
from domain.refusals import GIVEN_UP

Link = tuple[str, str]
ALL_NOTICES: Link = ("All notifications", "/notifications")


@dataclass(frozen=True, slots=True)
class TouchedSequence:
    """An affected sequence, and how many of its people wait. ``authorized``: its owner may send from its mailbox now."""

    name: str
    people: int
    id: UUID | None = None
    owner: str = ""
    authorized: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """What a notice is made of. ``payload``: the event's.

    ``mailbox_is_mine``: the recipient owns the mailbox. ``for_admin``: the recipient manages the sender address.
    ``mailbox_owner``: the mailbox owner's name. ``provider``: the mailbox's. ``names``: the first of ``count`` people concerned. ``bounds``:
    the permission's limits, in words. ``until``: its last day. ``person``: who had it. ``given_by_hand``: the
    mailbox owner gave it.
    """

    payload: Mapping[str, str]
    touched: Sequence[TouchedSequence] = ()
    mailbox_is_mine: bool = False
    for_admin: bool = False
    mailbox_owner: str = ""
    mailbox_id: str = ""
    provider: str = Provider.GRAPH
    names: Sequence[str] = ()
    count: int = 0
    bounds: str = ""
    until: str = ""
    person: str = ""
    given_by_hand: bool = True

    @property
    def mailbox(self) -> str:
        """The mailbox's address."""
        return self.payload.get("mailbox", "the sender's mailbox")

    @property
    def words(self) -> ProviderWords:
        """How sentences name the mailbox's provider."""
        return PROVIDER_WORDS[self.provider]

    @property
    def actor(self) -> str:
        """Who did it, as people say it."""
        actor = self.payload.get("actor", "somebody")
        return "An operator" if actor.startswith("operator ") else actor


@dataclass(frozen=True, slots=True)
class Notice:
    """A title of one line, a body of short paragraphs in plain text, and links to where the recipient can act."""

    title: str
    body: str
    links: Sequence[Link] = field(default=())

    def as_email(self, public_url: str) -> str:
        """The body and the links, with their whole addresses, for an email."""
        return "\n\n".join(
            [self.body, "\n".join(f"{label}: {address}" for label, address in self.ways(public_url))]
        )

    def ways(self, public_url: str) -> list[Link]:
        """The links with their whole addresses, and one to all notices."""
        return [(label, f"{public_url}{path}") for label, path in (*self.links, ALL_NOTICES)]


_FAILED = {
    "recipient_rejected": "The mail provider refused the address.",
    GIVEN_UP: "The mail provider refused the email several times and gave no reason.",
    "provider_unavailable": "The mail provider could not be reached for a whole day.",
    "bad_template": "The text of the step has a field that nobody can fill.",
    "ErrorInvalidRecipients": "Microsoft refused the address.",
    "ErrorMessageSizeExceeded": "The email is larger than the mail provider accepts.",
}


# The person's address is at fault, or may be, and correcting it is the way out.
ABOUT_THE_ADDRESS = frozenset({"recipient_rejected", "ErrorInvalidRecipients", GIVEN_UP})


def isolated(name: str) -> str:
    """Wrap a right-to-left name in Unicode's isolates, so that it does not reorder the sentence around it."""
    turns = any(unicodedata.bidirectional(each) in ("R", "AL") for each in name)
    return f"\u2068{name}\u2069" if turns else name


def why_failed(reason: str) -> str:
    """Say in a sentence why emails failed. The code itself is for the IT team."""
    return _FAILED.get(reason, "The mail provider refused the email.")


def shown_at(moment: datetime, zone: str) -> str:
    """A time as people in ``zone`` read it, with the zone."""
    try:
        there = moment.astimezone(ZoneInfo(zone))
    except (ValueError, OSError):  # a zone that this machine does not know
        there, zone = moment, "UTC"
    return f"{there:%H:%M} on {there.day} {there:%B} ({zone})"
