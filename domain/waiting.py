"""What a planned email waits for, in one word and a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain.event_types import PAUSED_BECAUSE
from domain.events import EventKind
from domain.holds import SendingHold, briefly
from domain.obstacle import Obstacle, missing_field, obstacle

_BY_REASON: Mapping[str, tuple[str, str]] = {
    "person_away": ("Away", "Their automatic reply is on."),
    "sender_away": ("Away", "The sender is away."),
    "unclear_answer": ("Its time", "They wrote, and we could not tell what it means."),
    "outside_sending_window": ("Sending hours", ""),
    "daily_cap": ("Daily limit", "Today's limit of this mailbox is used up."),
    "sending_limit_reached": ("Daily limit", "The provider's limit of this mailbox is used up."),
    "permission_used_up_today": ("Daily limit", "Today's limit of this permission is used up."),
    "mailbox_not_read": ("Mailbox", "We could not read the mailbox just now, and try again every minute."),
    "mailbox_read_first": ("Mailbox", "We first read what came into it."),
    "previous_email_still_in_drafts": ("Mailbox", "The email before it is still in Drafts."),
}
# What one can filter planned emails by, and which reasons that is.
WAITS_FOR: Mapping[str, tuple[str, ...]] = {
    word: tuple(code for code, (each, _) in _BY_REASON.items() if each == word)
    for word in ("Away", "Sending hours", "Daily limit", "Mailbox")
}


class Need(StrEnum):
    """What somebody gives or does before an email can leave, as lists are filtered by it."""

    APPROVAL = "approval"
    TASK = "task"
    FIELD = "field"


NEED_WORDS: Mapping[Need, str] = {
    Need.APPROVAL: "An approval",
    Need.TASK: "A task",
    Need.FIELD: "A missing field",
}
_PERMISSION = (EventKind.GRANT_REVOKED, EventKind.GRANT_EXPIRED, EventKind.GRANT_MISSING)
_MAILBOX = (
    EventKind.MAILBOX_DISCONNECTED,
    EventKind.CONNECTION_LOST,
    EventKind.TENANT_DISCONNECTED,
    EventKind.TENANT_LOST,
)


@dataclass(frozen=True, slots=True)
class WaitsFor:
    """``word``: one of few. ``colour``: of its pill (components/parts.html). ``sentence``: more, or empty."""

    word: str
    colour: str
    sentence: str


def waits_for(row: Any, blockers: str = "") -> WaitsFor:
    """``row``: ``db.views.outbox.PlannedEmail``. ``blockers``: why its sequence may not send at all, or empty."""
    match obstacle(
        sequence=row.sequence_status,
        enrollment=row.enrollment_status,
        reason=row.enrollment_reason,
        blocked=bool(blockers),
        held=row.held,
        on_hold=row.hold is not None,
        held_for=row.reason,
    ):
        case Obstacle.ARCHIVED:
            return WaitsFor("Paused", "warn", "The sequence is archived.")
        case Obstacle.PERMISSION:
            return WaitsFor("Permission", "bad", blockers)
        case Obstacle.DRAFT:
            return WaitsFor("Draft", "", "The sequence has not been started.")
        case Obstacle.SEQUENCE_PAUSED:
            return _paused(row.paused_reason)
        case Obstacle.FIELD:
            field = (missing_field(row.enrollment_reason) or "").replace("_", " ")
            return WaitsFor("Field", "warn", f"{field[:1].upper()}{field[1:]} is missing.")
        case Obstacle.PERSON_PAUSED:
            return WaitsFor("Paused", "warn", "Somebody paused this person.")
        case Obstacle.TASK:
            return WaitsFor("A task", "info", f"Step {row.position} is a task, and sends nothing.")
        case Obstacle.APPROVAL:
            return WaitsFor(
                "Your approval", "info", f"You asked to read step {row.position} before it leaves."
            )
        case Obstacle.MAILBOX_OWNER:
            return WaitsFor(
                "Mailbox owner", "info", "The owner of the mailbox reads the first email before it leaves."
            )
        case Obstacle.HELD:
            return WaitsFor("Paused", "warn", "It waits for a decision.")
        case Obstacle.ON_HOLD:
            return WaitsFor("On hold", "warn", briefly(SendingHold.from_json(row.hold)))
    word, sentence = _BY_REASON.get(row.reason or "", ("Its time", ""))
    return WaitsFor(word, "" if word == "Its time" else "info", sentence)


def _paused(reason: str | None) -> WaitsFor:
    sentence = next((words for kind, words in PAUSED_BECAUSE.items() if kind == reason), "")
    sentence = f"{sentence[:1].upper()}{sentence[1:]}." if sentence and "{" not in sentence else ""
    if reason in _PERMISSION:
        return WaitsFor("Permission", "bad", sentence)
    if reason in _MAILBOX:
        return WaitsFor("Mailbox", "bad", sentence)
    return WaitsFor("Paused", "bad", sentence)
