"""How often a mailbox is read: by the age of its last email, and more rarely the longer nothing comes of it."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.listening.cadence import wait_after_failure, wait_until_next

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTES, HOURS, DAYS = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("age", "wait"),
    [
        (0 * HOURS, 2 * MINUTES),
        (3 * HOURS, 2 * MINUTES),
        (4 * HOURS, 5 * MINUTES),
        (1 * DAYS, 15 * MINUTES),
        (7 * DAYS, 60 * MINUTES),
        (29 * DAYS, 60 * MINUTES),
        (30 * DAYS, None),
    ],
)
def test_a_mailbox_is_read_by_the_age_of_its_last_email(age: timedelta, wait: timedelta | None) -> None:
    assert wait_until_next(NOW - age, NOW, somebody_waits=False) == wait


def test_while_somebody_waits_for_an_email_it_is_read_however_old_the_last_one_is() -> None:
    assert wait_until_next(NOW - 90 * DAYS, NOW, somebody_waits=True) == 60 * MINUTES
    assert wait_until_next(None, NOW, somebody_waits=True) == 60 * MINUTES
    assert wait_until_next(None, NOW, somebody_waits=False) is None


def test_after_failures_the_wait_grows_to_an_hour_and_never_undercuts_what_the_provider_asks() -> None:
    waits = [wait_after_failure(each) for each in range(1, 20)]
    assert waits[:4] == [30 * MINUTES / 60, 1 * MINUTES, 2 * MINUTES, 4 * MINUTES]
    assert waits == sorted(waits)
    assert waits[-1] == 60 * MINUTES
    assert wait_after_failure(1, asked=10 * MINUTES) == 10 * MINUTES


def test_a_throttled_mailbox_is_read_again_when_the_provider_says_and_later_each_time() -> None:
    three = timedelta(seconds=3)
    assert [wait_after_failure(each, three) for each in range(1, 5)] == [
        three,
        2 * three,
        4 * three,
        8 * three,
    ]
    assert wait_after_failure(19, 2 * three) == 60 * MINUTES
    assert wait_after_failure(19, asked=3 * HOURS) == 3 * HOURS
