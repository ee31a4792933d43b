"""The time zone of a mailbox whose provider names none: the organization's, or a fixed offset."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def in_zones(settings: Mapping[str, object], home: str, now: datetime) -> dict[str, object]:
    """Return a mailbox's settings with every zone filled in. ``home``: the organization's zone, a known one.

    If the provider gives only an offset (``offset_minutes``) and ``home`` has that offset in standard time,
    ``home`` is used: it knows when summer time begins.
    """
    found = {name: value for name, value in settings.items() if name != "offset_minutes"}
    zone, offset, window = settings.get("zone"), settings.get("offset_minutes"), settings.get("window")
    is_home = isinstance(offset, int) and standard_offset(home, now.year) == timedelta(minutes=offset)
    settled = home if zone is None or is_home else zone
    found["zone"] = settled
    if isinstance(window, Mapping) and window.get("zone") in (None, zone):
        found["window"] = {**window, "zone": settled}
    return found


def standard_offset(zone: str, year: int) -> timedelta:
    """How far a zone is ahead of UTC in standard time."""
    there = ZoneInfo(zone)
    return min(datetime(year, month, 1, tzinfo=there).utcoffset() or timedelta() for month in (1, 7))
