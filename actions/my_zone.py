"""The zone in which a member reads times."""

from functools import cache
from uuid import UUID
from zoneinfo import available_timezones

from app.runtime import Runtime
from db.views import frame
from domain.errors import InvalidInput

_TECHNICAL = ("Etc/", "SystemV/", "US/", "Brazil/", "Canada/", "Chile/", "Mexico/")


@cache
def zones() -> tuple[str, ...]:
    """Return the zones that places have: ``Europe/Berlin``, and ``UTC``."""
    places = [each for each in available_timezones() if "/" in each and not each.startswith(_TECHNICAL)]
    return ("UTC", *sorted(places))


def set_zone(runtime: Runtime, member_id: UUID, zone: str) -> None:
    """Have a member read times in a zone; "": the organization's. Raises ``InvalidInput``."""
    if zone and zone not in zones():
        raise InvalidInput("This is no time zone we know", where="zone", fix="Choose one from the list.")
    with runtime.database.transaction() as tx:
        frame.set_zone(tx, member_id, zone or None)
