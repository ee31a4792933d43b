"""Planning a resumption: who would get what, and when. Never a burst, never a step twice, and nothing before a person agreed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.lane import PER_SECOND

_PACE = timedelta(seconds=1 / PER_SECOND)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A held delivery: when it was due, and since when its clock stands still."""

    delivery_id: UUID
    candidate: str
    position: int
    due_at: datetime
    paused_at: datetime
    removed: bool = False  # the sequence was edited, and has this step no more


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of it. ``send_at`` None: it is left out, for ``reason``."""

    delivery_id: UUID
    candidate_email: str
    step_position: int
    send_at: datetime | None
    note: str
    reason: str = ""


def plan(
    waiting: Iterable[Waiting],
    *,
    now: datetime,
    permitted: Callable[[datetime], datetime],
    daily_cap: int,
    sent_today: int,
    zone: str,
    skip_older_than: timedelta | None,
) -> list[Planned]:
    """Give every waiting delivery its time: the delay that remained when the pause began, in sending windows, at the
    mailbox's pace and under its daily cap. ``skip_older_than``: overdue by more than that (at ``now``) is skipped.
    """
    planned: list[Planned] = []
    last: datetime | None = None
    counts: dict[date, int] = {now.astimezone(ZoneInfo(zone)).date(): sent_today}
    frozen = sorted(
        waiting,
        key=lambda each: (
            max(each.due_at - each.paused_at, timedelta()),
            each.due_at,
            each.delivery_id,
        ),
    )
    for each in frozen:
        if each.removed:
            note = "left out: the step was removed"
            planned.append(
                Planned(each.delivery_id, each.candidate, each.position, None, note, "step_removed")
            )
            continue
        overdue = now - each.due_at
        if skip_older_than is not None and overdue > skip_older_than:
            note = f"skipped: {overdue.days} days late" if overdue.days else "skipped: too late"
            planned.append(
                Planned(each.delivery_id, each.candidate, each.position, None, note, "stale_at_resume")
            )
            continue
        remaining = max(each.due_at - each.paused_at, timedelta())
        moment = now + remaining
        if last is not None:
            moment = max(moment, last + _PACE)
        moment = permitted(moment)
        day = moment.astimezone(ZoneInfo(zone)).date()
        while counts.get(day, 0) >= daily_cap:
            midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), tzinfo=ZoneInfo(zone))
            moment = permitted(max(moment, midnight.astimezone(now.tzinfo)))
            day = moment.astimezone(ZoneInfo(zone)).date()
        counts[day] = counts.get(day, 0) + 1
        last = moment
        note = "was due" if each.due_at <= now else "keeps its remaining delay"
        planned.append(Planned(each.delivery_id, each.candidate, each.position, moment, note))
    return planned
