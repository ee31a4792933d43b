"""What an incoming email means for the person's emails: one decision, without the database."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeAlias, assert_never
from zoneinfo import ZoneInfo

from domain.listening.kinds import Bounce, BounceClass, Kind
from domain.send_window import BUSINESS_DAYS, instant

UNCLEAR_FOR = timedelta(days=1)
SOFT_WAITS = (timedelta(hours=1), timedelta(hours=4), timedelta(hours=24))  # after the last, it ends
SENDER_WAITS = timedelta(hours=1)
STALE = timedelta(days=1)  # an older report about the sender says nothing about now


@dataclass(frozen=True, slots=True)
class Ends:
    """The enrollment ends. ``reason``: the enrollment's. ``everywhere``: whatever the setting says, in every sequence."""

    reason: str
    everywhere: bool = False
    suppresses: str | None = None  # reason on the suppression list


@dataclass(frozen=True, slots=True)
class Away:
    """Nothing leaves to the person until then, from anybody. ``guessed``: no day was named."""

    until: datetime
    guessed: bool


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nothing leaves to the person until then, or until somebody decides."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Proposed:
    """The person's words sound like an opt-out. Nothing leaves to them until somebody decides."""


@dataclass(frozen=True, slots=True)
class Later:
    """The address takes no email for now: the enrollment's next one waits until then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class SenderWaits:
    """A server refuses the sender: the mailbox waits until then, and its owner hears of it. The candidate has nothing to do with it."""

    until: datetime


Consequence: TypeAlias = Ends | Away | Unclear | Proposed | Later | SenderWaits | None


def consequence(
    kind: Kind,
    *,
    now: datetime,
    received_at: datetime,
    zone: str,
    away_days: int,
    bounce: Bounce | None = None,
    return_on: date | None = None,
    opt_out_words: str | None = None,
    complained: bool = False,
    soft_before: int = 0,
) -> Consequence:
    """Decide. ``zone``, ``away_days``: the organization's. ``opt_out_words`` None: an opt-out that leaves no doubt.
    ``complained``: it is a report of the person's provider.

    ``soft_before``: how many soft bounces the enrollment has had.
    """
    match kind:
        case Kind.ANSWER:
            return Ends("answered")
        case Kind.LEFT_COMPANY:
            return Ends("left_company")
        case Kind.SENDER_WROTE:
            return Ends("sender_wrote")
        case Kind.OPT_OUT if opt_out_words is None:
            return Ends("opted_out", everywhere=True, suppresses="complained" if complained else "opt_out")
        case Kind.OPT_OUT:
            return Proposed()
        case Kind.BOUNCE:
            return _bounced(bounce, now, received_at, soft_before)
        case Kind.AUTO_REPLY:
            until = away_until(received_at, zone, return_on, away_days)
            return Away(until, guessed=return_on is None) if until > now else None
        case Kind.UNCLEAR:
            return Unclear(now + UNCLEAR_FOR)
        case Kind.OTHER:
            return None
        case unknown:
            assert_never(unknown)


def _bounced(bounce: Bounce | None, now: datetime, received_at: datetime, soft_before: int) -> Consequence:
    match bounce and bounce.kind:
        case BounceClass.HARD:
            return Ends("bounced", everywhere=True, suppresses="bounced")
        case BounceClass.SOFT if soft_before >= len(SOFT_WAITS):
            return Ends("bounced")
        case BounceClass.SOFT:
            return Later(now + SOFT_WAITS[soft_before])
        case BounceClass.SENDER if now - received_at < STALE:
            return SenderWaits(now + SENDER_WAITS)
        case _:
            return None


def away_until(received_at: datetime, zone: str, return_on: date | None, away_days: int) -> datetime:
    """The day of return and one business day more; without one, so many business days from the day it came. A day's start."""
    here = ZoneInfo(zone)
    if return_on is not None:
        day, left = return_on, 1
    else:
        day, left = received_at.astimezone(here).date(), away_days
    while left:
        day += timedelta(days=1)
        left -= day.isoweekday() in BUSINESS_DAYS
    return instant(datetime.combine(day, time()), here)
