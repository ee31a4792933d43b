"""How long after the previous step a step is due: an ISO 8601 duration (``PT5S``, ``P3D``), ``3 business days`` or ``1 business day at 09:00``."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.errors import InvalidInput
from domain.send_window import SendWindow, business_calendar, instant

_ISO = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII)
_BUSINESS = re.compile(
    r"(\d+|next)\s+business\s+days?(?:\s+at\s+(\d{1,2}):(\d{2}))?", re.ASCII | re.IGNORECASE
)
_LONGEST = timedelta(days=365)
# In seconds. Business days have no length.
UNITS = {"business days": 0, "days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}


@dataclass(frozen=True, slots=True)
class Delay:
    """Either ``duration`` or ``business_days`` is set; the other is zero.

    ``at``: the local time on the last business day, to the minute; None: that of the step before.
    """

    duration: timedelta = timedelta()
    business_days: int = 0
    at: time | None = None

    def __str__(self) -> str:
        if self.business_days:
            clock = "" if self.at is None else f" at {self.at:%H:%M}"
            return f"{self.business_days} business day{'s' if self.business_days > 1 else ''}{clock}"
        days, rest = self.duration.days, self.duration.seconds
        hours, minutes, seconds = rest // 3600, rest % 3600 // 60, rest % 60
        clock = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n)
        day = f"{days}D" if days else ""
        return f"P{day}{'T' + clock if clock else ''}" if day or clock else "PT0S"

    @property
    def parts(self) -> tuple[int, str]:
        """A number and its unit in ``UNITS``: the largest that needs no other one beside it."""
        if self.business_days:
            return self.business_days, "business days"
        seconds = round(self.duration.total_seconds())
        for unit in ("days", "hours", "minutes"):
            if seconds and seconds % UNITS[unit] == 0:
                return seconds // UNITS[unit], unit
        return (seconds, "seconds") if seconds else (0, "days")

    def after(self, start: datetime, policy: SendWindow) -> datetime:
        """Return ``start`` plus the delay.

        Business days are the policy's days, or Monday to Friday, and keep the local time of day unless ``at`` says another. Raises
        ``InvalidInput`` if the policy has no working day.
        """
        if not self.business_days:
            return start + self.duration
        calendar, zone = business_calendar([policy]), ZoneInfo(policy.zone)
        local = start.astimezone(zone)
        day, left = local.date(), self.business_days
        for _ in range(1000):
            day += timedelta(days=1)
            left -= calendar.works_on(day)
            if not left:
                clock = local.time().replace(fold=0) if self.at is None else self.at
                return instant(datetime.combine(day, clock), zone).astimezone(UTC)
        raise InvalidInput("no working day in sight", where="delay", fix="Widen the sending days.")


def parse_delay(text: str) -> Delay:
    """Parse a delay. Raises ``InvalidInput`` that says what is accepted."""
    cleaned = text.strip()
    if business := _BUSINESS.fullmatch(cleaned):
        days = 1 if business[1].lower() == "next" else int(business[1])
        if not 1 <= days <= 260:
            raise InvalidInput(
                f"{cleaned!r} is out of range",
                where="delay",
                fix="Use 1 to 260 business days.",
            )
        return Delay(business_days=days, at=None if business[2] is None else _clock(business[2], business[3]))
    iso = _ISO.fullmatch(cleaned)
    if iso is None or not any(part is not None for part in iso.groups()) or cleaned.endswith("T"):
        raise InvalidInput(
            f"{cleaned!r} is not a delay",
            where="delay",
            fix="Use for example PT5S, PT4H, P3D, '3 business days' or '1 business day at 09:00'.",
        )
    if any(len(part or "") > 9 for part in iso.groups()):
        raise InvalidInput(f"{cleaned[:40]!r} is too long", where="delay", fix="Use at most 365 days.")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in iso.groups())
    duration = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    if duration > _LONGEST:
        raise InvalidInput(f"{cleaned!r} is too long", where="delay", fix="Use at most 365 days.")
    return Delay(duration)


def spelled(text: str) -> str:
    """Return a delay as it is kept: as it was written, unless only this release can read that. Raises ``InvalidInput``."""
    found = parse_delay(text)
    written_anew = found.at is not None or text.strip().lower().startswith("next")
    return str(found) if written_anew else text


def _clock(hours: str, minutes: str) -> time:
    try:
        return time(int(hours), int(minutes))
    except ValueError:
        raise InvalidInput(
            f"{hours}:{minutes} is no time of day", where="at", fix="Write it like 09:00."
        ) from None


def delay_of(count: int, unit: str, at: str = "") -> Delay:
    """Return the delay that ``parts`` describes. ``at``: a time of day like 09:00, or empty. Raises ``InvalidInput``."""
    if unit not in UNITS:
        raise InvalidInput(f"{unit[:40]!r} is no unit of a delay", where="delay", fix="Choose from the list.")
    if at.strip() and (unit != "business days" or not count):
        raise InvalidInput(
            "A time of day goes with business days",
            where="at",
            fix="Choose business days, or remove the time.",
        )
    if unit == "business days" and count:
        days = parse_delay(f"{count} business days")
        hours, colon, minutes = at.strip()[:5].partition(":")
        if not at.strip():
            return days
        if not colon or not (hours + minutes).isdecimal() or not (hours + minutes).isascii():
            raise InvalidInput(f"{at[:20]!r} is no time of day", where="at", fix="Write it like 09:00.")
        return replace(days, at=_clock(hours, minutes))
    if not 0 <= count * UNITS[unit] <= _LONGEST.total_seconds():
        raise InvalidInput("This is too long", where="delay", fix="Use at most 365 days.")
    return Delay(timedelta(seconds=count * UNITS[unit]))
