"""Numbers of what sequences did: what each one counts, what a share is of, and which weeks a period has.

Results count toward the email they belong to: its step, sender, sequence, and the week in which it left. An answer that a person gives
to step 2 next month counts toward step 2, in the week of that email.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

WEEKS = (4, 12, 26)  # periods that a person can choose
DEFAULT_WEEKS = 12
MAX_WEEKS = 52
# What every share is of, as pages say it.
SHARE_OF = "people who got at least one email"
# What each number counts, as pages say it.
MEANINGS: Mapping[str, str] = {
    "sent": "Emails that left",
    "people": "People who got at least one email",
    "answered": "People who answered",
    "interested": "People whose answer somebody filed as interested",
    "bounced": "People whose address does not exist",
    "opted_out": "People who want no more emails",
    "in_doubt": "Emails that may or may not have left",
    "held": "Due emails that wait for a decision",
}


class By(StrEnum):
    """What a row of the table is."""

    WEEK = "week"
    STEP = "step"
    SENDER = "sender"
    SEQUENCE = "sequence"


@dataclass(frozen=True, slots=True)
class Numbers:
    """``MEANINGS`` says what each counts. A person counts once, however many emails they got or answered."""

    sent: int = 0
    people: int = 0
    answered: int = 0
    interested: int = 0
    bounced: int = 0
    opted_out: int = 0
    in_doubt: int = 0
    held: int = 0

    def share(self, name: str) -> float | None:
        """Return the share of ``SHARE_OF`` whom a number counts, or None if nobody got an email."""
        part: int = getattr(self, name)
        return part / self.people if self.people else None

    def percent(self, name: str) -> str:
        """Return the share in words: ``22%``, below 2% ``1.4%``, or nothing where there is none."""
        share = self.share(name)
        if share is None:
            return ""
        return f"{share:.0%}" if share >= 0.02 or not share else f"{share:.1%}"


@dataclass(frozen=True, slots=True)
class Period:
    """Whole weeks, from Monday, and what there is of this one. ``zone``: whose days they are."""

    since: datetime
    until: datetime
    zone: str
    mondays: tuple[date, ...]


def period(weeks: int, zone: str, now: datetime) -> Period:
    """Return this week and those before it, ``weeks`` in all."""
    here = now.astimezone(ZoneInfo(zone)).date()
    this = here - timedelta(days=here.weekday())
    mondays = tuple(this - timedelta(weeks=back) for back in reversed(range(weeks)))
    first = datetime.combine(mondays[0], datetime.min.time(), ZoneInfo(zone))
    return Period(first, now, zone, mondays)


def week(monday: date) -> str:
    """A week by its days: ``23-29 Nov``, ``30 Nov - 6 Dec``, with en dashes."""
    sunday = monday + timedelta(days=6)
    if sunday.month == monday.month:
        return f"{monday.day}–{sunday:%-d %b}"  # noqa: RUF001 - as people write spans
    return f"{monday:%-d %b} – {sunday:%-d %b}"  # noqa: RUF001
