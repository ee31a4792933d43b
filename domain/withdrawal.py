"""What a withdrawal answers: what it stopped, what had left before, and what nobody can know yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

RETURNS_WITHIN = timedelta(seconds=45)
RECALL_AFTER = timedelta(seconds=3)  # let a healthy send finish by itself first


class Action(StrEnum):
    """What was withdrawn. The value is the verb that the result is stored under."""

    END_GRANT = "grant"
    REMOVE_MAILBOX = "mailbox_removed"
    DISABLE_MAILBOX = "mailbox_disabled"
    DEACTIVATE_MEMBER = "member"
    PAUSE_SEQUENCE = "sequence_paused"
    ARCHIVE_SEQUENCE = "sequence_archived"
    SET_BACK_SEQUENCE = "sequence_set_back"
    CHANGE_SEQUENCE = "sequence_changed"  # an import stopped some of it
    END_ENROLLMENT = "enrollment"
    SUPPRESS_CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True)
class WithdrawalResult:
    """``stopped``: emails of the scope that will not leave. ``already_sent``: emails of the scope that left while the
    gate closed or earlier. ``in_doubt``: deliveries in doubt; they are looked for, and never sent again in this scope.
    ``last_left_at``: when the newest email of the scope left. ``withdrawal_id``: where the answer is kept."""

    withdrawal_id: UUID
    stopped: int
    already_sent: int
    in_doubt: Sequence[UUID]
    last_left_at: datetime | None
    seconds: float

    def to_json(self) -> dict[str, object]:
        """As written into the audit trail: numbers and ids."""
        return {
            "stopped": self.stopped,
            "already_sent": self.already_sent,
            "in_doubt": [str(each) for each in self.in_doubt],
            "seconds": round(self.seconds, 3),
        }

    @property
    def complete(self) -> bool:
        """Nothing of the scope can leave any more, and all is known."""
        return not self.in_doubt
