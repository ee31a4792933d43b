"""Who may send from whose mailbox: the rules for giving a grant and for using one."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.approval import Approval
from domain.errors import InvalidInput, NotPermitted


@dataclass(frozen=True, slots=True)
class Person:
    """What grants need to know about a member."""

    id: UUID
    organization_id: UUID
    email: str
    active: bool


_MAX_A_DAY = 10_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of a grant.

    None means no limit: until it is ended, every sequence, as many emails as the mailbox may send.

    ``daily_limit``: emails a day, by the day of the mailbox's time zone. ``reads_first``: the mailbox's owner reads the first email before
    it leaves; from then on the grant needs nobody.
    """

    expires_at: datetime | None = None
    sequence_ids: frozenset[UUID] | None = None
    daily_limit: int | None = None
    reads_first: bool = False


UNBOUNDED = Bounds()
_MAX_WORDS = 500
# What mail programs turn into a link: a scheme, www, or a name with a dot in it (a word after a full stop begins
# with a capital).
_LINK = re.compile(
    r"(?i:[a-z][a-z0-9+.-]*://|\bmailto:|\bwww\.|\bxn--|[\w-]\.[a-z]{2,}[/:?#])|[\w-]\.[a-z]{2,}\b|[A-Z0-9-]\.[A-Z]{2,}\b"
)


def check_words(words: str) -> None:
    """Check a message to a mailbox's owner, which we send by email. Raises ``InvalidInput``."""
    if len(words) > _MAX_WORDS:
        raise InvalidInput(
            f"The message has {len(words)} characters.", where="message", fix=f"Keep it under {_MAX_WORDS}."
        )
    # Browsers read the full stops of other scripts as dots.
    if _LINK.search(unicodedata.normalize("NFKC", words).replace("\u3002", ".")):
        raise InvalidInput(
            "The message contains a link.",
            where="message",
            fix="Remove the link. Permission requests cannot contain links.",
        )


# Who gave a grant: the mailbox's owner, an operator, or an imported file.
Hand = Literal["member", "operator", "import"]


@dataclass(frozen=True, slots=True)
class Grant:
    """An active grant. ``grantee_id`` None: everyone in the organization, including those who join later.

    ``first_read``: the mailbox owner's approval of the first email.
    """

    id: UUID
    version: int
    grantee_id: UUID | None
    bounds: Bounds = UNBOUNDED
    used_today: int = 0
    first_read: Approval | None = None

    @property
    def waits_for_first(self) -> bool:
        """Does nothing leave on it until the mailbox's owner has read and approved an email?"""
        return self.bounds.reads_first and self.first_read is None

    def covers(self, sender_id: UUID, sequence_id: UUID) -> bool:
        """Does the grant cover this sender and this sequence?"""
        named = self.bounds.sequence_ids
        return self.grantee_id in (sender_id, None) and (named is None or sequence_id in named)

    def expired(self, now: datetime) -> bool:
        """Has the grant reached its end?"""
        return self.bounds.expires_at is not None and self.bounds.expires_at <= now

    @property
    def used_up(self) -> bool:
        """Is today's limit used up?"""
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
    """Return the moment when ``day`` (such as 2026-12-31) ends in ``zone``. Raises ``InvalidInput``."""
    try:
        after = date.fromisoformat(day) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise InvalidInput(
            f"{day[:40]!r} is not a date.", where="until", fix="Write it like 2026-12-31."
        ) from None
    return datetime.combine(after, time(), ZoneInfo(zone))


def check_bounds(bounds: Bounds, now: datetime) -> None:
    """Raise ``InvalidInput`` unless something can be sent within these bounds."""
    if bounds.expires_at is not None and bounds.expires_at <= now:
        raise InvalidInput("This day is over", where="until", fix="Choose today or later, or leave it empty.")
    if bounds.daily_limit is not None and not 1 <= bounds.daily_limit <= _MAX_A_DAY:
        raise InvalidInput(
            f"The daily limit cannot be {bounds.daily_limit}.",
            where="a day",
            fix=f"Choose 1 to {_MAX_A_DAY:,}, or none.",
        )
    if bounds.sequence_ids is not None and not bounds.sequence_ids:
        raise InvalidInput("No sequence is named.", where="sequences", fix="Name at least one, or allow all.")


def usable_grant(grants: Iterable[Grant], sender_id: UUID, sequence_id: UUID, now: datetime) -> Grant | None:
    """Return the grant under which ``sender_id`` may send now, or None.

    A grant with emails left for today comes first, then a personal one before one for everyone.
    """
    fitting = [grant for grant in grants if grant.covers(sender_id, sequence_id) and not grant.expired(now)]
    return min(fitting, key=lambda grant: (grant.used_up, grant.grantee_id is None), default=None)
