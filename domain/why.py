"""Why somebody's next email did or did not leave, in a paragraph, and what a person can do about it. Pages and the CLI say the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from domain.connection import ACCEPTS, REFUSED_BY, SENT_FOLDER, TRACEABLE
from domain.event_types import PAUSED_BECAUSE
from domain.holds import SendingHold, sentence
from domain.lane import PER_MINUTE
from domain.notice import why_failed
from domain.obstacle import Obstacle, missing_field, obstacle
from domain.processes import Role, nobody, what_fails
from domain.reasons import WORDS, after, because

_STUCK = (
    "Microsoft accepted {step}, but it is still in Drafts of {address}. We never send it again by ourselves: send it there,"
    " or delete it."
)
_LOST_KEY = (
    "{step} cannot leave: what signs in to {address} is sealed under a key that no worker has (id {key}). Onbehalf's operators have to"
    " put that key back at the end of SECRET_KEYS and restart the workers."
)
# Why an email waits that answers to earlier ones stand in the way of.
_LISTENING = {
    "mailbox_not_read": (
        "we could not read {address} just now, so we do not know whether {email} answered. We try again every minute."
    ),
    "person_away": "{email} is away. Automatic replies are on, and the email can leave from {at}.",
    "unclear_answer": (
        "{email} wrote, and we do not know whether it is an answer. The email can leave from {at}, unless you stop it."
    ),
}
# Reasons that are said by when sending hours begin, or need no word.
_HOURS = (None, "outside_sending_window")
# Reasons that say no more than that a person did it.
_BY_HAND = ("by_hand", "by hand", "stopped", "on the person's page")
# How a moment is written: to the second, by the clock alone, to the minute.
SECOND, CLOCK, MINUTE = "second", "clock", "minute"
When = Callable[[datetime, str], str]


class Remedy(StrEnum):
    """What a person can do about it."""

    NONE = "none"
    LIFT = "lift"  # the suppression
    FILL_IN = "fill_in"  # a field
    RESUME_PERSON = "resume_person"
    RESUME_SEQUENCE = "resume_sequence"
    START_SEQUENCE = "start_sequence"
    PERMISSION = "permission"  # or the mailbox's connection
    DECIDE = "decide"  # under Needs attention
    RELEASE = "release"  # the hold
    APPROVE = "approve"  # the email, as it is
    TASK = "task"  # to be done, or skipped
    EARLIER = "earlier"


@dataclass(frozen=True, slots=True)
class Why:
    """The answer. ``field``: the one to fill in, or empty."""

    text: str
    remedy: Remedy = Remedy.NONE
    field: str = ""


@dataclass(frozen=True, slots=True)
class Around:
    """What is true beyond the enrollment itself: what ``db.sending.waits``, ``db.access.authority`` and ``db.views.processes`` say.

    ``waits``: why its sequence sends nothing today. ``opens_at``: when sending hours begin; None: they last. ``roles``: who sends.
    ``task``: if it is one, whose and what, such as ``Anna Smith: Call them``.
    """

    waits: str | None = None
    blockers: Sequence[str] = ()
    opens_at: datetime | None = None
    roles: Sequence[Role] = ()
    task: str = ""


def why(row: Any, around: Around, when: When) -> Why:
    """``row``: ``db.views.lookups.situation``."""
    sent = f"{row.sent} email{'s' if row.sent != 1 else ''} sent"
    last = f", the last at {when(row.last_sent, SECOND)}" if row.last_sent else ""
    found = next_of(row, around, when)
    text = f"{row.email} in {row.sequence} from {row.address}: {sent}{last}. {found.text}"
    return Why(text, found.remedy, found.field)


def next_of(row: Any, around: Around, when: When) -> Why:
    """``why`` without who, where, and how much was sent."""
    if row.suppressed:
        return Why(
            f"Nothing more will be sent: the address is on the suppression list{after(', because ', row.suppressed)}.",
            Remedy.LIFT,
        )
    if row.status == "finished":
        return Why(
            "All steps have been sent." if row.state == "sent" or row.state is None else "No step is left."
        )
    if row.status in ("stopped", "archived"):
        if row.state == "closed" and row.outcome == "failed":
            return Why(f"Nothing more will be sent. {why_failed(row.delivery_reason)}", Remedy.DECIDE)
        return Why(
            f"Nothing more will be sent: {_by_somebody(row.reason, 'somebody stopped the sequence for this person')}."
        )
    if row.state is None:
        return Why("No step is planned.")
    step = f"Step {row.position}"
    match row.state:
        case "sent" if row.still_draft_at:
            return Why(_STUCK.format(step=step, address=row.address))
        case "sent":
            return Why(f"{step} was the last one sent.")
        case "closed":
            return Why(f"{step} will not be sent{after(': ', row.delivery_reason)}.")
        case "review":
            return Why(_review(row, step), Remedy.DECIDE)
        case "in_doubt":
            until = f", until {when(row.grace_until, CLOCK)} at least" if row.grace_until else ""
            looks = (
                f"we are looking for it in {row.address}{until}"
                if row.provider in TRACEABLE
                else f"{ACCEPTS[row.provider]} cannot be searched, so a person will have to decide"
            )
            return Why(f"{step} is in doubt{after(', because ', row.delivery_reason)}: {looks}.")
        case "queued" if silent := nobody_sends(around.roles, when):
            return Why(f"{step} is queued. {silent}")
        case "queued" | "preparing" | "drafted" | "sending":
            return Why(f"{step} is on its way.")
    return _pending(row, step, around, when)


def _by_somebody(reason: str | None, what: str) -> str:
    """Why somebody gets nothing; ``what`` a person did, with what they wrote about it."""
    code = (reason or "").partition(": ")[0]
    if code in WORDS and code not in _BY_HAND:
        return because(reason)
    return what if code in _BY_HAND else f"{what}{after(': ', reason)}"


def nobody_sends(roles: Sequence[Role], when: When) -> str:
    """Return why Onbehalf itself sends nothing: a process that nobody runs, or that cannot work. Empty if it can send."""
    for each in roles:
        if not each.running:
            since = f" since {when(each.seen_at, MINUTE)}" if each.seen_at else ""
            return (
                f"Onbehalf itself does not send: {nobody(each.role)}{since}. Its operators have to start it."
            )
        if not each.working:
            return f"Onbehalf itself does not send: {what_fails(each.role)}. Its operators see why: onbehalf processes."
    return ""


def _pending(row: Any, step: str, around: Around, when: When) -> Why:
    match obstacle(
        sequence=row.sequence_status,
        enrollment=row.status,
        reason=row.reason,
        blocked=bool(around.blockers),
        held=bool(row.held),
        on_hold=row.hold is not None,
        held_for=row.delivery_reason,
    ):
        case Obstacle.ARCHIVED:
            return Why(f"{step} waits: the sequence is archived.")
        case Obstacle.PERMISSION:
            return Why(f"{step} waits: {' '.join(around.blockers)}", Remedy.PERMISSION)
        case Obstacle.DRAFT:
            return Why(f"{step} waits: the sequence is still a draft.", Remedy.START_SEQUENCE)
        case Obstacle.SEQUENCE_PAUSED:
            cause = PAUSED_BECAUSE.get(row.paused_reason, row.paused_reason).format(mailbox=row.address)
            words = f"{step} has been waiting since {when(row.paused_at, SECOND)}: {cause}. Resume the sequence when that is fixed."
            return Why(words, Remedy.RESUME_SEQUENCE)
        case Obstacle.FIELD:
            field = missing_field(row.reason) or ""
            return Why(f"{step} waits: {because(row.reason)}. Fill it in.", Remedy.FILL_IN, field)
        case Obstacle.PERSON_PAUSED:
            return Why(
                f"{step} waits: {_by_somebody(row.reason, 'somebody paused this person')}.",
                Remedy.RESUME_PERSON,
            )
        case Obstacle.TASK:
            what = f"a task of {around.task.rstrip('.')}"
            if row.due_at > row.now:
                return Why(f"{step} is {what}, planned for {when(row.due_at, SECOND)}.", Remedy.TASK)
            return Why(f"{step} waits for {what}, since {when(row.due_at, MINUTE)}.", Remedy.TASK)
        case Obstacle.APPROVAL:
            since = when(row.due_at, MINUTE)
            return Why(f"{step} waits for approval by {row.owner} since {since}.", Remedy.APPROVE)
        case Obstacle.MAILBOX_OWNER:
            since = when(row.due_at, MINUTE)
            return Why(
                f"{step} waits since {since}: the owner of {row.address} reads the first email on their permission before it leaves."
            )
        case Obstacle.HELD:
            return Why(
                f"{step} waits until somebody decides{after(': ', row.delivery_reason)}.",
                Remedy.RESUME_SEQUENCE,
            )
        case Obstacle.ON_HOLD:
            held = sentence(SendingHold.from_json(row.hold), row.address, when)
            return Why(f"{step} waits{_planned(row, when)}. {held}", Remedy.RELEASE)
    if row.stuck_step:
        return Why(f"{step} waits: {_STUCK.format(step=f'step {row.stuck_step}', address=row.stuck_in)}")
    if row.lost_key:
        return Why(_LOST_KEY.format(step=step, address=row.address, key=row.lost_key))
    if around.waits is not None:
        return Why(f"{step} waits. {around.waits}")
    if row.retry_after_until and row.retry_after_until > row.now:
        return Why(_provider_waits(row, step, when))
    if row.delivery_reason in _LISTENING and row.due_at > row.now:
        at = when(row.due_at, MINUTE)
        return Why(
            f"{step} waits: {_LISTENING[row.delivery_reason].format(address=row.address, email=row.email, at=at)}"
        )
    return _by_time(row, step, around, when)


def _planned(row: Any, when: When) -> str:
    return f" and is planned for {when(row.due_at, SECOND)}" if row.due_at > row.now else ""


def _by_time(row: Any, step: str, around: Around, when: When) -> Why:
    """Nothing holds it but time: its own, sending hours, those before it, or nobody who sends."""
    said = "" if row.delivery_reason in _HOURS else because(row.delivery_reason)
    reason = f" ({said})" if said else ""
    opens = around.opens_at
    if row.due_at > row.now:
        hours = (
            "" if opens is None or row.due_at > opens else f" Sending hours begin at {when(opens, MINUTE)}."
        )
        if opens is not None and abs(row.due_at - opens) < timedelta(minutes=1):
            hours = " That is when sending hours begin."
        return Why(f"{step} is planned for {when(row.due_at, SECOND)}{reason}.{hours}", Remedy.EARLIER)
    if opens is not None:
        return Why(f"{step} is due and waits for sending hours, which begin at {when(opens, MINUTE)}.")
    if silent := nobody_sends(around.roles, when):
        return Why(f"{step} has been due since {when(row.due_at, SECOND)}. {silent}")
    if row.before:
        emails = f"{row.before} email{'s' if row.before != 1 else ''}"
        minutes = -(-row.before // int(PER_MINUTE))
        about = (
            f"about {minutes} minute{'s' if minutes != 1 else ''}" if minutes <= 60 else "more than an hour"
        )
        return Why(
            f"{step} is due and waits for the mailbox's pace{reason}: {row.address} sends {emails} before it, which takes {about}."
        )
    return Why(
        f"{step} is due and waits for the mailbox's pace{reason}: it is the next one of {row.address}."
    )


def _review(row: Any, step: str) -> str:
    # By SMTP we know of no copy in the mailbox: only the server knows.
    look = (
        f"Look in {SENT_FOLDER[row.provider]} of {row.address}"
        if row.provider in TRACEABLE
        else f"Ask your IT team to look for it in the mail server's log ({row.address})"
    )
    why = after(": ", row.delivery_reason)
    return (
        f"{step} went to {ACCEPTS[row.provider]}, and we do not know whether it left{why}. We never send it"
        f" again by ourselves. {look} and settle it."
    )


def _provider_waits(row: Any, step: str, when: When) -> str:
    until = when(row.retry_after_until, CLOCK)
    whose = REFUSED_BY[row.provider]
    match row.wait_reason:
        case "sending_limit_reached":
            return (
                f"{step} waits: {whose} says that {row.address} has sent as much as it may for now. We try again"
                f" at {until}."
            )
        case "refused_without_reason":
            return (
                f"{step} waits: {whose} refused several emails from {row.address} in a row and gave no reason. We try again"
                f" at {until}."
            )
        case "mailbox_read_first":
            return f"{step} waits until {until}: we first read what came into {row.address}, and {whose} answers only so much a minute."
        case "operator_misconfigured":
            return f"{step} waits until {until}: Onbehalf itself is not set up correctly. We have alerted its operators."
    return f"{step} waits: {whose} asked this mailbox to wait until {until}."
