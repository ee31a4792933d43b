"""The bucket's edges: what a full, an empty and a greedily used one allow. test_rules has its property test."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.lane import CAPACITY, PER_MINUTE, seconds_until_token, tokens_now

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)

levels = st.floats(0, CAPACITY)
waits = st.floats(0, 86400).map(lambda seconds: timedelta(seconds=seconds))


@CALM
@given(level=levels, rest=waits)
def test_rest_fills_the_bucket_but_never_above_its_brim(level: float, rest: timedelta) -> None:
    assert level <= tokens_now(level, NOW, NOW + rest) <= CAPACITY


@CALM
@given(level=levels, first=waits, second=waits)
def test_looking_more_often_fills_the_bucket_no_faster(
    level: float, first: timedelta, second: timedelta
) -> None:
    once = tokens_now(level, NOW, NOW + first + second)
    twice = tokens_now(tokens_now(level, NOW, NOW + first), NOW + first, NOW + first + second)
    assert twice == pytest.approx(once)


def test_an_idle_night_saves_up_four_emails_and_no_more() -> None:
    assert tokens_now(0, NOW, NOW + timedelta(hours=12)) == 4


@CALM
@given(st.floats(1, CAPACITY))
def test_a_bucket_with_a_token_asks_for_no_wait(level: float) -> None:
    assert seconds_until_token(level) == 0


@CALM
@given(st.floats(0, 0.999))
def test_a_bucket_without_a_token_asks_for_a_wait_of_less_than_three_seconds(level: float) -> None:
    wait = seconds_until_token(level)
    assert 0 < wait < 3
    assert tokens_now(level, NOW, NOW + timedelta(seconds=wait * 0.99)) < 1


def test_a_sender_that_takes_every_token_at_once_keeps_to_the_pace_for_an_hour() -> None:
    tokens, refilled, clock, passed = CAPACITY, NOW, NOW, []
    while clock < NOW + timedelta(hours=1):
        tokens, refilled = tokens_now(tokens, refilled, clock), clock
        if tokens >= 1:
            tokens -= 1
            passed.append(clock)
        else:
            clock += max(timedelta(seconds=seconds_until_token(tokens)), timedelta(microseconds=1))
    first, most = 0, 0
    for last, at in enumerate(passed):
        while at - passed[first] >= timedelta(seconds=60):
            first += 1
        most = max(most, last - first + 1)
    assert most <= 30
    assert len(passed) == pytest.approx(CAPACITY + 60 * PER_MINUTE, abs=1)
