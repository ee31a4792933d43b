"""Sending hours in forms: of an organization, a sequence, or a mailbox, with weekdays that have other hours than the rest."""

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ConfigDict, Field

from domain.send_window import DAYS
from web.forms import PageForm

# Where an error is shown.
PLACES: Mapping[str, str] = {
    "zone": "zone",
    "sending.holidays": "holidays",
    **dict.fromkeys(("sending", "sending.days", "sending.from", "sending.to", "sending.by_day"), "days"),
    **{f"sending.by_day.{day}.{end}": f"{end}_{day}" for day in DAYS for end in ("from", "to")},
}


class HoursForm(PageForm):
    """``hours``: set, or empty for none. ``from_DAY``, ``to_DAY``: of weekdays that have other hours. ``holidays``: dates, one a line.

    ``version``: of what the form was filled from.
    """

    model_config = ConfigDict(extra="allow")
    zone: str = ""
    hours: str = ""
    days: list[str] = Field(default_factory=list)
    opens: str = ""
    closes: str = ""
    holidays: str = ""
    version: str = ""

    def sending(self) -> dict[str, Any] | None:
        """Return the hours as ``SendWindow`` reads them."""
        if self.hours != "set":
            return None
        return {
            "zone": self.zone,
            "days": self.days,
            "from": self.opens,
            "to": self.closes,
            "holidays": self.holidays.split(),
            "by_day": by_day(self.typed(), self.days),
        }


def by_day(typed: Mapping[str, str], days: Collection[str]) -> dict[str, dict[str, str]]:
    """Return the hours of weekdays that have some, as ``SendWindow`` reads them; those of a day without emails count for nothing."""
    found = {
        day: {"from": typed.get(f"from_{day}", ""), "to": typed.get(f"to_{day}", "")}
        for day in DAYS
        if day in days
    }
    return {day: hours for day, hours in found.items() if any(hours.values())}
