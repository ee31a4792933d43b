"""An organization's time zone and sending hours, and what other ones move."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.edit_report import Times, span
from domain.errors import InvalidInput
from domain.send_window import SendWindow, known_zone

MOST_HOLIDAYS = 400  # dates


@dataclass(frozen=True, slots=True)
class OrganizationHours:
    """``time_zone``: of pages and of days without hours. ``sending``: as ``SendWindow`` reads it, None: at any time."""

    time_zone: str
    sending: Mapping[str, Any] | None

    def checked(self) -> "OrganizationHours":
        """Return it as it is stored. Raises ``InvalidInput`` naming the field."""
        zone = known_zone(self.time_zone)
        if self.sending is None:
            return OrganizationHours(zone, None)
        window = SendWindow.from_json(self.sending)
        if len(window.holidays) > MOST_HOLIDAYS:
            raise InvalidInput(
                f"there are {len(window.holidays)} holidays",
                where="sending.holidays",
                fix=f"Give at most {MOST_HOLIDAYS}.",
            )
        return OrganizationHours(zone, window.to_json())

    def words(self) -> str:
        """Return when emails may leave, in words."""
        return "at any time" if self.sending is None else SendWindow.from_json(self.sending).words()

    @property
    def version(self) -> str:
        """Names what somebody has read, so that a change of theirs replaces nothing that they have not seen."""
        return version_of(self.time_zone, self.sending)


def version_of(*values: object) -> str:
    """Return the same for the same values, and another text for others."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class MovedSequence:
    """A sequence in which emails get another time."""

    name: str
    times: Times


@dataclass(frozen=True, slots=True)
class HoursReport:
    """What other hours mean. ``changed``: something was written. ``moved``: sequences, those with most emails first."""

    changed: bool = False
    moved: Sequence[MovedSequence] = ()

    @property
    def emails(self) -> int:
        """How many planned emails get another time."""
        return sum(each.times.people for each in self.moved)

    def sentences(self, zone: str = "UTC", most: int = 20) -> list[str]:
        """Say what moves: the sum, and each of at most ``most`` sequences. ``zone``: of the times."""
        if not self.moved:
            return ["No planned email gets another time."]
        whole = (
            "1 planned email gets another time."
            if self.emails == 1
            else f"{self.emails:,} planned emails get another time."
        )
        rest = len(self.moved) - most
        return [
            whole,
            *(_said(each, zone) for each in self.moved[:most]),
            *([f"So do emails of {rest} other sequence{'' if rest == 1 else 's'}."] if rest > 0 else []),
        ]


def _said(each: MovedSequence, zone: str) -> str:
    before, after = span(each.times.before, zone), span(each.times.after, zone)
    count = each.times.people
    return f"{each.name}: {count:,} email{'' if count == 1 else 's'}, from {before} to {after} ({zone})."
