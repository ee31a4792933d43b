"""How long after the previous step a step is due: an ISO 8601 duration (``PT5S``, ``P3D``) or ``3 business days``."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.errors import InvalidInput
from domain.send_window import SendWindow, business_calendar, instant

_ISO = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII)
_BUSINESS = re.compile(r"(\d+)\s+business\s+days?", re.ASCII | re.IGNORECASE)
_LONGEST = timedelta(days=365)
# In seconds. Business days have no length.
UNITS = {"business days": 0, "days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}


@dataclass(frozen=True, slots=True)
class Delay:
    """Either ``duration`` or ``business_days`` is set; the other is zero."""

    duration: timedelta = timedelta()
    business_days: int = 0

    def __str__(self) -> str:
        if self.business_days:
            return f"{self.business_days} business day{'s' if self.business_days > 1 else ''}"
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

        Business days are the policy's days, or Monday to Friday, and keep the local time of day. Raises
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
                return instant(datetime.combine(day, local.time().replace(fold=0)), zone).astimezone(UTC)
        raise InvalidInput("no working day in sight", where="delay", fix="Widen the sending days.")


def parse_delay(text: str) -> Delay:
    """Parse a delay. Raises ``InvalidInput`` that says what is accepted."""
    cleaned = text.strip()
    if business := _BUSINESS.fullmatch(cleaned):
        days = int(business[1])
        if not 1 <= days <= 260:
            raise InvalidInput(
                f"{cleaned!r} is out of range",
                where="delay",
                fix="Use 1 to 260 business days.",
            )
        return Delay(business_days=days)
    iso = _ISO.fullmatch(cleaned)
    if iso is None or not any(part is not None for part in iso.groups()) or cleaned.endswith("T"):
        raise InvalidInput(
            f"{cleaned!r} is not a delay",
            where="delay",
            fix="Use for example PT5S, PT4H, P3D or '3 business days'.",
        )
    if any(len(part or "") > 9 for part in iso.groups()):
        raise InvalidInput(f"{cleaned[:40]!r} is too long", where="delay", fix="Use at most 365 days.")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in iso.groups())
    duration = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    if duration > _LONGEST:
        raise InvalidInput(f"{cleaned!r} is too long", where="delay", fix="Use at most 365 days.")
    return Delay(duration)


def delay_of(count: int, unit: str) -> Delay:
    """Return the delay that ``parts`` describes. Raises ``InvalidInput``."""
    if unit not in UNITS:
        raise InvalidInput(f"{unit[:40]!r} is no unit of a delay", where="delay", fix="Choose from the list.")
    if unit == "business days" and count:
        return parse_delay(f"{count} business days")
    if not 0 <= count * UNITS[unit] <= _LONGEST.total_seconds():
        raise InvalidInput("This is too long", where="delay", fix="Use at most 365 days.")
    return Delay(timedelta(seconds=count * UNITS[unit]))
