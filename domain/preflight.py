"""The gate: may this email leave now? Everything is asked again, every time, on facts read under the lane's lock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from domain.absence import away_at
from domain.authority import Authority, Sender, Withdrawn, authorize
from domain.connection import SCOPES
from domain.grant import Grant
from domain.send_window import Absence, SendWindow, next_permitted

STILL_DRAFT_AGAIN = timedelta(minutes=15)  # as often as such an email is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts(Sender):
    """What the database says, in one snapshot, about one delivery. Times aware UTC."""

    sequence_status: str
    enrollment_status: str
    step_removed: bool  # the sequence was edited, and has this step no more
    suppressed: str | None
    tomorrow: datetime  # when the mailbox's next day starts, for what is counted by the day
    previous_sent: bool
    due_at: datetime
    windows: Sequence[SendWindow]
    absences: Sequence[Absence]
    previous_still_draft: bool = False  # the email before it was accepted and has not left Drafts


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was verified, for the receipt."""

    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class Clear:
    """It may leave, on this authority."""

    authority: Authority
    grant: Grant | None
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Hold:
    """Something was paused already; this delivery waits with it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Skip:
    """This person is not to be written to any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class LeaveOut:
    """This step is not to be sent any more; the person goes on to the next one."""

    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet."""

    until: datetime
    reason: str


Decision: TypeAlias = Clear | Withdrawn | Hold | Skip | LeaveOut | Wait


def preflight(facts: Facts) -> Decision:
    """Decide. The order is that of what a person would want to hear first: the person, the mailbox, the permission, the time."""
    if facts.suppressed is not None:
        return Skip(facts.suppressed)
    if facts.enrollment_status in ("stopped", "archived", "finished"):
        return Skip(f"enrollment_{facts.enrollment_status}")
    if facts.sequence_status == "archived":
        return Skip("sequence_archived")
    if facts.step_removed:
        return LeaveOut("step_removed")

    authorized = authorize(facts)
    if isinstance(authorized, Withdrawn):
        return authorized
    grant = authorized.grant

    if facts.sequence_status != "active":
        return Hold(f"sequence_{facts.sequence_status}")
    if facts.enrollment_status != "active":
        return Hold(f"enrollment_{facts.enrollment_status}")
    if not facts.previous_sent:
        return Hold("previous_step_not_sent")
    if facts.now < facts.due_at:
        return Wait(facts.due_at, "not_due")
    if facts.previous_still_draft:
        return Wait(facts.now + STILL_DRAFT_AGAIN, "previous_email_still_in_drafts")
    if grant is not None and grant.used_up:
        return Wait(facts.tomorrow, "permission_used_up_today")
    permitted = next_permitted(facts.now, facts.windows, facts.absences)
    if permitted > facts.now:
        away = away_at(facts.absences, facts.now)
        return Wait(permitted, "outside_sending_window" if away is None else "sender_away")

    authority = authorized.authority
    return Clear(
        authority,
        grant,
        (
            Check("person", "not suppressed, enrollment active"),
            Check("members", "sequence owner and mailbox owner active"),
            Check("mailbox", f"connected by {facts.provider}, connection {facts.connection_version}"),
            Check("scopes", " ".join(sorted(SCOPES[facts.provider])) or "none needed"),
            Check(
                "permission",
                authority if grant is None else f"{authority} {grant.id} version {grant.version}",
            ),
            Check("sequence", "active, previous step sent"),
            Check(
                "time",
                f"due {facts.due_at.isoformat()}, {_hours(len(facts.windows))}, no automatic replies known",
            ),
        ),
    )


def _hours(windows: int) -> str:
    return {0: "no sending hours set", 1: "inside its sending hours"}.get(
        windows, f"inside {windows} sets of sending hours"
    )
