"""Which step somebody sends to themselves: the detail of an errand, as text."""

from dataclasses import dataclass
from typing import Self
from uuid import UUID


@dataclass(frozen=True, slots=True)
class StepTest:
    """``enrollment_id``: whose fields it has; None: the member's own."""

    sequence_id: UUID
    step_id: UUID
    enrollment_id: UUID | None
    member_id: UUID

    def __str__(self) -> str:
        return " ".join(
            str(each or "-") for each in (self.sequence_id, self.step_id, self.enrollment_id, self.member_id)
        )

    @classmethod
    def of(cls, detail: str) -> Self | None:
        """Return what ``str`` wrote; None: an ordinary test email."""
        if not detail:
            return None
        sequence, step, enrollment, member = detail.split()
        return cls(UUID(sequence), UUID(step), None if enrollment == "-" else UUID(enrollment), UUID(member))
