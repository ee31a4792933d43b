"""Refusals without a reason. Are they about the person, the email or the sender? The mailbox's other emails show it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.delivery import Fail, PauseConnection, Retry, Verdict
from domain.errors import RecipientRejected, Refused

UNEXPLAINED = "refused_without_reason"  # why a delivery waits
GIVEN_UP = "given_up_without_reason"  # why it failed, if no other email showed whom the refusals are about
_RETRY_AFTER = timedelta(hours=1)
_MAX_TRIES = 3  # of an email that there is no other to compare with
_SENDER_REFUSED_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Others:
    """The mailbox's other emails.

    ``accepted_since``: one was accepted after this one was first refused. ``refused``: how many wait after a
    refusal without a reason, or were given up after several since the mailbox's last email was accepted;
    ``refused_since``: when the first of them was first refused.
    """

    accepted_since: bool
    refused: int
    refused_since: datetime | None


def weigh(error: Refused, *, failures: int, others: Others, now: datetime) -> Verdict:
    """Decide what follows from a refusal without a reason. ``failures``: earlier ones of this email.

    An email fails once another one to somebody else was accepted after its first refusal, or after three tries if
    there is none to compare with. If several are refused, it is the sender: the lane waits, and after a day the
    mailbox pauses. An email that was given up is one of the several: a mailbox with few emails gives up one person at most.
    """
    if failures and others.accepted_since:
        return Fail("recipient_rejected" if isinstance(error, RecipientRejected) else error.code)
    if others.refused:
        if others.refused_since is not None and now - others.refused_since > _SENDER_REFUSED_FOR:
            return PauseConnection("policy_blocked")
        return Retry(now + _RETRY_AFTER, UNEXPLAINED, lane_waits=True)
    if failures + 1 >= _MAX_TRIES:
        return Fail(GIVEN_UP)
    return Retry(now + _RETRY_AFTER, UNEXPLAINED)
