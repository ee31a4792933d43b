"""What a person decides about one planned email, whether it is still in time, and what moves with it.

Only the next email of somebody in a sequence is planned; each later one counts its delay from the one before. So whatever moves the
next one moves all later ones too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias, assert_never

from domain.audit import digest
from domain.delay import parse_delay
from domain.delivery import State
from domain.errors import InvalidInput, NotPermitted
from domain.send_window import SendWindow, business_calendar, next_permitted

SKIPPED, CANCELLED = "skipped_by_hand", "cancelled_by_hand"  # why such an email is closed
FARTHEST = timedelta(days=366)
CHANGEABLE = (State.PENDING, State.QUEUED)  # no worker has it
_TOO_LATE = {
    State.PREPARING: "This email is leaving right now. Try again in a minute.",
    State.DRAFTED: "This email is leaving right now. Try again in a minute.",
    State.SENDING: "This email is leaving right now, and nobody can stop it any more.",
    State.SENT: "This email has left already.",
    State.IN_DOUBT: "We do not know yet whether this email has left. We are looking for it, so it cannot be changed.",
    State.REVIEW: "Nobody knows whether this email has left. Decide that under Needs attention first.",
}
_CLOSED = {
    "skipped": "This email was skipped already.",
    "failed": "This email failed. Retry it, or leave it out, under Needs attention.",
    "cancelled": "This email was cancelled already.",
    "done": "This task was done already.",
}


@dataclass(frozen=True, slots=True)
class Skip:
    """Leave this step out. The next one counts its delay from now."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Do not send this email. Later ones keep their times, as if it had left when it was due."""


@dataclass(frozen=True, slots=True)
class NotBefore:
    """Send it at ``at`` (aware) at the earliest."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Earlier:
    """Send it as soon as the mailbox's pace and the sending hours allow."""


Change: TypeAlias = Skip | Cancel | NotBefore | Earlier


@dataclass(frozen=True, slots=True)
class Following:
    """A step that comes later. ``delay``: from the email before it, as its sequence says."""

    position: int
    delay: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A planned email and what follows it. ``zone``: the organization's, which defines days unless a window says otherwise."""

    now: datetime
    position: int
    due_at: datetime
    not_before: datetime | None
    held: bool
    by_hand: bool
    following: Sequence[Following]
    windows: Sequence[SendWindow]
    zone: str


@dataclass(frozen=True, slots=True)
class Times:
    """When a step leaves at the earliest: as planned, and after the change. ``then`` None: it does not leave."""

    position: int
    now: datetime
    then: datetime | None


def too_late(state: str, outcome: str | None, *, submitted: bool) -> str | None:
    """Say why an email cannot be changed any more, or None. ``submitted``: it was handed to its provider once, and came back."""
    if state == State.CLOSED:
        return _CLOSED[outcome or "cancelled"]
    if state not in CHANGEABLE:
        return _TOO_LATE[State(state)]
    if submitted:
        return (
            "This email was already submitted. We are finding out whether it left, so it cannot be changed."
        )
    return None


def mark_of(subject: str | None, body: str) -> str:
    """Return what changes with a text: the SHA-256 of both, in hex, as in the receipt of an email that was edited."""
    return digest({"subject": subject, "body": body})


def check(change: Change, plan: Plan) -> None:
    """Refuse a change that makes no sense. Raises ``InvalidInput``, ``NotPermitted``."""
    match change:
        case Skip() if plan.by_hand:
            raise NotPermitted("This email was written by hand, so nothing follows it. Cancel it instead.")
        case Earlier() if plan.held:
            raise NotPermitted("This email waits for a decision, not for its time. Decide about it first.")
        case NotBefore(at):
            _check_time(at, plan)
        case _:
            pass


def _check_time(at: datetime, plan: Plan) -> None:
    if at.tzinfo is None:
        raise InvalidInput("This time has no time zone", where="at", fix="Add one, for example +01:00 or Z.")
    if at <= plan.now:
        raise InvalidInput("This time is over", where="at", fix="Choose a later one.")
    if at - plan.now > FARTHEST:
        raise InvalidInput("This is more than a year ahead", where="at", fix="Choose a time within a year.")
    if plan.not_before is None and at <= plan.due_at:
        raise InvalidInput(
            "This email is planned for later than that",
            where="at",
            fix="Choose a later time, or send it earlier.",
        )


def moved(change: Change, plan: Plan) -> list[Times]:
    """Return what the change does to this email and to all that follow it."""
    due_at = max(plan.due_at, plan.now)
    match change:
        case Skip():
            first, counted_from = None, plan.now
        case Cancel():
            first, counted_from = None, due_at
        case NotBefore(at):
            first = counted_from = next_permitted(at, plan.windows, [])
        case Earlier():
            first = counted_from = next_permitted(plan.now, plan.windows, [])
        case _:
            assert_never(change)
    found = [Times(plan.position, plan.due_at, first)]
    now, then = due_at, counted_from
    calendar = business_calendar(plan.windows, plan.zone)
    for step in plan.following:
        delay = parse_delay(step.delay)
        now, then = (next_permitted(delay.after(each, calendar), plan.windows, []) for each in (now, then))
        found.append(Times(step.position, now, then))
    return found
