"""Refusals that name no reason: of this person, of this email, or of the sender? What happens to the others tells."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.delivery import Fail, PauseConnection, Retry, Verdict
from domain.errors import RecipientRejected, Refused

UNEXPLAINED = "refused_without_reason"  # why a delivery waits
_AGAIN = timedelta(hours=1)
_TRIES = 3  # of an email that nothing can be compared with
_SENDER_REFUSED_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Others:
    """The mailbox's other emails. ``accepted_since``: one was taken after this one was refused first. ``refused``: how many wait
    after a refusal that names no reason; ``refused_since``: the first of them."""

    accepted_since: bool
    refused: int
    refused_since: datetime | None


def weigh(error: Refused, *, failures: int, others: Others, now: datetime) -> Verdict:
    """What follows from a refusal that names no reason. ``failures``: of this email before.

    Nobody is given up for it until an email to somebody else shows that the mailbox can send. Several in a row are the sender's:
    the lane waits, and after a day the mailbox is paused.
    """
    if failures and others.accepted_since:
        return Fail("recipient_rejected" if isinstance(error, RecipientRejected) else error.code)
    if others.refused:
        if others.refused_since is not None and now - others.refused_since > _SENDER_REFUSED_FOR:
            return PauseConnection("policy_blocked")
        return Retry(now + _AGAIN, UNEXPLAINED, lane_waits=True)
    if failures + 1 >= _TRIES:
        return Fail("recipient_rejected" if isinstance(error, RecipientRejected) else error.code)
    return Retry(now + _AGAIN, UNEXPLAINED)
