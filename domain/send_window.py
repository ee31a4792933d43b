"""When an email may leave: working days and hours in a zone, holidays, and the sender's absences.

Policy is stored as local time and IANA zone; instants are aware UTC. If a clock change skips a local time, the
first instant after it counts; if it repeats one, the first occurrence does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.errors import InvalidInput

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BUSINESS_DAYS = frozenset(range(1, 6))
_SEARCH = timedelta(days=366)
_MIDNIGHT = time(0)
# Files beside the zones on some machines: another zone on the next machine, or none.
_OF_A_MACHINE = ("localtime", "posix", "right/", "Factory")


@dataclass(frozen=True, slots=True)
class SendWindow:
    """``days``: ISO weekdays 1-7. None: any day, and business days are Monday to Friday.

    ``opens`` to ``closes``: local times; ``closes`` 00:00 means the end of the day. ``by_day``: weekdays that have other hours,
    in order, as (ISO weekday, opens, closes).
    """

    zone: str = "UTC"
    days: frozenset[int] | None = None
    opens: time = _MIDNIGHT
    closes: time = _MIDNIGHT
    holidays: frozenset[date] = field(default_factory=frozenset)
    by_day: tuple[tuple[int, time, time], ...] = ()

    @classmethod
    def always(cls, zone: str = "UTC") -> "SendWindow":
        """Open at any time."""
        return cls(zone)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "SendWindow":
        """Read ``{"zone", "days": ["mon", …], "from": "09:00", "to": "17:00", "holidays": ["2026-12-25"],
        "by_day": {"fri": {"from": "09:00", "to": "13:00"}}}``.

        Raises ``InvalidInput`` naming the field.
        """
        if unknown := set(value) - {"zone", "days", "from", "to", "holidays", "by_day"}:
            raise InvalidInput(
                f"unknown field {min(unknown)!r}",
                where="sending",
                fix="Use zone, days, from, to, holidays, by_day.",
            )
        days = value.get("days")
        if days is not None and (
            not isinstance(days, list) or not days or any(day not in DAYS for day in days)
        ):
            raise InvalidInput(
                "days must list some of mon … sun",
                where="sending.days",
                fix='Write: ["mon", "tue"].',
            )
        opens, closes = _hours(value, "sending")
        holidays = value.get("holidays") or []
        try:
            dates = frozenset(date.fromisoformat(str(each)) for each in holidays)
        except (ValueError, TypeError):
            raise InvalidInput(
                "holidays must be dates",
                where="sending.holidays",
                fix="Write them as 2026-12-25.",
            ) from None
        return cls(
            known_zone(str(value.get("zone", "UTC"))),
            None if days is None else frozenset(DAYS.index(day) + 1 for day in days),
            opens,
            closes,
            dates,
            _by_day(value.get("by_day"), DAYS if days is None else days),
        )

    def to_json(self) -> dict[str, Any]:
        """The form that ``from_json`` reads."""
        days = {} if self.days is None else {"days": [DAYS[day - 1] for day in sorted(self.days)]}
        by_day = {
            DAYS[day - 1]: {"from": f"{opens:%H:%M}", "to": f"{closes:%H:%M}"}
            for day, opens, closes in self.by_day
        }
        return {
            "zone": self.zone,
            **days,
            "from": f"{self.opens:%H:%M}",
            "to": f"{self.closes:%H:%M}",
            "holidays": sorted(each.isoformat() for each in self.holidays),
            **({"by_day": by_day} if by_day else {}),
        }

    def words(self) -> str:
        """Return ``09:00 to 17:00, Mon to Fri, but Fri 09:00 to 13:00 (Europe/Berlin), except 2 holidays``."""
        numbers = sorted(self.days or range(1, 8))
        names = [DAYS[day - 1].capitalize() for day in numbers]
        whole = len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1
        days = (
            "every day" if len(numbers) == 7 else f"{names[0]} to {names[-1]}" if whole else ", ".join(names)
        )
        others = ", ".join(
            f"{DAYS[day - 1].capitalize()} {_span(opens, closes)}" for day, opens, closes in self.by_day
        )
        but = f", but {others}" if others else ""
        count = len(self.holidays)
        except_for = f", except {count} holiday{'' if count == 1 else 's'}" if count else ""
        return f"{_span(self.opens, self.closes)}, {days}{but} ({self.zone}){except_for}"

    def works_on(self, day: date) -> bool:
        """May emails leave on ``day``?"""
        return (self.days is None or day.isoweekday() in self.days) and day not in self.holidays

    def hours_on(self, day: date) -> tuple[time, time]:
        """Return when a working day opens and closes."""
        found = (hours for number, *hours in self.by_day if number == day.isoweekday())
        opens, closes = next(found, (self.opens, self.closes))
        return opens, closes

    def next_open(self, moment: datetime) -> datetime | None:
        """The first instant at or after ``moment`` inside this window. None if there is none within a year and a day."""
        zone = ZoneInfo(self.zone)
        day = moment.astimezone(zone).date()
        last = (moment + _SEARCH).astimezone(zone).date()
        while day <= last:
            if self.works_on(day):
                opens, closes = self.hours_on(day)
                start = instant(datetime.combine(day, opens), zone)
                end_day = day + timedelta(days=1) if closes == _MIDNIGHT else day
                end = instant(datetime.combine(end_day, closes), zone)
                if moment < end and start < end:
                    return max(moment, start).astimezone(UTC)
            day += timedelta(days=1)
        return None


def business_calendar(windows: Sequence[SendWindow], zone: str = "UTC") -> SendWindow:
    """The business days of several windows: those on which every window works, Monday to Friday if none names days.

    They begin and end by the clock of the first window, or of ``zone`` if there is none.
    """
    said = [window.days for window in windows if window.days is not None]
    return SendWindow(
        windows[0].zone if windows else zone,
        frozenset.intersection(*said) if said else BUSINESS_DAYS,
        holidays=frozenset().union(*(window.holidays for window in windows)),
    )


@dataclass(frozen=True, slots=True)
class Absence:
    """The sender is away from ``starts`` until ``ends`` (None: until further notice)."""

    starts: datetime
    ends: datetime | None

    def to_json(self) -> dict[str, Any]:
        """The form that ``from_json`` reads."""
        return {
            "starts": self.starts.isoformat(),
            "ends": None if self.ends is None else self.ends.isoformat(),
        }

    def holds(self, moment: datetime) -> bool:
        """Is the sender away at ``moment``?"""
        return self.starts <= moment and (self.ends is None or moment < self.ends)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Absence":
        """Read ``{"starts": ISO instant, "ends": ISO instant | null}``. Raises ``InvalidInput``."""
        try:
            starts = datetime.fromisoformat(str(value["starts"]))
            ends = None if value.get("ends") is None else datetime.fromisoformat(str(value["ends"]))
        except (KeyError, ValueError):
            raise InvalidInput("an absence needs starts and ends as instants", where="absences") from None
        return cls(starts, ends)


def known_zone(name: str) -> str:
    """Return ``name`` if it is an IANA time zone. Raises ``InvalidInput``."""
    refused = InvalidInput(
        f"{name[:60]!r} is not a time zone",
        where="zone",
        fix="Use an IANA name such as Europe/Berlin.",
    )
    if name.startswith(_OF_A_MACHINE):
        raise refused
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise refused from None


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a local wall time.

    A skipped time becomes the first instant after the gap, a repeated one its first occurrence.
    """
    first = local.replace(tzinfo=zone, fold=0)
    as_utc = first.astimezone(UTC)
    if as_utc.astimezone(zone).replace(tzinfo=None) == local:
        return as_utc
    # Skipped: the wall time's two readings enclose the change. Find its instant by halving.
    low, high = sorted((as_utc, local.replace(tzinfo=zone, fold=1).astimezone(UTC)))
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def next_permitted(now: datetime, windows: Sequence[SendWindow], absences: Sequence[Absence]) -> datetime:
    """The first instant at or after ``now`` inside every window and outside every absence.

    Raises ``InvalidInput`` if there is none within a year, because the windows never meet. An absence without an
    end holds for a day, and is then checked again.
    """
    moment = now
    limit = now + _SEARCH
    while moment <= limit:
        settled = moment
        for window in windows:
            opened = window.next_open(settled)
            if opened is None:
                raise InvalidInput(
                    "no permitted time within a year",
                    where="sending",
                    fix="Widen days or hours.",
                )
            settled = opened
        for absence in absences:
            if absence.holds(settled):
                settled = settled + timedelta(days=1) if absence.ends is None else absence.ends
        if settled == moment:
            return moment
        if any(absence.ends is None and absence.starts <= moment for absence in absences):
            return settled
        moment = settled
    raise InvalidInput(
        "no permitted time within a year",
        where="sending",
        fix="Widen the windows so that they meet.",
    )


