"""The result of a withdrawal: what it stopped, what had already left, and what nobody can know yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

RETURNS_WITHIN = timedelta(seconds=45)
RECALL_AFTER = timedelta(seconds=3)  # a healthy send finishes first


class Action(StrEnum):
    """What was withdrawn. The result is stored under the value."""

    END_GRANT = "grant"
    REMOVE_MAILBOX = "mailbox_removed"
    DISABLE_MAILBOX = "mailbox_disabled"
    DISCONNECT_TENANT = "tenant_disconnected"  # all mailboxes that are connected by it
    DEACTIVATE_MEMBER = "member"
    PAUSE_SEQUENCE = "sequence_paused"
    ARCHIVE_SEQUENCE = "sequence_archived"
    SET_BACK_SEQUENCE = "sequence_set_back"
    CHANGE_SEQUENCE = "sequence_changed"  # some of its people: by an import, or by hand
    HAND_OVER_SEQUENCE = "sequence_handed_over"
    HAND_OVER_MEMBER = "member_handed_over"  # all sequences of somebody who left
    CHANGE_SENDERS = "senders_changed"  # of several sequences of one owner
    END_ENROLLMENT = "enrollment"
    STOP_PERSON = "person_stopped"
    SUPPRESS_CANDIDATE = "candidate"
    SUPPRESS_ENTRIES = "suppressions"
    HOLD_MAILBOX = "mailbox_held"  # until somebody releases it
    HOLD_ORGANIZATION = "organization_held"


@dataclass(frozen=True, slots=True)
class WithdrawalResult:
    """What a withdrawal achieved.

    ``stopped``: emails of its scope that will not leave. ``already_sent``: emails of its scope that left earlier,
    or while the gate closed. ``in_doubt``: deliveries in doubt; we search for them, and never send them again in
    this scope. ``last_left_at``: when the newest email of the scope left. ``withdrawal_id``: where the result is
    stored.
    """

    withdrawal_id: UUID
    stopped: int
    already_sent: int
    in_doubt: Sequence[UUID]
    last_left_at: datetime | None
    seconds: float

    def to_json(self) -> dict[str, object]:
        """As written to the audit trail: numbers and ids."""
        return {
            "stopped": self.stopped,
            "already_sent": self.already_sent,
            "in_doubt": [str(each) for each in self.in_doubt],
            "seconds": round(self.seconds, 3),
        }

    @property
    def complete(self) -> bool:
        """Can nothing of the scope leave any more, and is everything known?"""
        return not self.in_doubt
