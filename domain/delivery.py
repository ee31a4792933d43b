"""One delivery's states, the only moves between them, and what a failure of each kind means.

::

    pending -> queued -> preparing -> drafted -> sending -> sent
       ^          |           |           |          |
       |          +-----------+-----------+          +--> reconciling --> sent | pending | review
       +---------------------- handed back                                    review --> sent | closed | pending
    any state before sending -> closed (skipped | failed | cancelled)
    closed (failed) -> pending, by a person's word
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from domain.errors import (
    ConnectionRefused,
    DeliveryUnknown,
    MessageRejected,
    OperatorMisconfigured,
    ProviderError,
    ProviderUnavailable,
    RecipientRejected,
    Throttled,
)


class State(StrEnum):
    """Where a delivery is. ``held`` is a mark on pending, not a state."""

    PENDING = "pending"
    QUEUED = "queued"
    PREPARING = "preparing"
    DRAFTED = "drafted"
    SENDING = "sending"
    SENT = "sent"
    RECONCILING = "reconciling"
    REVIEW = "review"
    CLOSED = "closed"


# (from, to): the label used in docs, models and messages. The database layer writes no move that is not here.
TRANSITIONS: dict[tuple[State, State], str] = {
    (State.PENDING, State.QUEUED): "C0",
    (State.QUEUED, State.QUEUED): "C0 re-rung",
    (State.QUEUED, State.PREPARING): "C1",
    (State.PREPARING, State.DRAFTED): "C2",
    (State.DRAFTED, State.SENDING): "C3",
    (State.SENDING, State.SENT): "C4",
    (State.QUEUED, State.PENDING): "C5 refused at once",
    (State.PREPARING, State.PENDING): "C5 handed back",
    (State.DRAFTED, State.PENDING): "C5 handed back",
    (State.SENDING, State.PENDING): "C5 certainly not accepted",
    (State.PENDING, State.CLOSED): "C6",
    (State.QUEUED, State.CLOSED): "C6",
    (State.PREPARING, State.CLOSED): "C6",
    (State.DRAFTED, State.CLOSED): "C6",
    (State.SENDING, State.CLOSED): "C6 refused for good",
    (State.PREPARING, State.SENT): "R2 found before sending again",
    (State.PREPARING, State.RECONCILING): "R1 a trace is missing",
    (State.SENDING, State.RECONCILING): "R1",
    (State.RECONCILING, State.SENT): "R2",
    (State.RECONCILING, State.PENDING): "R3 still a draft after the grace",
    (State.RECONCILING, State.REVIEW): "R4",
    (State.PREPARING, State.REVIEW): "R4 crashed too often",
    (State.QUEUED, State.REVIEW): "R4 crashed too often",
    (State.REVIEW, State.SENT): "H",
    (State.REVIEW, State.CLOSED): "H",
    (State.REVIEW, State.PENDING): "H",
    (State.CLOSED, State.PENDING): "H certainly not accepted, tried again",
}

LEASE = timedelta(seconds=45)
STEP_BACK_AFTER = timedelta(
    seconds=2
)  # between the gate and the request; later, the gate's answer is too old
CRASHES_AT_MOST = 5
FAILURES_AT_MOST = 8
FAILING_FOR_AT_LEAST = timedelta(hours=24)
_BACKOFF_FIRST = timedelta(seconds=30)
_BACKOFF_LONGEST = timedelta(hours=1)
GRACE = timedelta(minutes=10)  # how long an ambiguous email is looked for
_LOOKS = (0.0, 2.0, 8.0, 30.0, 120.0)  # seconds to the next look; the last one repeats


@dataclass(frozen=True, slots=True)
class Retry:
    """Certainly not accepted: try again then. ``lane_waits``: nobody else of this mailbox before then either."""

    at: datetime
    reason: str
    lane_waits: bool = False


@dataclass(frozen=True, slots=True)
class Fail:
    """It will never work for this step."""

    reason: str


@dataclass(frozen=True, slots=True)
class PauseConnection:
    """The mailbox cannot send until a person acts."""

    reason: str


@dataclass(frozen=True, slots=True)
class Reconcile:
    """It may have been accepted."""

    look_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class AlarmOperators:
    """Ours to mend; the mailbox is not to blame and the delivery waits."""

    at: datetime
    reason: str


Verdict: TypeAlias = Retry | Fail | PauseConnection | Reconcile | AlarmOperators


def backoff(failures: int, jitter: float) -> timedelta:
    """Wait after the ``failures``-th failure (from 1). ``jitter`` in [-1, 1] spreads it by 20 %."""
    waited: timedelta = min(_BACKOFF_FIRST * 2 ** min(failures - 1, 10), _BACKOFF_LONGEST)
    return waited * (1 + 0.2 * jitter)


def after_failure(
    error: ProviderError | OperatorMisconfigured,
    *,
    submitted: bool,
    failures: int,
    first_failed_at: datetime | None,
    now: datetime,
    jitter: float,
) -> Verdict:
    """What follows from a provider's answer.

    ``submitted``: the request for the send itself had begun. Before it every failure is certainly harmless;
    after it only answers that exclude acceptance are.
    """
    match error:
        case OperatorMisconfigured():
            return AlarmOperators(now + timedelta(minutes=5), "operator_misconfigured")
        case ConnectionRefused():
            return PauseConnection(error.reason)
        case RecipientRejected():
            return Fail("recipient_rejected")
        case MessageRejected():
            return Fail(error.code or "message_rejected")
        case Throttled(untaken=False) if submitted:
            # Usually not processed, but acceptance behind a 429 has been seen: look before trying again.
            return Reconcile(now + error.retry_after, "throttled")
        case Throttled():
            return Retry(now + error.retry_after, "throttled", lane_waits=True)
        case DeliveryUnknown() if submitted:
            return Reconcile(now, "answer_lost")
        case ProviderUnavailable() | DeliveryUnknown():
            failing_since = first_failed_at or now
            if failures >= FAILURES_AT_MOST and now - failing_since >= FAILING_FOR_AT_LEAST:
                return Fail("provider_unavailable")
            return Retry(now + backoff(failures + 1, jitter), "provider_unavailable")
        case _:
            raise TypeError(f"no verdict for {type(error).__name__}")


def next_look(looks: int) -> timedelta:
    """Wait before the next look, after ``looks`` of them found nothing that settles it."""
    return timedelta(seconds=_LOOKS[min(looks, len(_LOOKS) - 1)])
