"""Plan a resumption: who would get what, and when. Never a burst, never a step twice, nothing before a person agrees.

The plan is what will happen. It knows the mailbox's pace and daily cap, the permission's daily limit and end,
sending hours, the sender's absence, and the emails of other running sequences on the same mailbox, which keep
their turns.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.grant import Grant, usable_grant
from domain.lane import PER_SECOND

_PACE = timedelta(seconds=1 / PER_SECOND)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A held delivery: when it was due, and since when its delay does not run."""

    delivery_id: UUID
    sequence_id: UUID
    candidate: str
    person: str  # their name, or the address if there is none
    position: int
    due_at: datetime
    paused_at: datetime
    removed: bool = False  # an edit of the sequence took this step out
    away_until: datetime | None = None  # as in ``domain.preflight.Facts``
    unclear_until: datetime | None = None

    def not_before(self, now: datetime) -> tuple[datetime, str]:
        """From when on the person may get it, and why not earlier, or an empty string."""
        until, why = now, ""
        for at, reason in (
            (self.away_until, "the person is away"),
            (self.unclear_until, "an unclear answer"),
        ):
            if at is not None and at > until:
                until, why = at, reason
        return until, why


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A delivery of another running sequence on the same mailbox. It continues unchanged."""

    delivery_id: UUID
    sequence_id: UUID
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Road:
    """What has to allow one sequence's emails. ``grants``: its owner's on the mailbox, None if none is needed.

    ``permitted``: returns the first moment at or after the given one at which an email may leave.
    """

    permitted: Callable[[datetime], datetime]
    owner_id: UUID
    grants: Sequence[Grant] | None = None


@dataclass(frozen=True, slots=True)
class LaneState:
    """The mailbox now. ``not_before``: its provider asked to wait, or it is held, until then."""

    now: datetime
    zone: str
    daily_cap: int
    sent_today: int
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of one delivery. ``send_at`` None: it is left out, for ``reason``.

    ``waits``: why it will not leave at ``send_at`` after all.
    """

    delivery_id: UUID
    candidate_email: str
    step_position: int
    send_at: datetime | None
    note: str
    reason: str = ""
    person: str = ""
    waits: str = ""


def plan(
    waiting: Iterable[Waiting],
    neighbours: Iterable[Neighbour],
    *,
    lane: LaneState,
    roads: Mapping[UUID, Road],
    skip_older_than: timedelta | None,
) -> list[Planned]:
    """Give every waiting delivery its time.

    The delay that was left when the pause began runs first, then the road has to allow it. ``skip_older_than``:
    deliveries that are overdue by more than that at the lane's ``now`` are left out. Returns those that are left
    out, then the others in order of time.
    """
    left_out, going = [], []
    for each in waiting:
        reason, note = _left_out(each, lane.now, skip_older_than)
        if reason:
            left_out.append(_planned(each, None, note, reason))
        else:
            going.append(each)
    return left_out + _Simulation(lane, roads).run(going, neighbours)


def _left_out(each: Waiting, now: datetime, skip_older_than: timedelta | None) -> tuple[str, str]:
    if each.removed:
        return "step_removed", "left out: the step was removed"
    overdue = now - each.due_at
    if skip_older_than is not None and overdue > skip_older_than:
        return (
            "stale_at_resume",
            f"skipped: {overdue.days} days late" if overdue.days else "skipped: too late",
        )
    return "", ""


def _planned(each: Waiting, at: datetime | None, note: str, reason: str = "", waits: str = "") -> Planned:
    return Planned(each.delivery_id, each.candidate, each.position, at, note, reason, each.person, waits)


