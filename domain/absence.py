"""When the sender is away: keep one absence the same across readings, and find when held emails may leave."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.send_window import Absence

STALE_AFTER = timedelta(minutes=15)  # an older reading is refreshed before a send
ASK_AGAIN = timedelta(days=1)  # how long an absence without a known end is assumed to last


def carried_over(before: Sequence[Absence], now_read: Sequence[Absence]) -> list[Absence]:
    """Return ``now_read``; an absence without an end keeps the start it had when it was first seen."""
    began = next((each.starts for each in before if each.ends is None), None)
    return [
        Absence(min(began, each.starts), None) if each.ends is None and began is not None else each
        for each in now_read
    ]


def away_at(absences: Sequence[Absence], moment: datetime) -> Absence | None:
    """Return the absence that holds emails at ``moment``, or None. If several do, the one that ends last."""
    holding = [each for each in absences if each.holds(moment)]
    return max(holding, key=lambda each: (each.ends is None, each.ends or each.starts), default=None)


def reckoned(absences: Sequence[Absence], now: datetime) -> list[Absence]:
    """Absences for a plan. One without a known end is assumed to end at the next check, ``ASK_AGAIN`` from ``now``."""
    return [Absence(each.starts, each.ends or now + ASK_AGAIN) for each in absences]


def back_at(absences: Sequence[Absence], moment: datetime) -> datetime:
    """When to check again on emails that wait for the sender.

    This is ``moment`` itself if the sender is not away then, the end of the absence, or a day later if the end is
    unknown.
    """
    while (away := away_at(absences, moment)) is not None:
        if away.ends is None:
            return moment + ASK_AGAIN
        moment = away.ends
    return moment
