"""Who may send from whose mailbox: the rule for giving a grant, and the one for using it."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.errors import InvalidInput, NotPermitted


@dataclass(frozen=True, slots=True)
class Person:
    """A member, as far as grants care."""

    id: UUID
    organization_id: UUID
    email: str
    active: bool


_MOST_A_DAY = 10_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a grant goes. None everywhere: until it is ended, for every sequence, as many emails as the mailbox may send.

    ``daily_limit``: emails a day of the mailbox's time zone.
    """

    expires_at: datetime | None = None
    sequence_ids: frozenset[UUID] | None = None
    daily_limit: int | None = None


UNBOUNDED = Bounds()
_MAX_WORDS = 500
# What mail programs make a link of: a scheme, www, a name with a dot in it (a word after a full stop is written large).
_LINK = re.compile(
    r"(?i:[a-z][a-z0-9+.-]*://|\bmailto:|\bwww\.|\bxn--|[\w-]\.[a-z]{2,}[/:?#])|[\w-]\.[a-z]{2,}\b|[A-Z0-9-]\.[A-Z]{2,}\b"
)


def check_words(words: str) -> None:
    """Check what somebody writes to a mailbox's owner; it leaves as an email of ours. Raises ``InvalidInput``."""
    if len(words) > _MAX_WORDS:
        raise InvalidInput(
            f"The message has {len(words)} characters.", where="message", fix=f"Keep it under {_MAX_WORDS}."
        )
    # Browsers take the full stops of other scripts for dots.
    if _LINK.search(unicodedata.normalize("NFKC", words).replace("\u3002", ".")):
        raise InvalidInput(
            "The message holds a web address.",
            where="message",
            fix="Leave it out: this email asks for a permission, and must not lead anywhere else.",
        )


Hand = Literal[
    "member", "operator", "import"
]  # who gave a grant: the mailbox's owner with their own hand, an operator, a file


@dataclass(frozen=True, slots=True)
class Grant:
    """An active grant. ``grantee_id`` None = everyone in the organization, whoever joins later included."""

    id: UUID
    version: int
    grantee_id: UUID | None
    bounds: Bounds = UNBOUNDED
    used_today: int = 0

    def covers(self, sender_id: UUID, sequence_id: UUID) -> bool:
        """Is this person, writing for this sequence, meant by it?"""
        named = self.bounds.sequence_ids
        return self.grantee_id in (sender_id, None) and (named is None or sequence_id in named)

    def expired(self, now: datetime) -> bool:
        """Has its time run out?"""
        return self.bounds.expires_at is not None and self.bounds.expires_at <= now

    @property
    def used_up(self) -> bool:
        """Have all emails of today been sent?"""
        return self.bounds.daily_limit is not None and self.used_today >= self.bounds.daily_limit


def check_grant(*, mailbox_owner: Person, giver: Person, grantee: Person | None) -> None:
    """Raise ``NotPermitted`` unless ``giver`` may let ``grantee`` (None = everyone) send from the mailbox."""
    if giver.id != mailbox_owner.id:
        raise NotPermitted(
            f"Only {mailbox_owner.email}, whose mailbox it is, can allow sending from it; {giver.email} cannot."
        )
    if not giver.active:
        raise NotPermitted(f"{giver.email} is not active and cannot give permissions.")
    if grantee is None:
        return
    if grantee.organization_id != mailbox_owner.organization_id:
        raise NotPermitted(f"{grantee.email} belongs to another organization.")
    if grantee.id == giver.id:
        raise NotPermitted(f"{giver.email} needs no permission for their own mailbox.")
    if not grantee.active:
        raise NotPermitted(f"{grantee.email} is not active; only active members can be given permission.")


def end_of(day: str, zone: str) -> datetime:
    """The moment at which ``day`` (as 2026-12-31) is over by the clock of ``zone``. Raises ``InvalidInput``."""
    try:
        after = date.fromisoformat(day) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise InvalidInput(
            f"{day[:40]!r} is not a date.", where="until", fix="Write it like 2026-12-31."
        ) from None
    return datetime.combine(after, time(), ZoneInfo(zone))


def check_bounds(bounds: Bounds, now: datetime) -> None:
    """Raise ``InvalidInput`` unless something could be sent within these bounds."""
    if bounds.expires_at is not None and bounds.expires_at <= now:
        raise InvalidInput("This day is over", where="until", fix="Choose today or later, or leave it empty.")
    if bounds.daily_limit is not None and not 1 <= bounds.daily_limit <= _MOST_A_DAY:
        raise InvalidInput(
            f"The daily limit cannot be {bounds.daily_limit}.",
            where="a day",
            fix=f"Choose 1 to {_MOST_A_DAY:,}, or none.",
        )
    if bounds.sequence_ids is not None and not bounds.sequence_ids:
        raise InvalidInput("No sequence is named.", where="sequences", fix="Name at least one, or allow all.")


def usable_grant(grants: Iterable[Grant], sender_id: UUID, sequence_id: UUID, now: datetime) -> Grant | None:
    """The grant under which ``sender_id`` may send now: one with emails left for today first, a personal one before one
    for everyone."""
    fitting = [grant for grant in grants if grant.covers(sender_id, sequence_id) and not grant.expired(now)]
    return min(fitting, key=lambda grant: (grant.used_up, grant.grantee_id is None), default=None)