class _Simulation:
    """Plays the lane forward.

    The earliest email comes first, and moves on until the lane, the daily limits and its hours allow it.
    """

    def __init__(self, lane: LaneState, roads: Mapping[UUID, Road]) -> None:
        self._lane, self._roads, self._zone = lane, roads, ZoneInfo(lane.zone)
        today = self._day(lane.now)
        self._sent: dict[date, int] = {today: lane.sent_today}
        self._used = {(g.id, today): g.used_today for road in roads.values() for g in road.grants or ()}
        self._free = max(lane.now, lane.not_before or lane.now)

    def run(self, going: Iterable[Waiting], neighbours: Iterable[Neighbour]) -> list[Planned]:
        now = self._lane.now
        queue: list[tuple[datetime, int, datetime, UUID]] = []
        items: dict[UUID, Waiting | Neighbour] = {}
        for neighbour in neighbours:
            items[neighbour.delivery_id] = neighbour
            queue.append((max(neighbour.due_at, now), 0, neighbour.due_at, neighbour.delivery_id))
        for each in going:
            items[each.delivery_id] = each
            remaining = max(each.due_at - each.paused_at, timedelta())
            earliest, _ = each.not_before(now)
            queue.append((max(now + remaining, earliest), 1, each.due_at, each.delivery_id))
        heapq.heapify(queue)
        planned = []
        while queue:
            moment, rank, due_at, delivery_id = heapq.heappop(queue)
            item = items[delivery_id]
            start = max(moment, self._free)
            later, waits = self._passes(self._roads[item.sequence_id], item.sequence_id, start)
            if later is not None:
                heapq.heappush(queue, (later, rank, due_at, delivery_id))
                continue
            if not waits:
                self._free = start + _PACE
            if isinstance(item, Waiting):
                _, holds = item.not_before(now)
                note = holds or ("was due" if item.due_at <= now else "keeps its remaining delay")
                planned.append(_planned(item, start, note, waits=waits))
        return planned

    def _passes(self, road: Road, sequence_id: UUID, start: datetime) -> tuple[datetime | None, str]:
        """Does the road allow ``start``?

        (later, ""): ask again then. (None, ""): it leaves at ``start``, and counts. (None, why): it waits for a
        person.
        """
        day = self._day(start)
        if self._sent.get(day, 0) >= self._lane.daily_cap:
            return self._after(day), ""
        grant = None
        if road.grants is not None:
            counted = [replace(each, used_today=self._used.get((each.id, day), 0)) for each in road.grants]
            grant = usable_grant(counted, road.owner_id, sequence_id, start)
            if grant is None:
                return None, "the permission will have ended"
            if grant.used_up:
                return self._after(day), ""
        allowed = road.permitted(start)
        if allowed > start:
            return allowed, ""
        self._sent[day] = self._sent.get(day, 0) + 1
        if grant is not None:
            self._used[grant.id, day] = grant.used_today + 1
        return None, ""

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self._zone).date()

    def _after(self, day: date) -> datetime:
        midnight = datetime.combine(day + timedelta(days=1), time(), self._zone)
        return midnight.astimezone(self._lane.now.tzinfo)


def summary(planned: Iterable[Planned], now: datetime, zone: str) -> list[str]:
    """Say how many leave when, by the days of ``zone``: ``31 leave in the next 2 minutes``, ``29 on Tue 1 Dec``."""
    days: dict[date, list[datetime]] = {}
    ended = 0
    for each in planned:
        if each.send_at is None:
            continue
        if each.waits:
            ended += 1
            continue
        local = each.send_at.astimezone(ZoneInfo(zone))
        days.setdefault(local.date(), []).append(local)
    lines: list[str] = []
    for day, moments in sorted(days.items()):
        verb = ("leaves" if len(moments) == 1 else "leave") if not lines else ""
        until = max(moments) - now
        if until <= timedelta(hours=1):
            minutes = max(1, -(-int(until.total_seconds()) // 60))
            when = "in the next minute" if minutes == 1 else f"in the next {minutes} minutes"
        else:
            when = (
                "today" if day == now.astimezone(ZoneInfo(zone)).date() else f"on {day:%a} {day.day} {day:%b}"
            )
            when += f" from {min(moments):%H:%M}"
        lines.append(" ".join(filter(None, (str(len(moments)), verb, when))))
    if ended:
        lines.append(f"{ended} will wait, because the permission ends before")
    return lines
