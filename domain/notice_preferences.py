"""How a member hears of notices besides the page Notifications, where all of them are, always: by email or chat, at once or daily.

Nothing here can silence a notice altogether, so what is urgent is never lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.errors import InvalidInput

SUMMARY_AT = time(8)  # in the member's zone


class Category(StrEnum):
    """What a notice is about."""

    STOPPED = "stopped"
    DECISIONS = "decisions"
    ANSWERS = "answers"
    NEWS = "news"


class ByEmail(StrEnum):
    """When a notice comes by email."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Way:
    """How notices of one category come. ``channels``: ids of the member's chat channels."""

    by_email: ByEmail = ByEmail.AT_ONCE
    channels: tuple[UUID, ...] = ()

    def using(self, channel: UUID, *, on: bool) -> "Way":
        """Return it with a channel, or without."""
        others = tuple(each for each in self.channels if each != channel)
        return Way(self.by_email, (*others, channel) if on else others)


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the day in which nothing is sent; ``until`` may be on the next day."""

    start: time
    until: time


@dataclass(frozen=True, slots=True)
class Preferences:
    """A member's. A category that is missing comes by email at once. ``backup_id``: hears of incidents that they do not read."""

    ways: Mapping[Category, Way] = field(default_factory=dict)
    quiet: Quiet | None = None
    backup_id: UUID | None = None

    def way(self, category: Category) -> Way:
        """Return how notices of a category come."""
        return self.ways.get(category, Way())


def wait_for(quiet: Quiet | None, zone: str, now: datetime) -> timedelta | None:
    """Return how long the quiet hours last from ``now`` on; None if it is not quiet. ``zone``: the member's."""
    if quiet is None:
        return None
    there = ZoneInfo(zone)
    local = now.astimezone(there)
    at = local.time()
    over_midnight = quiet.start > quiet.until
    is_quiet = at >= quiet.start or at < quiet.until if over_midnight else quiet.start <= at < quiet.until
    if not is_quiet:
        return None
    day = local.date() + timedelta(days=1 if over_midnight and at >= quiet.start else 0)
    end = datetime.combine(day, quiet.until, there)
    # Where clocks go back, this time of day comes twice.
    return (end if end > now else end.replace(fold=1)) - now


def quiet_hours(start: str, until: str) -> Quiet | None:
    """Read two times like ``19:00``; None if both are empty. Raises ``InvalidInput``."""
    if not start and not until:
        return None
    read = Quiet(_time_of(start, "quiet_from"), _time_of(until, "quiet_until"))
    if read.start == read.until:
        raise InvalidInput(
            "Both times are the same", where="quiet_until", fix="Choose another one, or leave both empty."
        )
    return read


def _time_of(text: str, where: str) -> time:
    try:
        found = time.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        raise InvalidInput(
            "That is no time of day", where=where, fix="Write it like 19:00, or leave both empty."
        )
    return found
