"""Sending hours as they are written on the command line."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from domain.errors import InvalidInput

OtherDays = Annotated[
    list[str] | None,
    typer.Option("--on", help="A weekday with other hours, like fri=09:00-13:00; several times."),
]


def hours_of(
    before: Mapping[str, Any],
    *,
    days: str | None,
    opens: str | None,
    closes: str | None,
    holidays: list[str] | None,
    others: dict[str, dict[str, str]] | None,
) -> dict[str, Any]:
    """Return hours as ``SendWindow`` reads them. What is not given stays as before, but no other hours of a day without emails."""
    given = {"from": opens, "to": closes, "holidays": holidays, "by_day": others}
    hours = {**before, **{name: value for name, value in given.items() if value is not None}}
    if days == "all":
        hours.pop("days", None)
    elif days is not None:
        hours["days"] = [each.strip().lower() for each in days.split(",")]
    if others is None and "days" in hours:
        kept = hours.get("by_day", {})
        hours["by_day"] = {day: kept[day] for day in kept if day in hours["days"]}
    return hours


def by_day(texts: list[str]) -> dict[str, dict[str, str]]:
    """Return them as ``SendWindow`` reads them. Raises ``InvalidInput``."""
    found = {}
    for each in texts:
        day, sign, hours = each.partition("=")
        opens, dash, closes = hours.partition("-")
        if not (sign and dash):
            raise InvalidInput(f"{each!r} is no day with hours", where="--on", fix="Write fri=09:00-13:00.")
        found[day.strip().lower()] = {"from": opens.strip(), "to": closes.strip()}
    return found
