"""When an email may leave: hours, days, holidays, absences, and clock changes."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.send_window import Absence, SendWindow, business_calendar, instant, known_zone, next_permitted

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Pacific/Apia",
]
OFFICE = SendWindow("Europe/Berlin", frozenset({1, 2, 3, 4, 5}), time(9), time(17))
BERLIN = ZoneInfo("Europe/Berlin")

moments = st.datetimes(datetime(2000, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))
hours = st.integers(0, 23)
windows = st.builds(
    lambda zone, days, opens, length: SendWindow(
        zone,
        frozenset(days),
        time(opens),
        time(min(opens + length, 23), 59) if opens + length < 24 else time(0),
    ),
    st.sampled_from(ZONES),
    st.sets(st.integers(1, 7), min_size=1),
    hours,
    st.integers(0, 24),
)
# Of which one weekday, or none, has other hours.
uneven = st.builds(
    lambda window, day, opens: replace(window, by_day=((day, time(opens), time(opens, 59)),) if day else ()),
    windows,
    st.integers(0, 7),
    hours,
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def is_open(window: SendWindow, moment: datetime) -> bool:
    local = moment.astimezone(ZoneInfo(window.zone))
    opens, closes = window.hours_on(local.date())
    before_close = closes == time(0) or local.time() < closes
    return window.works_on(local.date()) and local.time() >= opens and before_close


@CALM
@given(moments, uneven)
def test_what_is_found_is_open_and_not_before_what_was_asked(moment: datetime, window: SendWindow) -> None:
    found = window.next_open(moment)
    assert found is not None
    assert found >= moment
    assert is_open(window, found)


@CALM
@given(moments, windows, st.floats(0, 1))
def test_nothing_between_was_open(moment: datetime, window: SendWindow, part: float) -> None:
    found = window.next_open(moment)
    assert found is not None
    between = moment + (found - moment) * part
    assume(between < found)
    # In the hour that a clock change repeats, local times run backwards; the first pass counts.
    zone = ZoneInfo(window.zone)
    assume(
        (between - timedelta(hours=2)).astimezone(zone).utcoffset()
        == (between + timedelta(hours=2)).astimezone(zone).utcoffset()
    )
    assert not is_open(window, between)


@CALM
@given(moments, windows)
def test_an_open_moment_is_its_own_answer(moment: datetime, window: SendWindow) -> None:
    found = window.next_open(moment)
    assert found is not None
    assert window.next_open(found) == found


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("2026-03-02T10:00", "2026-03-02T10:00"),  # Monday, 11:00 in Berlin
        ("2026-03-02T07:59", "2026-03-02T08:00"),  # opens at 9:00
        ("2026-03-02T16:00", "2026-03-03T08:00"),  # closed at 17:00 sharp
        ("2026-03-06T16:30", "2026-03-09T08:00"),  # Friday evening
        ("2026-03-27T16:30", "2026-03-30T07:00"),  # over the change to summer time
        ("2026-10-23T15:30", "2026-10-26T08:00"),  # and back
    ],
)
def test_office_hours_are_local(asked: str, answer: str) -> None:
    assert OFFICE.next_open(utc(asked)) == utc(answer)


@pytest.mark.parametrize(
    ("closes", "answer"),
    [
        pytest.param(time(4), "2026-03-29T01:00", id="the first instant after the gap"),  # 3:00 summer time
        pytest.param(time(2, 50), "2026-03-30T00:30", id="not that day: wholly inside the gap"),
    ],
)
def test_a_window_opens_where_the_clock_skips_its_opening(closes: time, answer: str) -> None:
    window = SendWindow("Europe/Berlin", opens=time(2, 30), closes=closes)
    assert window.next_open(utc("2026-03-28T23:30")) == utc(answer)


def test_a_repeated_time_is_its_first_occurrence() -> None:
    assert instant(datetime(2026, 10, 25, 2, 30), BERLIN) == utc("2026-10-25T00:30")


def test_a_day_that_a_zone_left_out_is_passed_over() -> None:
    # Samoa had no 30 December 2011 (a Friday).
    window = SendWindow("Pacific/Apia", frozenset({5}), time(9), time(17))
    assert window.next_open(utc("2011-12-29T12:00")) == utc("2012-01-05T19:00")


def test_a_holiday_is_no_working_day() -> None:
    window = SendWindow(
        "UTC", frozenset({1, 2, 3, 4, 5}), holidays=frozenset({date(2026, 12, 25), date(2026, 12, 28)})
    )
    assert window.next_open(utc("2026-12-25T08:00")) == utc("2026-12-29T00:00")


@CALM
@given(
    moments,
    st.lists(windows, max_size=3),
    st.lists(st.tuples(st.integers(-30, 60), st.integers(1, 20)), max_size=3),
)
def test_what_is_permitted_is_inside_every_window_and_outside_every_absence(
    moment: datetime, several: list[SendWindow], away: list[tuple[int, int]]
) -> None:
    absences = [
        Absence(moment + timedelta(days=start), moment + timedelta(days=start + days)) for start, days in away
    ]
    try:
        found = next_permitted(moment, several, absences)
    except InvalidInput as refused:
        assert len(several) > 1  # they may never meet
        assert refused.where == "sending"
        return
    assert found >= moment
    assert all(is_open(window, found) for window in several)
    assert not any(each.starts <= found < (each.ends or found) for each in absences)


def test_an_absence_without_an_end_is_looked_at_again_a_day_later() -> None:
    now = utc("2026-03-02T10:00")
    assert next_permitted(now, [], [Absence(now - timedelta(days=3), None)]) == now + timedelta(days=1)


def test_windows_that_never_meet_say_so() -> None:
    early, late = SendWindow(opens=time(8), closes=time(9)), SendWindow(opens=time(10), closes=time(11))
    with pytest.raises(InvalidInput, match="within a year"):
        next_permitted(utc("2026-03-02T10:00"), [early, late], [])


@CALM
@given(windows)
def test_a_window_survives_being_stored(window: SendWindow) -> None:
    assert SendWindow.from_json(window.to_json()) == window


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"zone": "Berlin"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"zone": ""}, "zone"),
        ({"days": []}, "sending.days"),
        ({"days": ["monday"]}, "sending.days"),
        ({"days": "mon"}, "sending.days"),
        ({"from": "9 o'clock"}, "sending.from"),
        ({"from": "17:00", "to": "09:00"}, "sending.to"),
        ({"to": "25:00"}, "sending.to"),
        ({"holidays": ["Christmas"]}, "sending.holidays"),
        ({"hollidays": []}, "sending"),
    ],
)
def test_a_bad_window_names_its_field(value: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        SendWindow.from_json(value)
    assert refused.value.where == where


@pytest.mark.parametrize("text", ["", "09:00:30", "09:00:00.5", "09:00Z", "09:00+02:00", "9 o'clock"])
def test_a_time_has_no_seconds_and_no_zone(text: str) -> None:
    """Stored without them, such hours would be others, or none that could be read again."""
    for value in (
        {"from": text, "to": "17:00"},
        {"from": "08:00", "to": text},
        {"by_day": {"fri": {"from": text, "to": "17:00"}}},
    ):
        with pytest.raises(InvalidInput, match=r"Write it as 09:00\.") as refused:
            SendWindow.from_json(value)
        assert (refused.value.where or "").startswith("sending.")


@pytest.mark.parametrize("name", ["localtime", "posixrules", "posix/Europe/Berlin", "right/UTC", "Factory"])
def test_what_is_another_zone_on_another_machine_is_none(name: str) -> None:
    with pytest.raises(InvalidInput, match="is not a time zone"):
        known_zone(name)


def test_whole_seconds_of_a_file_are_read() -> None:
    assert SendWindow.from_json({"from": "09:00:00", "to": "24:00"}).opens == time(9)


def test_a_zone_is_an_iana_name() -> None:
    assert known_zone("Europe/Berlin") == "Europe/Berlin"


def policy(**values: Any) -> SendWindow:
    return SendWindow.from_json(values)


WEEK = ["mon", "tue", "wed", "thu", "fri"]


@pytest.mark.parametrize(
    ("windows", "days"),
    [
        ([], {1, 2, 3, 4, 5}),
        ([policy(**{"from": "09:00", "to": "17:00"})], {1, 2, 3, 4, 5}),
        ([policy(days=["sat", "sun"])], {6, 7}),
        ([policy(days=[*WEEK, "sat", "sun"])], {1, 2, 3, 4, 5, 6, 7}),
        ([policy(zone="Europe/Berlin"), policy(days=["mon", "tue"])], {1, 2}),
        ([policy(days=WEEK), policy(days=["sun", "mon", "tue", "wed", "thu"])], {1, 2, 3, 4}),
        ([policy(days=WEEK), policy(), policy(days=["fri", "sat"])], {5}),
    ],
)
def test_business_days_are_those_on_which_every_window_works(
    windows: list[SendWindow], days: set[int]
) -> None:
    assert set(business_calendar(windows).days or ()) == days


def test_the_holidays_of_every_window_are_no_business_days() -> None:
    calendar = business_calendar(
        [policy(holidays=["2026-12-24"]), policy(days=WEEK, holidays=["2026-12-25"])]
    )
    assert [calendar.works_on(date(2026, 12, day)) for day in (23, 24, 25, 26, 28)] == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_business_days_go_by_the_clock_of_the_first_window_or_of_the_organization() -> None:
    assert business_calendar([policy(zone="Asia/Tokyo"), policy(zone="UTC")]).zone == "Asia/Tokyo"
    assert business_calendar([], "Europe/Berlin").zone == "Europe/Berlin"


def test_a_window_that_does_not_say_its_days_is_open_on_all_and_stays_so_when_stored() -> None:
    window = policy(**{"from": "09:00", "to": "17:00"})
    assert all(window.works_on(date(2026, 11, 23) + timedelta(days=n)) for n in range(7))
    assert "days" not in window.to_json()
    assert SendWindow.from_json(window.to_json()) == window


FRIDAYS = replace(OFFICE, by_day=((5, time(9), time(13)),))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("2026-11-26T12:30", "2026-11-26T12:30"),  # Thursday, 13:30 in Berlin
        ("2026-11-27T11:59", "2026-11-27T11:59"),  # Friday, 12:59
        ("2026-11-27T12:00", "2026-11-30T08:00"),  # Friday, 13:00: on Monday
    ],
)
def test_a_weekday_may_have_hours_of_its_own(asked: str, found: str) -> None:
    assert FRIDAYS.next_open(utc(asked)) == utc(found)


def test_hours_of_a_weekday_are_kept_and_said() -> None:
    said = FRIDAYS.to_json()
    assert said["by_day"] == {"fri": {"from": "09:00", "to": "13:00"}}
    assert SendWindow.from_json(said) == FRIDAYS
    assert FRIDAYS.words() == "09:00 to 17:00, Mon to Fri, but Fri 09:00 to 13:00 (Europe/Berlin)"
    assert "by_day" not in OFFICE.to_json()  # releases before know no such field


@pytest.mark.parametrize(
    ("by_day", "where"),
    [
        ({"sat": {"from": "09:00", "to": "13:00"}}, "sending.by_day"),
        ({"fri": "09:00"}, "sending.by_day"),
        ({"fri": {"from": "09:00", "until": "13:00"}}, "sending.by_day"),
        (["fri"], "sending.by_day"),
        ({"fri": {"from": "13:00", "to": "09:00"}}, "sending.by_day.fri.to"),
        ({"fri": {"from": "nine", "to": "13:00"}}, "sending.by_day.fri.from"),
    ],
)
def test_hours_of_a_weekday_that_make_no_sense_are_refused(by_day: Any, where: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        SendWindow.from_json({"days": ["mon", "fri"], "from": "09:00", "to": "17:00", "by_day": by_day})
    assert refused.value.where == where
