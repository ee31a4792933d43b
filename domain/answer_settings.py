"""What an organization, or one of its sequences, does about answers, absences and opt-outs."""

from dataclasses import asdict, dataclass
from enum import StrEnum

from domain.errors import InvalidInput
from domain.opt_out import checked_line
from domain.organization_hours import version_of

MOST_AWAY_DAYS = 60


class StopScope(StrEnum):
    """What an answer ends for the person who wrote it."""

    SEQUENCE = "sequence"  # that sequence
    ORGANIZATION = "organization"  # all sequences of the organization


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """``away_days``: business days for which somebody waits whose automatic reply names no day; organizations only.

    ``opt_out_line``: the words that lead to the opt-out page; "": the emails have it in their headers alone. None of a sequence means
    as the organization has it, and None of an organization's line means ours.
    """

    stop_scope: StopScope | None = None
    away_days: int | None = None
    opt_out_line: str | None = None

    def checked(self) -> "AnswerSettings":
        """Return them as they are stored. Raises ``InvalidInput``."""
        days = self.away_days
        if days is not None and not 1 <= days <= MOST_AWAY_DAYS:
            raise InvalidInput(
                f"{days} is no number of days to wait",
                where="away_days",
                fix=f"Give 1 to {MOST_AWAY_DAYS} business days.",
            )
        line = None if self.opt_out_line is None else checked_line(self.opt_out_line)
        return AnswerSettings(self.stop_scope, days, line)

    @property
    def version(self) -> str:
        """Names what somebody has read, so that a change of theirs replaces nothing that they have not seen."""
        return version_of(asdict(self))
