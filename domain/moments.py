"""Points in time as people write them, in their zone: ``Thu 26 Nov, 14:02``. Near ones are in words."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_HOUR = timedelta(hours=1)


def day(at: datetime, zone: str, now: datetime) -> str:
    """``Thu 26 Nov``, or in another year ``Thu 26 Nov 2027``."""
    here, today = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    return f"{here:%a %-d %b}" if here.year == today.year else f"{here:%a %-d %b %Y}"


def moment(at: datetime, zone: str, now: datetime) -> str:
    """``in 8 min``, ``12 min ago``, ``today, 16:30``, ``tomorrow, 09:00``, ``Thu 26 Nov, 14:02``."""
    ahead = at - now
    return _near(ahead) if abs(ahead) < _HOUR else stated(at, zone, now)


def stated(at: datetime, zone: str, now: datetime) -> str:
    """After "since": ``today, 16:30``, ``yesterday, 09:00``, ``Thu 26 Nov, 14:02``."""
    here = at.astimezone(ZoneInfo(zone))
    days = (here.date() - now.astimezone(ZoneInfo(zone)).date()).days
    name = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get(days)
    return f"{name or day(at, zone, now)}, {here:%H:%M}"


def _near(ahead: timedelta) -> str:
    seconds = round(abs(ahead).total_seconds())
    amount = f"{seconds} s" if seconds < 60 else f"{seconds // 60} min"
    if seconds < 5:
        return "now"
    return f"in {amount}" if ahead > timedelta() else f"{amount} ago"


def planned(at: datetime, zone: str, now: datetime) -> str:
    """When something planned happens, or ``due 4 min ago`` if that is past."""
    return f"due {moment(at, zone, now)}" if at < now else moment(at, zone, now)


def clock(at: datetime, zone: str, now: datetime) -> str:  # noqa: ARG001 - as all others
    """Below a day: ``14:02``."""
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"


def exactly(at: datetime, zone: str, now: datetime) -> str:
    """To the second, as evidence: ``today, 14:02:11``, ``Thu 26 Nov, 14:02:11``."""
    here = at.astimezone(ZoneInfo(zone))
    today = here.date() == now.astimezone(ZoneInfo(zone)).date()
    return f"{'today' if today else day(at, zone, now)}, {here:%H:%M:%S}"


def proven(at: datetime, zone: str, now: datetime) -> str:
    """To the millisecond, as a receipt has it: ``09:00:03.118``, of today, or ``Thu 26 Nov, 09:00:03.118``."""
    here = at.astimezone(ZoneInfo(zone))
    said = f"{here:%H:%M:%S}.{here.microsecond // 1000:03}"
    return said if here.date() == now.astimezone(ZoneInfo(zone)).date() else f"{day(at, zone, now)}, {said}"


def last_day(end: datetime, zone: str, now: datetime) -> str:
    """The last day of a permission that ends at ``end``: ``Thu 24 Dec``. If it ends within a day, with the time."""
    here = end.astimezone(ZoneInfo(zone))
    if (here.hour, here.minute, here.second) == (0, 0, 0):
        return day(end - timedelta(seconds=1), zone, now)
    return f"{day(end, zone, now)}, {here:%H:%M}"


def in_numbers(at: datetime, zone: str) -> str:
    """For people of any language: ``2026-11-26 14:02:11 (Europe/Berlin)``."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S} ({zone})"


def in_full(at: datetime, zone: str) -> str:
    """For an element's ``title``: ``Thu 26 Nov 2026, 14:02:11 (Europe/Berlin)``."""
    return f"{at.astimezone(ZoneInfo(zone)):%a %-d %b %Y, %H:%M:%S} ({zone})"
