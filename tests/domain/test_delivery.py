"""The delivery's states and what a failure means."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import errors
from domain.delivery import (
    MAX_FAILURES,
    TRANSITIONS,
    AlarmOperators,
    Fail,
    PauseConnection,
    Reconcile,
    Retry,
    State,
    Verdict,
    after_failure,
    backoff,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)

ALL_ERRORS = [
    errors.MailboxDisconnected("x"),
    errors.ConsentMissing("x"),
    errors.AdminApprovalRequired("x"),
    errors.PolicyBlocked("x"),
    errors.RecipientRejected("x"),
    errors.MessageRejected("x"),
    errors.Throttled("x", retry_after=timedelta(seconds=7)),
    errors.ProviderUnavailable("x"),
    errors.DeliveryInDoubt("x"),
    errors.OperatorMisconfigured("x"),
]


def verdict(
    error: errors.ProviderError | errors.OperatorMisconfigured,
    *,
    submitted: bool,
    failures: int = 0,
    since: datetime | None = None,
) -> Verdict:
    return after_failure(
        error,
        submitted=submitted,
        failures=failures,
        first_failed_at=since,
        now=NOW,
        jitter=0,
    )


def reachable(start: State, forbidden: set[State] | None = None) -> set[State]:
    seen, todo = {start}, [start]
    while todo:
        here = todo.pop()
        for a, b in TRANSITIONS:
            if a == here and b not in seen and b not in (forbidden or set()):
                seen.add(b)
                todo.append(b)
    return seen


def test_sent_and_closed_are_ends_but_for_a_persons_word() -> None:
    ends = [move for move in TRANSITIONS if move[0] in (State.SENT, State.CLOSED)]
    assert ends == [(State.CLOSED, State.PENDING)]
    assert TRANSITIONS[ends[0]].startswith("H ")


def test_every_state_can_reach_an_end() -> None:
    for state in State:
        assert reachable(state) & {State.SENT, State.CLOSED}


def test_nothing_becomes_sending_but_through_the_gate() -> None:
    assert [a for a, b in TRANSITIONS if b is State.SENDING] == [State.DRAFTED]


def test_a_delivery_in_doubt_is_never_handed_straight_to_a_worker() -> None:
    assert {b for a, b in TRANSITIONS if a is State.IN_DOUBT} == {
        State.SENT,
        State.PENDING,
        State.REVIEW,
    }


@pytest.mark.parametrize("error", ALL_ERRORS, ids=lambda error: type(error).__name__)
def test_only_answers_that_exclude_acceptance_avoid_doubt_after_submission(
    error: errors.ProviderError,
) -> None:
    doubtful = isinstance(verdict(error, submitted=True), Reconcile)
    assert doubtful == isinstance(error, errors.DeliveryInDoubt | errors.Throttled)


@pytest.mark.parametrize("error", ALL_ERRORS, ids=lambda error: type(error).__name__)
def test_before_submission_nothing_is_in_doubt(error: errors.ProviderError) -> None:
    assert not isinstance(verdict(error, submitted=False), Reconcile)


def test_connection_problems_pause_with_their_reason() -> None:
    assert verdict(errors.AdminApprovalRequired("x"), submitted=False) == PauseConnection(
        "admin_approval_required"
    )


def test_throttling_before_submission_makes_the_whole_lane_wait() -> None:
    said = errors.Throttled("x", retry_after=timedelta(seconds=90))
    assert verdict(said, submitted=False) == Retry(NOW + timedelta(seconds=90), "throttled", lane_waits=True)


def test_our_own_misconfiguration_never_blames_the_mailbox() -> None:
    assert isinstance(verdict(errors.OperatorMisconfigured("x"), submitted=True), AlarmOperators)


def test_a_provider_that_fails_for_a_day_fails_the_step_at_last() -> None:
    error = errors.ProviderUnavailable("x")
    day_ago = NOW - timedelta(hours=24)
    assert isinstance(verdict(error, submitted=False, failures=MAX_FAILURES, since=day_ago), Fail)
    hour_ago = NOW - timedelta(hours=1)
    assert isinstance(
        verdict(error, submitted=False, failures=MAX_FAILURES, since=hour_ago),
        Retry,
    )


@given(failures=st.integers(1, 60), jitter=st.floats(-1, 1))
def test_backoff_grows_and_stays_within_an_hour_and_a_fifth(failures: int, jitter: float) -> None:
    assert timedelta(seconds=24) <= backoff(failures, jitter) <= timedelta(minutes=72)