def _span(opens: time, closes: time) -> str:
    return f"{opens:%H:%M} to {'24:00' if closes == _MIDNIGHT else f'{closes:%H:%M}'}"


def _hours(value: Mapping[str, Any], where: str) -> tuple[time, time]:
    opens, closes = _time(value, "from", where), _time(value, "to", where)
    if closes != _MIDNIGHT and closes <= opens:
        raise InvalidInput(
            f"to ({closes:%H:%M}) is not after from ({opens:%H:%M})",
            where=f"{where}.to",
            fix="Use the same day.",
        )
    return opens, closes


def _by_day(value: Any, days: Sequence[str]) -> tuple[tuple[int, time, time], ...]:
    if not value:
        return ()
    whole = isinstance(value, Mapping) and all(isinstance(each, Mapping) for each in value.values())
    if not whole or any(day not in days or set(hours) - {"from", "to"} for day, hours in value.items()):
        raise InvalidInput(
            "by_day gives some of these days other hours",
            where="sending.by_day",
            fix='Write: {"fri": {"from": "09:00", "to": "13:00"}}.',
        )
    return tuple(
        sorted((DAYS.index(day) + 1, *_hours(hours, f"sending.by_day.{day}")) for day, hours in value.items())
    )


def _time(value: Mapping[str, Any], name: str, where: str) -> time:
    text = str(value.get(name, "00:00"))
    if text == "24:00":
        return _MIDNIGHT
    try:
        found = time.fromisoformat(text)
    except ValueError:
        found = None
    # Seconds are not kept, so that hours which only they keep apart could never be read again.
    if found is None or found.tzinfo is not None or found.second or found.microsecond:
        what = f"{text[:20]!r} is not a time" if text else "The time is missing"
        raise InvalidInput(what, where=f"{where}.{name}", fix="Write it as 09:00.")
    return found
