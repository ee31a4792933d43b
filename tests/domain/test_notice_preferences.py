"""How notices come: quiet hours in the member's zone, and nothing that silences everything."""

from datetime import UTC, datetime, time, timedelta

import pytest

from domain.errors import InvalidInput
from domain.event_types import EVENT_TYPES
from domain.events import EventKind
from domain.notice_preferences import ByEmail, Category, Preferences, Quiet, quiet_hours, wait_for

NIGHT, NOON, LATE = (
    Quiet(time(19), time(7, 30)),
    Quiet(time(12), time(13)),
    Quiet(time(22), time(2, 30)),
)


def at(hour: int, minute: int = 0, day: int = 2) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("quiet", "zone", "now", "wait"),
    [
        (None, "UTC", at(3), None),
        (NIGHT, "UTC", at(18, 59), None),
        (NIGHT, "UTC", at(19), timedelta(hours=12, minutes=30)),
        (NIGHT, "UTC", at(3), timedelta(hours=4, minutes=30)),
        (NIGHT, "UTC", at(7, 30), None),
        (NIGHT, "Europe/Berlin", at(18, 30), timedelta(hours=12)),  # 19:30 there
        (NIGHT, "America/New_York", at(18, 30), None),  # 13:30 there
        (NOON, "UTC", at(12, 15), timedelta(minutes=45)),
        (NOON, "UTC", at(13), None),
        # The night in which Berlin's clocks go forward is an hour shorter.
        (NIGHT, "Europe/Berlin", at(22, day=28), timedelta(hours=7, minutes=30)),
        # Where they go back, it is 02:15 twice, and quiet until the second half past two.
        (LATE, "Europe/Berlin", datetime(2026, 10, 25, 1, 15, tzinfo=UTC), timedelta(minutes=15)),
    ],
)
def test_how_long_it_is_quiet(quiet: Quiet | None, zone: str, now: datetime, wait: timedelta | None) -> None:
    assert wait_for(quiet, zone, now) == wait


def test_quiet_hours_are_two_times_or_none() -> None:
    assert quiet_hours("", "") is None
    assert quiet_hours("19:00", "07:30") == NIGHT
    for start, until in (
        ("19:00", ""),
        ("", "7"),
        ("25:00", "07:00"),
        ("nine", "ten"),
        ("19:00", "19:00"),
        ("19:00+02:00", "7"),
    ):
        with pytest.raises(InvalidInput):
            quiet_hours(start, until)


def test_whoever_chooses_nothing_gets_emails_at_once() -> None:
    assert {Preferences().way(each).by_email for each in Category} == {ByEmail.AT_ONCE}


def test_whatever_stops_a_sequence_is_of_its_category() -> None:
    stopped = {kind for kind, each in EVENT_TYPES.items() if each.category is Category.STOPPED}
    assert {kind for kind, each in EVENT_TYPES.items() if each.pauses or each.recovery} <= stopped
    assert EVENT_TYPES[EventKind.CANDIDATE_ANSWERED].category is Category.ANSWERS
    assert EVENT_TYPES[EventKind.OPT_OUT_PROPOSED].category is Category.DECISIONS
