"""Who may be enrolled in a sequence: nobody suppressed, nobody twice, and one person in one sequence at a time.

A person whom the organization wrote to lately is left alone for some days. An admin may enrol people anyway, with a reason, in
spite of the last two: never a suppressed one, and never twice in the same sequence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from domain.errors import InvalidInput, NotPermitted

Who = TypeVar("Who")
MOST_DAYS = 3650
MAX_REASON = 500  # characters


class Keeps(StrEnum):
    """What keeps a person out of a sequence."""

    SUPPRESSED = "suppressed"
    ALREADY = "already"
    ELSEWHERE = "elsewhere"
    CONTACTED = "contacted"


ADMINS_MAY = frozenset({Keeps.ELSEWHERE, Keeps.CONTACTED})


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a person. ``elsewhere``: another sequence that they are in and that is not over, or "".

    ``last_sent_at``: when the organization last wrote to them, in any sequence.
    """

    suppressed: bool = False
    already: bool = False
    elsewhere: str = ""
    last_sent_at: datetime | None = None


def keeps_out(standing: Standing, *, days: int, now: datetime, anyway: bool = False) -> Keeps | None:
    """Return what keeps a person out, or None. ``days``: since the last email; 0: any time.

    ``anyway``: an admin has said why.
    """
    if standing.suppressed:
        return Keeps.SUPPRESSED
    if standing.already:
        return Keeps.ALREADY
    if anyway:
        return None
    if standing.elsewhere:
        return Keeps.ELSEWHERE
    if standing.last_sent_at is not None and now < free_from(standing.last_sent_at, days):
        return Keeps.CONTACTED
    return None


def free_from(last_sent_at: datetime, days: int) -> datetime:
    """Return when a person can be enrolled again."""
    return last_sent_at + timedelta(days=days)


def sort_out(
    standings: Mapping[str, Standing], *, days: int, now: datetime, anyway: bool = False
) -> dict[str, Keeps]:
    """Return whom something keeps out, and what, by their address."""
    found = ((email, keeps_out(each, days=days, now=now, anyway=anyway)) for email, each in standings.items())
    return {email: keeps for email, keeps in found if keeps is not None}


def check_reason(reason: str, *, admin: bool) -> str:
    """Return why people are enrolled anyway, or "" if they are not. Raises ``NotPermitted``, ``InvalidInput``."""
    reason = " ".join(reason.split())
    if reason and not admin:
        raise NotPermitted("Only an owner or admin can enroll people anyway. Ask one of them.")
    if len(reason) > MAX_REASON:
        raise InvalidInput(
            f"the reason has more than {MAX_REASON} characters", where="anyway", fix="Shorten it."
        )
    return reason


def check_days(days: int) -> int:
    """Return the days between the last email and a new sequence. Raises ``InvalidInput``."""
    if not 0 <= days <= MOST_DAYS:
        raise InvalidInput(
            "that is no number of days", where="days", fix=f"Give 0 (no limit) to {MOST_DAYS} days."
        )
    return days


def in_parts(people: Sequence[Who], a_day: int | None) -> list[list[Who]]:
    """Split people into those who start on the first day, on the second, and so on. None: all at once."""
    each = a_day or len(people) or 1
    return [list(people[start : start + each]) for start in range(0, len(people), each)]
