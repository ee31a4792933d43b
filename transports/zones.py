"""Time zones by Microsoft's names: Windows names by default, IANA names if an administrator chose so.

tzlocal's table is CLDR's, which omits names that Windows has retired, but mailboxes set up years ago still have them.
Exchange also has names of its own (``tzone://Microsoft/Utc``) and some that Outlook once displayed
(``(UTC+01:00) Berlin``).
"""

import re
from datetime import timedelta

from tzlocal.windows_tz import win_tz

from domain.send_window import known_zone

_BY_NAME = {name.casefold(): zone for name, zone in win_tz.items()} | {
    "coordinated universal time": "Etc/UTC",
    "greenwich mean time": "Etc/UTC",
    "tzone://microsoft/utc": "Etc/UTC",
    "mid-atlantic standard time": "Etc/GMT+2",
    "kamchatka standard time": "Asia/Kamchatka",
    "armenian standard time": "Asia/Yerevan",
    "mexico standard time": "America/Mexico_City",
    "mexico standard time 2": "America/Chihuahua",
    "central america daylight time": "America/Guatemala",
}
_SHOWN = re.compile(r"\((?:UTC|GMT)(?:([+-])(\d{1,2}):?(\d{2}))?\)", re.IGNORECASE)
# Zones without summer time, for offsets that no Etc zone has.
_FRACTIONS = {
    timedelta(hours=3, minutes=30): "Asia/Tehran",
    timedelta(hours=4, minutes=30): "Asia/Kabul",
    timedelta(hours=5, minutes=30): "Asia/Kolkata",
    timedelta(hours=5, minutes=45): "Asia/Kathmandu",
    timedelta(hours=6, minutes=30): "Asia/Yangon",
    timedelta(hours=8, minutes=45): "Australia/Eucla",
    timedelta(hours=9, minutes=30): "Australia/Darwin",
    timedelta(hours=-9, minutes=-30): "Pacific/Marquesas",
}


def iana_zone(name: str) -> str:
    """Return the IANA name of a Windows or IANA zone. Raises ``InvalidInput``."""
    key = re.sub(r"\s+", " ", name.strip()).casefold()
    known = _BY_NAME.get(key) or _BY_NAME.get(key.replace("daylight", "standard"))
    if known is not None:
        return known_zone(known)
    if shown := _SHOWN.match(name.strip()):
        sign = -1 if shown[1] == "-" else 1
        fixed = zone_of_offset(sign * timedelta(hours=int(shown[2] or 0), minutes=int(shown[3] or 0)))
        if fixed is not None:
            return fixed
    return known_zone(name.strip())


def is_custom(name: str) -> bool:
    """Is it one of Exchange's names for zones without a name?"""
    key = name.strip().casefold()
    return key.startswith("tzone://") or key == "customized time zone"


def zone_of_offset(offset: timedelta) -> str | None:
    """Return a zone that is always ``offset`` ahead of UTC, or None if there is none."""
    hours, rest = divmod(offset, timedelta(hours=1))
    if rest:
        return _FRACTIONS.get(offset)
    if not -12 <= hours <= 14:
        return None
    return f"Etc/GMT{-hours:+d}" if hours else "Etc/UTC"  # POSIX's sign: Etc/GMT-1 is an hour ahead of UTC
