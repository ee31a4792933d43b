"""The sender's absence over time: what stays the same one from reading to reading, and when held emails may leave."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.send_window import Absence

STALE_AFTER = timedelta(minutes=15)  # what was read longer ago is read again before a send
ASK_AGAIN = timedelta(days=1)  # an absence whose end nobody knows is reckoned with for that long at a time


def carried_over(before: Sequence[Absence], now_read: Sequence[Absence]) -> list[Absence]:
    """``now_read``, in which an absence without an end keeps the beginning it had when it was first seen."""
    began = next((each.starts for each in before if each.ends is None), None)
    return [
        Absence(min(began, each.starts), None) if each.ends is None and began is not None else each
        for each in now_read
    ]


def away_at(absences: Sequence[Absence], moment: datetime) -> Absence | None:
    """The absence that holds emails at ``moment``; of several the one that ends last."""
    holding = [each for each in absences if each.holds(moment)]
    return max(holding, key=lambda each: (each.ends is None, each.ends or each.starts), default=None)


def reckoned(absences: Sequence[Absence], now: datetime) -> list[Absence]:
    """For a plan: one whose end nobody knows is taken to end when it is looked at again."""
    return [Absence(each.starts, each.ends or now + ASK_AGAIN) for each in absences]


def back_at(absences: Sequence[Absence], moment: datetime) -> datetime:
    """When what waits for the sender may be looked at again: at once, at the end, or in a day where none is known."""
    while (away := away_at(absences, moment)) is not None:
        if away.ends is None:
            return moment + ASK_AGAIN
        moment = away.ends
    return moment
