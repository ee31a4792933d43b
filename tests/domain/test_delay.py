"""Delays between steps: what can be written, what cannot, and when a step is due in its senders' calendar."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.delay import Delay, delay_of, parse_delay, spelled
from domain.errors import InvalidInput
from domain.send_window import SendWindow

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
WORKING_DAYS = frozenset(range(1, 6))
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago")

# Every form is parsed back from its parts, so the expected length is computed from numbers, never from the text.
part = st.none() | st.integers(0, 99)
clocks = st.builds(time, st.integers(0, 23), st.integers(0, 59))
delays = st.builds(Delay, st.integers(0, 365 * 86400).map(lambda n: timedelta(seconds=n))) | st.builds(
    lambda n, clock: Delay(business_days=n, at=clock), st.integers(1, 260), st.none() | clocks
)
moments = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda n: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n)
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def policy(zone: str = "UTC", days: frozenset[int] = WORKING_DAYS, *holidays: date) -> SendWindow:
    return SendWindow(zone, days, time(9), time(17), frozenset(holidays))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT5S", timedelta(seconds=5)),
        ("PT0S", timedelta()),
        ("PT90M", timedelta(minutes=90)),
        ("PT4H", timedelta(hours=4)),
        ("PT1H2M3S", timedelta(hours=1, minutes=2, seconds=3)),
        ("P3D", timedelta(days=3)),
        ("P2W", timedelta(weeks=2)),
        ("P1W2DT3H4M5S", timedelta(weeks=1, days=2, hours=3, minutes=4, seconds=5)),
        ("  P3D\n", timedelta(days=3)),
        ("P365D", timedelta(days=365)),
        ("PT31536000S", timedelta(days=365)),
        ("P000000003D", timedelta(days=3)),
    ],
)
def test_iso_durations_are_read(text: str, expected: timedelta) -> None:
    assert parse_delay(text) == Delay(expected)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("3 business days", 3),
        ("1 business day", 1),
        ("1 business days", 1),
        ("2 business day", 2),
        ("  10   Business\tDAYS ", 10),
        ("260 business days", 260),
    ],
)
def test_business_days_are_read(text: str, days: int) -> None:
    assert parse_delay(text) == Delay(business_days=days)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "P", "PT", "P1DT", "P1WT", "5S", "P5S", "PT5", "T5S", "pt5s", "P1D2W", "PT1S1M", "PT1D", "P1H",
        "P1Y", "P1M", "P0.5D", "PT1.5S", "PT1,5S", "P-1D", "-P1D", "+P1D", "P+1D", "P 1D", "P3D P3D", "P3D\nP3D",
        "P\u0663D", "\u0663 business days", "3 days", "business days", "-3 business days", "+3 business days",
        "1.5 business days", "three business days", "3business days", "3 businessdays", "3 business days later",
        "3 working days", "P3D;DROP", "P3D\x00", "0 business days", "000 business days", "261 business days",
        "99999999999999999999 business days", "P366D", "P53W", "PT31536001S", "P365DT1S", "P9999999999D",
        "PT999999999H", f"P{'9' * 5000}D", f"PT{'9' * 5000}S",
    ],
)  # fmt: skip
def test_what_is_no_delay_is_refused_with_a_way_out(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_delay(text)
    assert caught.value.where == "delay"
    assert caught.value.what
    assert caught.value.fix.startswith("Use ")
    assert caught.value.fix in str(caught.value)


@CALM
@given(weeks=part, days=part, hours=part, minutes=part, seconds=part)
def test_a_duration_is_the_sum_of_its_parts_or_longer_than_a_year(
    weeks: int | None, days: int | None, hours: int | None, minutes: int | None, seconds: int | None
) -> None:
    calendar = "".join(f"{n}{unit}" for n, unit in ((weeks, "W"), (days, "D")) if n is not None)
    clock = "".join(
        f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n is not None
    )
    text = f"P{calendar}{'T' if clock else ''}{clock}"
    total = timedelta(
        weeks=weeks or 0, days=days or 0, hours=hours or 0, minutes=minutes or 0, seconds=seconds or 0
    )
    if text == "P" or total > timedelta(days=365):
        with pytest.raises(InvalidInput):
            parse_delay(text)
    else:
        assert parse_delay(text) == Delay(total)


@CALM
@given(delays)
def test_a_written_delay_reads_back_as_itself(delay: Delay) -> None:
    assert parse_delay(str(delay)) == delay


@CALM
@given(
    st.text(max_size=40)
    | st.text(alphabet="PTWDHMS0123456789 .-+", max_size=30)
    | st.text(alphabet="0123456789 businedayst", max_size=30)
)
def test_any_text_is_either_a_bounded_delay_or_refused(text: str) -> None:
    try:
        delay = parse_delay(text)
    except InvalidInput as error:
        assert error.fix
    else:
        assert timedelta() <= delay.duration <= timedelta(days=365)
        assert 0 <= delay.business_days <= 260
        assert not (delay.duration and delay.business_days)


@CALM
@given(start=moments, seconds=st.integers(0, 365 * 86400), zone=st.sampled_from(ZONES))
def test_a_duration_is_elapsed_time_whatever_the_calendar_says(
    start: datetime, seconds: int, zone: str
) -> None:
    delay = Delay(timedelta(seconds=seconds))
    assert delay.after(start, policy(zone)) == start + timedelta(seconds=seconds)


def test_three_days_over_a_clock_change_are_seventy_two_hours() -> None:
    start = at("2026-03-28T10:00:00+01:00").astimezone(UTC)
    due = parse_delay("P3D").after(start, policy("Europe/Berlin"))
    assert due == at("2026-03-31T11:00:00+02:00")


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-03-05T10:00:00+00:00", 1, "2026-03-06T10:00:00+00:00"),
        ("2026-03-06T10:00:00+00:00", 1, "2026-03-09T10:00:00+00:00"),
        ("2026-03-07T10:00:00+00:00", 1, "2026-03-09T10:00:00+00:00"),
        ("2026-03-08T23:59:59+00:00", 1, "2026-03-09T23:59:59+00:00"),
        ("2026-03-05T10:00:00+00:00", 3, "2026-03-10T10:00:00+00:00"),
        ("2026-03-05T10:00:00+00:00", 10, "2026-03-19T10:00:00+00:00"),
    ],
)
def test_business_days_leave_weekends_out(start: str, days: int, due: str) -> None:
    assert Delay(business_days=days).after(at(start), policy()) == at(due)


def test_business_days_leave_holidays_out() -> None:
    calendar = policy("UTC", WORKING_DAYS, date(2026, 12, 25), date(2026, 12, 28))
    due = parse_delay("2 business days").after(at("2026-12-23T10:00:00+00:00"), calendar)
    assert due == at("2026-12-29T10:00:00+00:00")


@pytest.mark.parametrize(
    ("zone", "start", "due"),
    [
        ("Europe/Berlin", "2026-03-27T10:00:00+01:00", "2026-03-30T10:00:00+02:00"),
        ("Europe/Berlin", "2026-10-23T10:00:00+02:00", "2026-10-26T10:00:00+01:00"),
        ("America/New_York", "2026-03-06T10:00:00-05:00", "2026-03-09T10:00:00-04:00"),
        ("America/New_York", "2026-10-30T10:00:00-04:00", "2026-11-02T10:00:00-05:00"),
        ("Australia/Lord_Howe", "2026-10-02T10:00:00+10:30", "2026-10-05T10:00:00+11:00"),
        ("Australia/Lord_Howe", "2026-04-03T10:00:00+11:00", "2026-04-06T10:00:00+10:30"),
        ("Asia/Kolkata", "2026-03-27T10:00:00+05:30", "2026-03-30T10:00:00+05:30"),
    ],
)
def test_business_days_keep_the_local_time_over_clock_changes(zone: str, start: str, due: str) -> None:
    found = Delay(business_days=1).after(at(start), policy(zone))
    assert found == at(due)
    assert found.utcoffset() == timedelta()


@pytest.mark.parametrize(
    ("start", "due"),
    [
        pytest.param("2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", id="skipped: right after it"),
        pytest.param("2026-10-24T02:30:00+02:00", "2026-10-25T02:30:00+02:00", id="repeated: the first time"),
    ],
)
def test_a_business_day_that_lands_where_the_clock_changes(start: str, due: str) -> None:
    every_day = policy("Europe/Berlin", frozenset(range(1, 8)))
    assert Delay(business_days=1).after(at(start), every_day) == at(due)


def test_a_start_in_the_second_of_two_repeated_hours_is_due_at_the_same_clock_time() -> None:
    due = Delay(business_days=1).after(at("2026-10-25T02:30:00+01:00"), policy("Europe/Berlin"))
    assert due == at("2026-10-26T02:30:00+01:00")


def test_the_day_is_that_of_the_policys_zone_not_of_utc() -> None:
    friday_evening_in_new_york = at("2026-03-07T01:00:00+00:00")
    due = Delay(business_days=1).after(friday_evening_in_new_york, policy("America/New_York"))
    assert due == at("2026-03-09T20:00:00-04:00")


@CALM
@given(
    start=moments,
    count=st.integers(1, 30),
    zone=st.sampled_from(ZONES),
    days=st.frozensets(st.integers(1, 7), min_size=1),
    holidays=st.frozensets(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=20),
)
def test_business_days_end_on_the_nth_working_day_at_the_same_clock_time(
    start: datetime, count: int, zone: str, days: frozenset[int], holidays: frozenset[date]
) -> None:
    due = Delay(business_days=count).after(start, SendWindow(zone, days, holidays=holidays))
    began, ended = start.astimezone(ZoneInfo(zone)), due.astimezone(ZoneInfo(zone))
    between = [began.date() + timedelta(days=n + 1) for n in range((ended.date() - began.date()).days)]
    worked = [each for each in between if each.isoweekday() in days and each not in holidays]
    assert len(worked) == count
    assert worked[-1] == ended.date()
    assert due > start
    moved = datetime.combine(ended.date(), ended.time()) - datetime.combine(ended.date(), began.time())
    # A skipped clock time moves on to the end of the gap, which is an hour at most in these zones.
    assert timedelta() <= moved < timedelta(hours=1)
    if moved:
        wanted = datetime.combine(ended.date(), began.time(), ZoneInfo(zone))
        assert wanted.astimezone(UTC).astimezone(ZoneInfo(zone)).time() != began.time()


def test_a_calendar_without_working_days_is_refused_instead_of_searched_for_ever() -> None:
    never = policy("UTC", frozenset())
    with pytest.raises(InvalidInput) as caught:
        Delay(business_days=1).after(at("2026-03-05T10:00:00+00:00"), never)
    assert caught.value.fix == "Widen the sending days."


@pytest.mark.parametrize(
    ("text", "days", "clock"),
    [
        ("1 business day at 09:00", 1, time(9)),
        ("next business day at 9:00", 1, time(9)),
        ("Next Business Day", 1, None),
        ("3 business days AT 17:30", 3, time(17, 30)),
    ],
)
def test_a_business_day_has_a_time_of_day(text: str, days: int, clock: time | None) -> None:
    assert parse_delay(text) == Delay(business_days=days, at=clock)


@pytest.mark.parametrize(
    "text", ["P3D at 09:00", "1 business day at 24:00", "1 business day at 9", "at 09:00"]
)
def test_no_other_delay_has_one(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_delay(text)


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2026-03-02T23:50+01:00", "2026-03-03T09:00+01:00"),  # Monday to Tuesday
        ("2026-03-03T00:10+01:00", "2026-03-04T09:00+01:00"),
        ("2026-03-06T15:00+01:00", "2026-03-09T09:00+01:00"),  # over a weekend
        ("2026-03-27T15:00+01:00", "2026-03-30T09:00+02:00"),  # and over a clock change
    ],
)
def test_the_next_business_day_at_nine_is_by_the_policys_clock(start: str, due: str) -> None:
    found = parse_delay("1 business day at 09:00").after(at(start), policy("Europe/Berlin"))
    assert found == at(due)


@given(moments, st.integers(1, 20), clocks, st.sampled_from(ZONES))
@CALM
def test_a_time_of_day_is_that_of_a_working_day_of_the_zone(
    start: datetime, days: int, clock: time, zone: str
) -> None:
    plain, timed = Delay(business_days=days), Delay(business_days=days, at=clock)
    local = timed.after(start, policy(zone)).astimezone(ZoneInfo(zone))
    assert local.date() == plain.after(start, policy(zone)).astimezone(ZoneInfo(zone)).date()
    assert local.isoweekday() <= 5
    gap = local.time().replace(fold=0) != clock
    assert not gap or local.utcoffset() != (local - timedelta(hours=3)).utcoffset()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Next business day AT 9:00", "1 business day at 09:00"),
        ("next business day", "1 business day"),
        ("3 Business Days", "3 Business Days"),
        ("PT90M", "PT90M"),
    ],
)
def test_what_earlier_releases_read_is_kept_as_it_was_written(text: str, kept: str) -> None:
    assert spelled(text) == kept


def test_what_a_form_says_becomes_a_delay_or_is_refused() -> None:
    assert str(delay_of(1, "business days", "9:00")) == "1 business day at 09:00"
    assert str(delay_of(2, "business days", "")) == "2 business days"
    for count, unit, clock in (
        (3, "days", "09:00"),
        (0, "business days", "09:00"),
        (1, "business days", "x"),
        (1, "business days", "25:00"),
        (1, "business days", "\u0663:\u0660\u0660"),
    ):
        with pytest.raises(InvalidInput):
            delay_of(count, unit, clock)
