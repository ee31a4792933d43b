"""The states of a delivery, the only moves between them, and what each kind of failure means.

What follows from a lost answer is in ``domain/recovery.py``.

::

    pending -> queued -> preparing -> drafted -> sending -> sent
       ^                      |           |          |
       |                      +-----------+----------+--> in_doubt --> sent | pending | review
       +---------------------- released                                    review --> sent | closed | pending
    any state before sending -> closed (skipped | failed | cancelled)
    closed (failed) -> pending, when a person sends it again
    pending -> review, if its sequence was handed over after a submission in doubt
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from domain.errors import (
    ConnectionRefused,
    DeliveryInDoubt,
    MessageRejected,
    OperatorMisconfigured,
    PreviousStillDraft,
    ProviderError,
    ProviderUnavailable,
    RecipientRejected,
    SendingLimitReached,
    Throttled,
)


class State(StrEnum):
    """Where a delivery is. ``held`` is a flag on pending, not a state."""

    PENDING = "pending"
    QUEUED = "queued"
    PREPARING = "preparing"
    DRAFTED = "drafted"
    SENDING = "sending"
    SENT = "sent"
    IN_DOUBT = "in_doubt"
    REVIEW = "review"
    CLOSED = "closed"


# (from, to): the label used in docs, models and messages. ``db/sending/moves.py`` writes no other move, and a
# trigger in the database refuses any other.
TRANSITIONS: dict[tuple[State, State], str] = {
    (State.PENDING, State.QUEUED): "C0",
    (State.QUEUED, State.QUEUED): "C0 enqueued again",
    (State.QUEUED, State.PREPARING): "C1",
    (State.PREPARING, State.DRAFTED): "C2",
    (State.DRAFTED, State.SENDING): "C3",
    (State.SENDING, State.SENT): "C4",
    (State.PREPARING, State.PENDING): "C5 released",
    (State.DRAFTED, State.PENDING): "C5 released",
    (State.SENDING, State.PENDING): "C5 certainly not accepted",
    (State.PENDING, State.CLOSED): "C6",
    (State.QUEUED, State.CLOSED): "C6",
    (State.PREPARING, State.CLOSED): "C6",
    (State.DRAFTED, State.CLOSED): "C6",
    (State.SENDING, State.CLOSED): "C6 refused for good",
    (State.PREPARING, State.SENT): "R2 found before sending again",
    (State.PREPARING, State.IN_DOUBT): "R1 a trace is missing",
    (State.SENDING, State.IN_DOUBT): "R1",
    (State.IN_DOUBT, State.SENT): "R2",
    (State.IN_DOUBT, State.PENDING): "R3 still a draft after the grace, or after a refusal of too much",
    (State.IN_DOUBT, State.REVIEW): "R4",
    (State.PREPARING, State.REVIEW): "R4 crashed too often",
    (State.PENDING, State.REVIEW): "R4 handed over after a submission in doubt",
    (State.REVIEW, State.SENT): "H",
    (State.REVIEW, State.CLOSED): "H",
    (State.REVIEW, State.PENDING): "H",
    (State.CLOSED, State.PENDING): "H certainly not accepted, tried again",
}

LEASED = (State.PREPARING, State.DRAFTED, State.SENDING)  # a worker holds a lease on it
LEASE = timedelta(seconds=45)
STEP_BACK_AFTER = timedelta(seconds=2)  # from gate to request; after that the gate's decision is too old
MAX_CRASHES = 5
MAX_FAILURES = 8
FAILING_FOR_AT_LEAST = timedelta(hours=24)
_BACKOFF_FIRST = timedelta(seconds=30)
_BACKOFF_LONGEST = timedelta(hours=1)
GRACE = timedelta(minutes=10)  # how long we search for an email in doubt
LEFT_AFTER = timedelta(minutes=5)  # after acceptance; an email still in Drafts then is reported
STILL_DRAFT_WAITS = timedelta(seconds=30)  # until a follow-up checks Drafts again
OUT_OF_REACH = "mailbox_out_of_reach"  # the mailbox may not be searched any more
THROTTLED, REFUSED_AFTER_DOUBT = "throttled", "refused_after_doubt"
LIMIT_REACHED = "sending_limit_reached"  # why a lane waits
READ_FIRST = (
    "mailbox_read_first"  # the same: much came in, and the provider lets a mailbox ask only so much a minute
)


@dataclass(frozen=True, slots=True)
class Retry:
    """Certainly not accepted: try again at ``at``. ``lane_waits``: the mailbox's other emails wait until then too.

    ``counts``: this failure counts towards giving up.
    """

    at: datetime
    reason: str
    lane_waits: bool = False
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Fail:
    """It will never work for this step: give the delivery up."""

    reason: str


@dataclass(frozen=True, slots=True)
class PauseConnection:
    """The mailbox cannot send until a person acts."""

    reason: str


@dataclass(frozen=True, slots=True)
class Reconcile:
    """It may have been accepted: search for it at ``reconcile_at``.

    ``lane_waits_until``: the mailbox sends nothing before then, because the provider asked for it.
    """

    reconcile_at: datetime
    reason: str
    lane_waits_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AlarmOperators:
    """Our configuration is wrong and operators have to fix it. The mailbox is not to blame; the delivery waits."""

    at: datetime
    reason: str


Verdict: TypeAlias = Retry | Fail | PauseConnection | Reconcile | AlarmOperators


def backoff(failures: int, jitter: float) -> timedelta:
    """Return the wait after the ``failures``-th failure (from 1). ``jitter`` in [-1, 1] spreads it by 20 %."""
    waited: timedelta = min(_BACKOFF_FIRST * 2 ** min(failures - 1, 10), _BACKOFF_LONGEST)
    return waited * (1 + 0.2 * jitter)


def after_failure(
    error: ProviderError | OperatorMisconfigured,
    *,
    submitted: bool,
    in_doubt: bool = False,
    failures: int,
    first_failed_at: datetime | None,
    now: datetime,
    jitter: float,
) -> Verdict:
    """Decide what follows from a provider's error. Raises ``TypeError`` for an error without a rule.

    ``submitted``: the request that sends had begun. Before it, every failure is harmless; after it, only an
    answer that rules out acceptance is. ``in_doubt``: an earlier submission of the same draft is in doubt too.
    ``failures``: how many came before this one.
    """
    match error:
        case OperatorMisconfigured():
            return AlarmOperators(now + timedelta(minutes=5), "operator_misconfigured")
        case ConnectionRefused():
            return PauseConnection(error.reason)
        case RecipientRejected() | MessageRejected() if submitted and in_doubt:
            # Refused for good, but it may have left before: perhaps it is refused because it left.
            return Reconcile(now, REFUSED_AFTER_DOUBT)
        case RecipientRejected():
            return Fail("recipient_rejected")
        case MessageRejected():
            return Fail(error.code or "message_rejected")
        case SendingLimitReached():
            return Retry(now + error.retry_after, LIMIT_REACHED, lane_waits=True)
        case Throttled(untaken=False) if submitted:
            until = now + error.retry_after
            return Reconcile(until, THROTTLED, lane_waits_until=until)
        case Throttled():
            return Retry(now + error.retry_after, THROTTLED, lane_waits=True)
        case DeliveryInDoubt() if submitted:
            lane_waits_until = None if error.retry_after is None else now + error.retry_after
            if error.throttled and lane_waits_until is not None:
                return Reconcile(lane_waits_until, THROTTLED, lane_waits_until)
            reason = REFUSED_AFTER_DOUBT if error.gone and in_doubt else "answer_lost"
            return Reconcile(now, reason, lane_waits_until)
        case PreviousStillDraft():
            # Wait as long as it takes. Somebody is notified of the email before it, and failing this one would
            # lose it for nothing.
            return Retry(
                now + STILL_DRAFT_WAITS * (1 + 0.2 * jitter), "previous_email_still_in_drafts", counts=False
            )
        case ProviderUnavailable() | DeliveryInDoubt():
            failing_since = first_failed_at or now
            if failures >= MAX_FAILURES and now - failing_since >= FAILING_FOR_AT_LEAST:
                return Fail("provider_unavailable")
            return Retry(now + backoff(failures + 1, jitter), "provider_unavailable")
        case _:
            raise TypeError(f"no verdict for {type(error).__name__}")


def wait_reason(error: Throttled) -> str | None:
    """Why the lane waits, or None if the provider only asked to wait a moment."""
    return LIMIT_REACHED if isinstance(error, SendingLimitReached) else None
