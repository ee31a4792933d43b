"""The gate: may this email leave now? Everything is asked again, every time, on facts read under the lane's lock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from domain import task
from domain.absence import away_at
from domain.approval import WAITS, WAITS_FOR_OWNER, Approval
from domain.authority import Authority, Sender, Withdrawn, authorize
from domain.connection import SCOPES
from domain.grant import Grant
from domain.handover import SENDER_CHANGED, HandedOver
from domain.holds import ON_HOLD, SendingHold
from domain.listening.cadence import FRESH
from domain.send_window import Absence, SendWindow, next_permitted

READ_AGAIN_IN = timedelta(minutes=1)
NOT_READ = "mailbox_not_read"
# What ends an enrollment -> why its next email is skipped. The enrollment gets the same reason.
ENDED_BY = {
    "answer": "answered",
    "left_company": "left_company",
    "sender_wrote": "sender_wrote",
    "opt_out": "opted_out",
    "bounce": "bounced",
}
STILL_DRAFT_AGAIN = timedelta(minutes=15)  # as often as such an email is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What is known of answers before a follow-up. ``ended_by``: the kind of the newest message that ends the enrollment.

    ``readable``: can all mailboxes be read, of those connected, that sent to this person? ``read_as_of``: when the oldest of their
    last readings began; None: one was never read. ``unprocessed``: something came to them by SMTP, and nobody knows yet what it is.
    """

    readable: bool
    read_as_of: datetime | None
    ended_by: str | None = None
    unprocessed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts(Sender):
    """What the database says, in one snapshot, about one delivery. Times aware UTC."""

    sequence_status: str
    enrollment_status: str
    step_removed: bool  # the sequence was edited, and has this step no more
    suppressed: str | None
    hold: SendingHold | None  # of the mailbox, of its organization, or of everybody
    tomorrow: datetime  # when the mailbox's next day starts, for what is counted by the day
    previous_sent: bool
    due_at: datetime
    windows: Sequence[SendWindow]
    absences: Sequence[Absence]
    previous_still_draft: bool = False  # the email before it was accepted and has not left Drafts
    away_until: datetime | None = None  # a machine answered for the person
    unclear_until: datetime | None = None  # they wrote, and nobody knows yet what it means
    heard: Heard | None = (
        None  # None: no email of this sequence has left to them, so nobody can have answered
    )
    by_hand: bool = False  # a person wrote it, to this person, now
    not_before: datetime | None = None  # a person decided so, whatever is planned
    handed_over: HandedOver | None = None  # the last time that its sequence was
    moved: bool = False  # its sequence was handed over, and it is still at the former mailbox
    needs_approval: bool = False  # its step says so
    approval: Approval | None = None
    is_task: bool = False  # its step sends nothing
    # Its mark, as it would leave now, if it needs approval, also by the mailbox's owner; None: it could not leave.
    text: str | None = None

    @property
    def approved(self) -> bool:
        """Has somebody approved exactly what would leave now?"""
        return self.approval is not None and self.text is not None and self.approval.text == self.text


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
    """Decide. The order is that of what a person would want to hear first: the person, the mailbox, the permission, the time.

    What somebody writes by hand waits for no sending hours, no absence and no answer: they chose the time, and know the answers.
    """
    if facts.suppressed is not None:
        return Skip(facts.suppressed)
    if facts.heard is not None and facts.heard.ended_by is not None:
        return Skip(ENDED_BY[facts.heard.ended_by])
    if facts.enrollment_status in ("stopped", "archived", "finished"):
        return Skip(f"enrollment_{facts.enrollment_status}")
    if facts.sequence_status == "archived":
        return Skip("sequence_archived")
    if facts.step_removed:
        return LeaveOut("step_removed")
    if facts.moved:
        return Wait(facts.now, SENDER_CHANGED)  # until it is the other mailbox's

    if facts.is_task:
        return _stopped(facts) or Hold(task.WAITS)
    authorized = authorize(facts)
    if isinstance(authorized, Withdrawn):
        return authorized
    grant = authorized.grant

    if stopped := _stopped(facts):
        return stopped
    if not facts.previous_sent:
        return Hold("previous_step_not_sent")
    due_at = max(facts.due_at, facts.not_before or facts.due_at)
    if facts.now < due_at:
        return Wait(due_at, "not_due")
    if facts.needs_approval and not facts.approved:
        return Hold(WAITS)
    if grant is not None and grant.waits_for_first:
        return Hold(WAITS_FOR_OWNER)
    if facts.hold is not None:
        return Wait(facts.due_at, ON_HOLD)  # as planned; the dispatch asks for it again once the hold is over
    if facts.previous_still_draft:
        return Wait(facts.now + STILL_DRAFT_AGAIN, "previous_email_still_in_drafts")
    if not facts.by_hand and facts.away_until is not None and facts.now < facts.away_until:
        return Wait(facts.away_until, "person_away")
    if not facts.by_hand and facts.unclear_until is not None and facts.now < facts.unclear_until:
        return Wait(facts.unclear_until, "unclear_answer")
    if grant is not None and grant.used_up:
        return Wait(facts.tomorrow, "permission_used_up_today")
    permitted = facts.now if facts.by_hand else next_permitted(facts.now, facts.windows, facts.absences)
    if permitted > facts.now:
        away = away_at(facts.absences, facts.now)
        return Wait(permitted, "outside_sending_window" if away is None else "sender_away")
    if facts.heard is not None and not _is_fresh(facts.heard, facts.now):
        return Wait(facts.now + READ_AGAIN_IN, NOT_READ)

    authority = authorized.authority
    return Clear(
        authority,
        grant,
        (
            Check("person", "not suppressed, enrollment active"),
            Check("members", "sequence owner and mailbox owner active"),
            Check("mailbox", _connected(facts)),
            Check("scopes", " ".join(sorted(SCOPES[facts.provider])) or "none needed"),
            Check(
                "permission",
                authority if grant is None else _permission(authority, grant),
            ),
            Check("sequence", "active, previous step sent"),
            Check("hold", "neither the mailbox nor its organization is held"),
            *(() if facts.handed_over is None else (Check("hand-over", facts.handed_over.in_words()),)),
            Check("answers", "written by hand" if facts.by_hand else _answers(facts.heard)),
            *(
                (Check("approval", facts.approval.in_words()),)
                if facts.needs_approval and facts.approval is not None
                else ()
            ),
            Check(
                "time",
                f"due {facts.due_at.isoformat()}, "
                + (
                    "at once"
                    if facts.by_hand
                    else f"{_hours(len(facts.windows))}, no automatic replies known"
                ),
            ),
        ),
    )


