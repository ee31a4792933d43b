"""What a person may decide about one planned email, and what moves with it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.changes import (
    Cancel,
    Change,
    Earlier,
    Following,
    NotBefore,
    Plan,
    Skip,
    check,
    moved,
    too_late,
)
from domain.delivery import State
from domain.errors import InvalidInput, NotPermitted
from domain.send_window import SendWindow

NOW = datetime(2026, 11, 26, 14, 2, tzinfo=UTC)  # a Thursday
HOURS = SendWindow.from_json({"zone": "UTC", "from": "09:00", "to": "17:00"})
PLAN = Plan(
    now=NOW,
    position=2,
    due_at=NOW + timedelta(days=1),
    not_before=None,
    held=False,
    by_hand=False,
    following=[Following(3, "P2D"), Following(4, "P1D")],
    windows=[],
    zone="UTC",
)


def days(change: Change, plan: Plan = PLAN) -> list[float | None]:
    """When each step leaves after the change, in days from now."""
    return [
        None if each.then is None else (each.then - NOW) / timedelta(days=1) for each in moved(change, plan)
    ]


@pytest.mark.parametrize(
    ("change", "then"),
    [
        (Skip(), [None, 2, 3]),
        (Cancel(), [None, 3, 4]),
        (Earlier(), [0, 2, 3]),
        (NotBefore(NOW + timedelta(days=5)), [5, 7, 8]),
    ],
)
def test_whatever_moves_an_email_moves_all_that_follow_it(change: Change, then: list[float | None]) -> None:
    assert [each.position for each in moved(change, PLAN)] == [2, 3, 4]
    assert [(each.now - NOW) / timedelta(days=1) for each in moved(change, PLAN)] == [1, 3, 4]
    assert days(change) == then


def test_sending_hours_hold_for_what_is_moved() -> None:
    plan = replace(PLAN, windows=[HOURS], following=[])
    (time,) = moved(NotBefore(datetime(2026, 12, 1, 20, tzinfo=UTC)), plan)
    assert time.then == datetime(2026, 12, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "at",
    [
        NOW - timedelta(minutes=1),
        NOW + timedelta(days=400),
        NOW + timedelta(hours=1),
        datetime(2026, 12, 24, 9, 0),
    ],
)
def test_a_time_that_makes_no_sense_is_refused(at: datetime) -> None:
    with pytest.raises(InvalidInput) as refused:
        check(NotBefore(at), PLAN)
    assert refused.value.where == "at"


def test_a_time_that_was_decided_can_be_moved_up_again() -> None:
    check(NotBefore(NOW + timedelta(hours=1)), replace(PLAN, not_before=PLAN.due_at))


def test_what_waits_for_a_decision_cannot_be_sent_earlier() -> None:
    with pytest.raises(NotPermitted, match="Decide about it first"):
        check(Earlier(), replace(PLAN, held=True))
    check(Skip(), replace(PLAN, held=True))


def test_nothing_follows_an_email_written_by_hand() -> None:
    with pytest.raises(NotPermitted, match="Cancel it instead"):
        check(Skip(), replace(PLAN, by_hand=True))


@pytest.mark.parametrize("state", State)
def test_only_what_nobody_has_can_be_changed(state: State) -> None:
    said = too_late(state, "skipped" if state is State.CLOSED else None, submitted=False)
    assert (said is None) == (state in (State.PENDING, State.QUEUED))
    assert too_late(state, "skipped", submitted=True) is not None
