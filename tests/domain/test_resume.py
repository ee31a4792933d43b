"""The plan of a resumption: the rest of each delay, at the mailbox's pace, within every bound, beside its neighbours."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.absence import reckoned
from domain.grant import Bounds, Grant
from domain.lane import PER_SECOND
from domain.resume import LaneState, Neighbour, Planned, Road, Waiting, plan, summary
from domain.send_window import Absence, SendWindow, next_permitted

NOW = datetime(2026, 11, 27, 10, tzinfo=UTC)  # a Friday
PACE = timedelta(seconds=1 / PER_SECOND)
MINE, OTHER, RITA = UUID(int=1), UUID(int=2), UUID(int=3)
LANE = LaneState(NOW, "UTC", 1000, 0)
OFFICE = SendWindow.from_json({"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"})


def road(*windows: SendWindow, away: Sequence[Absence] = (), grants: Sequence[Grant] | None = None) -> Road:
    return Road(lambda moment: next_permitted(moment, windows, away), RITA, grants)


def waiting(
    count: int, *, due: timedelta = -timedelta(hours=1), paused: timedelta = timedelta()
) -> list[Waiting]:
    return [
        Waiting(UUID(int=100 + n), MINE, f"c{n}@example.org", f"Cand {n}", 1, NOW + due, NOW + paused)
        for n in range(count)
    ]  # fmt: skip


def neighbours(count: int, due: timedelta = timedelta()) -> list[Neighbour]:
    return [Neighbour(UUID(int=1000 + n), OTHER, NOW + due) for n in range(count)]


def planned(
    mine: Sequence[Waiting],
    others: Sequence[Neighbour] = (),
    *,
    lane: LaneState = LANE,
    own: Road | None = None,
    theirs: Road | None = None,
    skip: timedelta | None = None,
) -> list[Planned]:
    return plan(
        mine, others, lane=lane, roads={MINE: own or road(), OTHER: theirs or road()}, skip_older_than=skip
    )


def days(found: Sequence[Planned]) -> dict[str, int]:
    return dict(
        Counter(f"{each.send_at:%d}" for each in found if each.send_at is not None and not each.waits)
    )


def test_the_delay_that_remained_when_the_pause_began_remains() -> None:
    (soon, later) = planned(
        [
            Waiting(UUID(int=1), MINE, "a@x.example", "A", 2, NOW - timedelta(days=9), NOW - timedelta(days=10)),
            Waiting(UUID(int=2), MINE, "b@x.example", "B", 2, NOW - timedelta(days=11), NOW - timedelta(days=10)),
        ]
    )  # fmt: skip
    assert [soon.candidate_email, later.candidate_email] == ["b@x.example", "a@x.example"]
    assert (soon.send_at, later.send_at) == (NOW, NOW + timedelta(days=1))
    assert (soon.note, soon.person) == ("was due", "B")


def test_who_is_away_or_wrote_something_unclear_gets_it_when_that_is_over() -> None:
    back, tomorrow = NOW + timedelta(days=4), NOW + timedelta(days=1)
    overdue = NOW - timedelta(hours=1)
    (plain, unclear, away) = planned(
        [
            Waiting(UUID(int=1), MINE, "a@x.example", "A", 2, overdue, NOW, away_until=back, unclear_until=tomorrow),
            Waiting(UUID(int=2), MINE, "b@x.example", "B", 2, overdue, NOW, unclear_until=tomorrow),
            Waiting(UUID(int=3), MINE, "c@x.example", "C", 2, overdue, NOW, away_until=overdue),
        ]
    )  # fmt: skip
    assert [(each.person, each.send_at) for each in (plain, unclear, away)] == [
        ("C", NOW),
        ("B", tomorrow),
        ("A", back),
    ]
    assert [each.note for each in (plain, unclear, away)] == [
        "was due",
        "an unclear answer",
        "the person is away",
    ]


def test_no_two_leave_faster_than_the_mailboxs_pace() -> None:
    found = planned(waiting(60))
    times = [each.send_at for each in found]
    assert times == [NOW + n * PACE for n in range(60)]


@pytest.mark.parametrize(
    ("lane", "own", "expected"),
    [
        (LaneState(NOW, "UTC", 5, 0), road(), {"27": 5, "28": 5, "29": 2}),
        (LaneState(NOW, "UTC", 5, 4), road(), {"27": 1, "28": 5, "29": 5, "30": 1}),
        (LaneState(NOW, "UTC", 5, 9), road(), {"28": 5, "29": 5, "30": 2}),
        (LaneState(NOW, "UTC", 5, 0), road(OFFICE), {"27": 5, "30": 5, "01": 2}),
        (LANE, road(away=[Absence(NOW - timedelta(days=1), NOW + timedelta(days=2))]), {"29": 12}),
        (LANE, road(away=reckoned([Absence(NOW - timedelta(days=1), None)], NOW)), {"28": 12}),
        (LANE, road(grants=[Grant(UUID(int=9), 1, RITA, Bounds(daily_limit=5))]), {"27": 5, "28": 5, "29": 2}),
        (LANE, road(grants=[Grant(UUID(int=9), 1, RITA, Bounds(daily_limit=5), 5)]), {"28": 5, "29": 5, "30": 2}),
        (LANE, road(OFFICE, grants=[Grant(UUID(int=9), 1, RITA, Bounds(daily_limit=5), 3)]), {"27": 2, "30": 5, "01": 5}),
        (LANE, road(grants=[Grant(UUID(int=9), 1, RITA, Bounds(daily_limit=5)), Grant(UUID(int=8), 1, None, Bounds(daily_limit=3))]), {"27": 8, "28": 4}),
        (LANE, road(grants=[Grant(UUID(int=9), 1, RITA, Bounds(sequence_ids=frozenset({OTHER}))), Grant(UUID(int=8), 1, None, Bounds(daily_limit=6))]), {"27": 6, "28": 6}),
    ],
)  # fmt: skip
def test_every_bound_of_a_day_moves_the_rest_to_the_next(
    lane: LaneState, own: Road, expected: dict[str, int]
) -> None:
    assert days(planned(waiting(12), lane=lane, own=own)) == expected


def test_the_mailboxs_day_begins_by_its_own_clock() -> None:
    lane = LaneState(datetime(2026, 11, 27, 22, 30, tzinfo=UTC), "Europe/Berlin", 1, 1)
    (only,) = planned(waiting(1), lane=lane)
    assert only.send_at == datetime(2026, 11, 27, 23, tzinfo=UTC)


def test_a_permission_that_ends_before_says_so_and_takes_no_turn() -> None:
    ends = Bounds(expires_at=NOW + timedelta(days=1, hours=2), daily_limit=5)
    found = planned(waiting(12), own=road(grants=[Grant(UUID(int=9), 1, RITA, ends)]))
    assert [bool(each.waits) for each in found] == [False] * 10 + [True] * 2 or days(found) == {
        "27": 5,
        "28": 5,
    }
    assert sum(1 for each in found if each.waits) in (2, 7)
    assert all("permission" in each.waits for each in found if each.waits)


def test_neighbours_that_are_due_keep_their_turns() -> None:
    found = planned(waiting(3), neighbours(10))
    assert [each.send_at for each in found] == [NOW + n * PACE for n in (10, 11, 12)]


def test_neighbours_use_up_the_mailboxs_day_and_a_permission_they_share() -> None:
    assert days(planned(waiting(4), neighbours(3), lane=LaneState(NOW, "UTC", 5, 0))) == {"27": 2, "28": 2}
    shared = [Grant(UUID(int=9), 1, RITA, Bounds(daily_limit=4))]
    found = planned(waiting(4), neighbours(3), own=road(grants=shared), theirs=road(grants=shared))
    assert days(found) == {"27": 1, "28": 3}


def test_neighbours_that_may_not_send_now_take_no_turn_now() -> None:
    closed = SendWindow.from_json({"from": "20:00", "to": "21:00"})
    assert planned(waiting(1), neighbours(10), theirs=road(closed))[0].send_at == NOW


def test_a_provider_that_asked_to_wait_is_waited_for() -> None:
    lane = LaneState(NOW, "UTC", 1000, 0, NOW + timedelta(minutes=5))
    assert planned(waiting(1), lane=lane)[0].send_at == NOW + timedelta(minutes=5)


def test_what_is_too_late_or_removed_is_left_out_with_the_reason() -> None:
    late = waiting(1, due=-timedelta(days=3))
    removed = Waiting(UUID(int=7), MINE, "r@x.example", "R", 2, NOW, NOW, removed=True)
    found = planned([*late, removed], skip=timedelta(days=2))
    assert [(each.send_at, each.reason) for each in found] == [
        (None, "stale_at_resume"),
        (None, "step_removed"),
    ]
    assert planned(late, skip=timedelta(days=3))[0].send_at is not None


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    count=st.integers(0, 40),
    others=st.integers(0, 20),
    cap=st.integers(1, 10),
    limit=st.none() | st.integers(1, 6),
    hours=st.booleans(),
)
def test_no_plan_exceeds_a_bound_and_every_email_is_in_it_once(
    count: int, others: int, cap: int, limit: int | None, hours: bool
) -> None:
    windows = (OFFICE,) if hours else ()
    grants = [Grant(UUID(int=9), 1, RITA, Bounds(daily_limit=limit))]
    lane = LaneState(NOW, "UTC", cap, 0)
    found = planned(waiting(count), neighbours(others), lane=lane, own=road(*windows, grants=grants))
    assert sorted(each.delivery_id for each in found) == sorted(each.delivery_id for each in waiting(count))
    moments = [each.send_at for each in found if each.send_at is not None]
    by_day = Counter(moment.date() for moment in moments)
    assert all(number <= min(cap, limit or cap) for number in by_day.values())
    assert moments == sorted(moments)
    assert all(next_permitted(moment, windows, []) == moment for moment in moments)
    assert all(after - before >= PACE - timedelta(microseconds=1) for before, after in pairwise(moments))


def test_a_long_list_under_a_small_limit_is_planned_soon() -> None:
    found = planned(waiting(2000), lane=LaneState(NOW, "UTC", 20, 0), own=road(OFFICE))
    assert len(days(found)) == 31
    assert found[-1].send_at is not None


def test_the_summary_says_how_many_leave_when() -> None:
    found = planned(waiting(31), lane=LaneState(NOW, "UTC", 31, 0)) + planned(
        waiting(29, due=timedelta(days=4), paused=timedelta()), lane=LANE
    )
    assert summary(found, NOW, "UTC") == ["31 leave in the next 2 minutes", "29 on Tue 1 Dec from 10:00"]
    assert summary(found[:1], NOW, "UTC") == ["1 leaves in the next minute"]
    assert summary([], NOW, "UTC") == []
