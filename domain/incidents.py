"""Incidents: something stopped, or waits, and is not over. One for each cause and owner, however many sequences it stopped.

An incident is a notice of a kind that ``domain/event_types.py`` gives a ``Recovery``. It is open, then acknowledged if somebody
says that they look after it, and it closes by itself once what it is about is over. One that nobody reads goes to others, once.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto
from uuid import UUID

from domain.errors import InvalidInput

MAX_UNREAD_HOURS = 168


class Recovery(Enum):
    """What ends an incident. ``db/events/incidents.sql`` has the conditions."""

    RESUMED = auto()  # none of the owner's sequences is paused for it any more
    MAILBOX_WORKS = auto()  # the same, and for whoever can repair the mailbox: it can send again
    TENANT_WORKS = auto()  # the same for all mailboxes of a tenant, and for whoever can connect it again
    PROVIDER_ACCEPTS = auto()  # the provider takes emails again; nobody has to do anything
    MAILBOX_READ = auto()  # we can read the mailbox again; nobody has to do anything
    RELEASED = auto()  # the hold is over
    LEFT_DRAFTS = auto()  # no accepted email is in Drafts any more

    @property
    def by_itself(self) -> bool:
        """Is it over without anybody's doing?"""
        return self in (Recovery.PROVIDER_ACCEPTS, Recovery.MAILBOX_READ)


class State(StrEnum):
    """An incident's state, in the word that pages use."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Next(Enum):
    """What becomes of an incident now."""

    WAIT = auto()
    CLOSE = auto()
    ESCALATE = auto()


@dataclass(frozen=True, slots=True)
class Incident:
    """What decides about an incident that is not closed. ``lasts``: what it is about is not over."""

    recovery: Recovery
    lasts: bool
    opened_at: datetime
    read_at: datetime | None = None
    acknowledged_at: datetime | None = None
    escalated_at: datetime | None = None


def state_of(acknowledged_at: datetime | None, closed_at: datetime | None) -> State:
    """Return the state. What is over is closed, whether or not anybody acknowledged it."""
    if closed_at is not None:
        return State.CLOSED
    return State.OPEN if acknowledged_at is None else State.ACKNOWLEDGED


def decide(incident: Incident, now: datetime, unread_for: timedelta) -> Next:
    """Decide what becomes of it. ``unread_for``: the organization's setting."""
    if not incident.lasts:
        return Next.CLOSE
    seen = incident.read_at is not None or incident.acknowledged_at is not None
    if seen or incident.recovery.by_itself or incident.escalated_at is not None:
        return Next.WAIT
    return Next.ESCALATE if now - incident.opened_at >= unread_for else Next.WAIT


def goes_to(owner: UUID, backup: UUID | None, admins: Collection[UUID]) -> list[UUID]:
    """Return who hears of an incident that its owner has not read: their backup, or else the admins. ``backup``: an active one."""
    if backup is not None and backup != owner:
        return [backup]
    return [each for each in admins if each != owner]


def checked_hours(hours: int) -> int:
    """Return the hours for which an incident may stay unread. Raises ``InvalidInput``."""
    if not 1 <= hours <= MAX_UNREAD_HOURS:
        raise InvalidInput(
            "That is no number of hours we take",
            where="unread_hours",
            fix=f"Give 1 to {MAX_UNREAD_HOURS} hours.",
        )
    return hours