def _stopped(facts: Facts) -> Hold | None:
    if facts.sequence_status != "active":
        return Hold(f"sequence_{facts.sequence_status}")
    if facts.enrollment_status != "active":
        return Hold(f"enrollment_{facts.enrollment_status}")
    return None


def _connected(facts: Facts) -> str:
    said = f"connected by {facts.provider}, connection {facts.connection_version}"
    return said if facts.consented_at is None else f"{said}, its owner consented {facts.consented_at}"


def _permission(authority: Authority, grant: Grant) -> str:
    read = "" if grant.first_read is None else f", its first email {grant.first_read.in_words()}"
    return f"{authority} {grant.id} version {grant.version}{read}"


def _is_fresh(heard: Heard, now: datetime) -> bool:
    """May a follow-up rest on it? A mailbox that cannot be read says nothing, ever, but what came to us is ours to read first."""
    if heard.unprocessed:
        return False
    return not heard.readable or (heard.read_as_of is not None and now - heard.read_as_of <= FRESH)


def _answers(heard: Heard | None) -> str:
    if heard is None:
        return "first email of the sequence to this person"
    if not heard.readable or heard.read_as_of is None:
        return "this mailbox cannot be read"
    return f"no answer as of {heard.read_as_of.isoformat()}"


def _hours(windows: int) -> str:
    return {0: "no sending hours set", 1: "inside its sending hours"}.get(
        windows, f"inside {windows} sets of sending hours"
    )
