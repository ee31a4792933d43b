"""Times as people write them."""

from datetime import UTC, datetime, timedelta

import pytest

from domain import moments
from domain.grant import end_of

NOW = datetime(2026, 11, 26, 13, 2, 11, tzinfo=UTC)
BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (timedelta(seconds=2), "now"),
        (timedelta(seconds=40), "in 40 s"),
        (timedelta(seconds=-40), "40 s ago"),
        (timedelta(minutes=8), "in 8 min"),
        (timedelta(minutes=-59), "59 min ago"),
        (timedelta(hours=3), "today, 17:02"),
        (timedelta(hours=-3), "today, 11:02"),
        (timedelta(hours=10), "tomorrow, 00:02"),  # by the clock of Berlin, not of UTC
        (timedelta(days=-1), "yesterday, 14:02"),
        (timedelta(days=3), "Sun 29 Nov, 14:02"),
        (timedelta(days=60), "Mon 25 Jan 2027, 14:02"),
    ],
)
def test_near_times_are_words_and_others_have_their_weekday(ahead: timedelta, said: str) -> None:
    assert moments.moment(NOW + ahead, BERLIN, NOW) == said


def test_what_lasts_since_a_moment_names_it() -> None:
    assert moments.stated(NOW - timedelta(minutes=4), BERLIN, NOW) == "today, 13:58"


def test_something_planned_that_is_overdue_says_so() -> None:
    assert moments.planned(NOW - timedelta(minutes=4), BERLIN, NOW) == "due 4 min ago"
    assert moments.planned(NOW + timedelta(minutes=4), BERLIN, NOW) == "in 4 min"


@pytest.mark.parametrize("zone", [BERLIN, "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati"])
@pytest.mark.parametrize("typed", ["2026-12-24", "2027-03-28", "2027-03-14"])  # the latter two: clocks change
def test_a_last_day_comes_back_as_it_was_typed(zone: str, typed: str) -> None:
    said = moments.last_day(end_of(typed, zone), zone, NOW)
    assert said.split()[1] == str(int(typed[-2:]))


def test_an_end_within_a_day_has_its_time() -> None:
    assert moments.last_day(datetime(2026, 12, 24, 14, 0, tzinfo=UTC), BERLIN, NOW) == "Thu 24 Dec, 15:00"


def test_proofs_have_seconds_and_titles_say_utc() -> None:
    assert moments.exactly(NOW, BERLIN, NOW) == "today, 14:02:11"
    assert moments.exactly(NOW - timedelta(days=2), BERLIN, NOW) == "Tue 24 Nov, 14:02:11"
    assert moments.in_full(NOW, BERLIN) == "Thu 26 Nov 2026, 14:02:11 (Europe/Berlin)"
