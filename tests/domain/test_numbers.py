"""What a share is of, and which weeks a period has."""

from datetime import UTC, date, datetime

import pytest

from domain.cells import as_text
from domain.numbers import MEANINGS, Numbers, period, week

SUNDAY_NIGHT = datetime(2026, 11, 29, 23, 30, tzinfo=UTC)  # Monday in Berlin


@pytest.mark.parametrize(
    ("answered", "people", "said"),
    [(0, 0, ""), (0, 9, "0%"), (1, 3, "33%"), (2, 142, "1.4%"), (2, 100, "2%"), (142, 142, "100%")],
)
def test_a_share_is_of_the_people_who_got_an_email(answered: int, people: int, said: str) -> None:
    # 500 emails, but each of these people counts once.
    assert Numbers(sent=500, people=people, answered=answered).percent("answered") == said


def test_every_number_has_its_meaning_in_words() -> None:
    assert list(MEANINGS) == list(Numbers.__slots__)


def test_a_period_is_this_week_and_those_before_it_in_the_organizations_days() -> None:
    assert period(2, "UTC", SUNDAY_NIGHT).mondays == (date(2026, 11, 16), date(2026, 11, 23))
    berlin = period(2, "Europe/Berlin", SUNDAY_NIGHT)
    assert berlin.mondays == (date(2026, 11, 23), date(2026, 11, 30))
    assert berlin.since == datetime(2026, 11, 22, 23, tzinfo=UTC)
    assert berlin.until == SUNDAY_NIGHT


def test_a_week_keeps_its_first_hour_when_the_clock_changed_in_it() -> None:
    found = period(1, "Europe/Berlin", datetime(2026, 10, 25, 12, tzinfo=UTC))
    assert found.since == datetime(2026, 10, 18, 22, tzinfo=UTC)  # midnight in summer time


@pytest.mark.parametrize(
    ("monday", "said"),
    [(date(2026, 11, 23), "23–29 Nov"), (date(2026, 11, 30), "30 Nov – 6 Dec")],  # noqa: RUF001
)
def test_weeks_are_written_by_their_days(monday: date, said: str) -> None:
    assert week(monday) == said


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert as_text(cell) == f"'{cell}"
    assert as_text(f"a{cell}") == f"a{cell}"
