"""Holds: somebody stopped all sending from a mailbox, of an organization, or of everybody, until it is released or a time comes.

A hold changes no email. Each waits as it is planned, and once the hold is over they leave in their order, at the mailbox's pace. A hold
without an organization is a drain: operators stop everybody before maintenance.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from domain.errors import InvalidInput

ON_HOLD = "on_hold"  # why a delivery waits
MAX_REASON = 300  # characters
_FORM = "minute"  # how ``domain.why.When`` writes these moments


class Level(StrEnum):
    """Whose hold it is. Whoever is of this level or a higher one may release it."""

    OWNER = "owner"  # the mailbox's
    ADMIN = "admin"  # an owner or admin of the organization
    OPERATOR = "operator"

    def may_release(self, other: "Level") -> bool:
        """May somebody of this level release a hold of the other?"""
        ranks = list(Level)
        return ranks.index(self) >= ranks.index(other)

    @property
    def releases(self) -> list[str]:
        """The levels whose holds somebody of this level may release."""
        return [each.value for each in Level if self.may_release(each)]


@dataclass(frozen=True, slots=True)
class SendingHold:
    """A hold that is not over. ``organization_id`` None: a drain. ``mailbox_id`` None: all of the organization's.

    ``held_by``: a name. ``until`` None: until somebody releases it.
    """

    id: UUID
    organization_id: UUID | None
    mailbox_id: UUID | None
    level: Level
    held_by: str
    reason: str
    since: datetime
    until: datetime | None

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read it from a row of ``holds`` as JSON."""
        organization, mailbox, until = value["organization_id"], value["mailbox_id"], value["until"]
        return cls(
            UUID(value["id"]),
            None if organization is None else UUID(organization),
            None if mailbox is None else UUID(mailbox),
            Level(value["level"]),
            value["held_by"],
            value["reason"],
            datetime.fromisoformat(value["since"]),
            None if until is None else datetime.fromisoformat(until),
        )

    @property
    def is_drain(self) -> bool:
        """Does it stop everybody?"""
        return self.organization_id is None


def checked_reason(reason: str) -> str:
    """Return why, in one line. Raises ``InvalidInput`` if nothing is said, or too much."""
    line = " ".join(reason.split())
    if not line:
        raise InvalidInput("A hold needs a reason", where="reason", fix="Say why, in a few words.")
    if len(line) > MAX_REASON:
        raise InvalidInput(
            "The reason is too long", where="reason", fix=f"Use up to {MAX_REASON} characters."
        )
    return line


def checked_until(until: datetime | None, now: datetime) -> datetime | None:
    """Return the time at which a hold ends. Raises ``InvalidInput`` if it has passed."""
    if until is not None and until.tzinfo is None:
        raise InvalidInput("That time has no zone", where="until", fix="Write 2026-12-24T09:00+01:00.")
    if until is not None and until <= now:
        raise InvalidInput(
            "That time has passed", where="until", fix="Give a later one, or none: it then lasts."
        )
    return until


def lasts_longer(asked: datetime | None, present: datetime | None) -> bool:
    """Would a hold until ``asked`` last longer than one until ``present``? None: until it is released."""
    return present is not None and (asked is None or asked > present)


def sentence(
    hold: SendingHold,
    address: str,
    when: Callable[[datetime, str], str],
    *,
    whole: str = "All sending of this organization",
) -> str:
    """Say what is held, since when, by whom, why, how long, and who can release it. ``when`` writes moments.

    ``address``: of the mailbox whose email waits. ``whole``: names the organization.
    """
    since, reason = when(hold.since, _FORM), hold.reason.rstrip(".")
    lasts = f"until {when(hold.until, _FORM)}" if hold.until else "until it is released"
    if hold.is_drain:
        return (
            f"Onbehalf's operators have stopped all sending since {since} ({hold.held_by}: {reason}), {lasts}. Nothing is lost:"
            " it then goes on by itself."
        )
    return f"{whole if hold.mailbox_id is None else address} is held since {since} by {hold.held_by}: {reason}. It lasts {lasts}. {who_releases(hold.level)}"


def briefly(hold: SendingHold) -> str:
    """Say it beside one email of many."""
    if hold.is_drain:
        return "Onbehalf's operators have stopped all sending for a while."
    what = "all sending" if hold.mailbox_id is None else "the mailbox"
    return f"{hold.held_by} holds {what}: {hold.reason.rstrip('.')}."


def who_releases(level: Level) -> str:
    """Say who can release a hold of this level."""
    match level:
        case Level.OWNER:
            return "The mailbox's owner can release it, and so can the organization's owners and admins."
        case Level.ADMIN:
            return "The organization's owners and admins can release it."
        case Level.OPERATOR:
            return "Only Onbehalf's operators can release it."
