"""Settle one delivery in doubt by searching the mailbox. This never submits anything.

``domain.recovery`` decides what follows from an attempt.
"""

from datetime import timedelta

import structlog

import counters
from app.runtime import Runtime, current
from db.core.session import database_now
from db.events import problems
from db.sending import lanes, outcomes, reconcile_attempts
from db.sending.moves import at_rest
from db.sending.outcomes import SentFacts
from domain.delivery import OUT_OF_REACH, State
from domain.errors import OperatorMisconfigured, ProviderError, Throttled
from domain.handover import SENDER_CHANGED
from domain.jobs import ReconcileDelivery
from domain.recovery import InDoubt, Reuse, Review, Sent, recover
from transports.base import Found, Traceable
from workers.actor import actor, read_delivery_message

log = structlog.get_logger()


@actor(ReconcileDelivery.actor, ReconcileDelivery.queue)
def reconcile_delivery(delivery_id: object, dispatch_no: object) -> None:
    """Take the message for one reconcile attempt."""
    job = ReconcileDelivery(*read_delivery_message(delivery_id, dispatch_no))
    structlog.contextvars.bind_contextvars(delivery_id=str(job.delivery_id))
    reconcile(current(), job)


def reconcile(runtime: Runtime, job: ReconcileDelivery) -> None:
    """Make one attempt: claim it, search the mailbox, record the result."""
    with runtime.database.transaction() as tx:
        attempt = reconcile_attempts.claim_attempt(tx, job.delivery_id, job.dispatch_no)
    if attempt is None:
        return
    structlog.contextvars.bind_contextvars(mailbox_id=str(attempt.mailbox_id))
    found: list[Found] | None = None
    wait = timedelta()
    try:
        if attempt.history.traceable:
            transport = runtime.transport(attempt.mailbox_id, attempt.provider)
            found = list(transport.find(attempt.correlation_id)) if isinstance(transport, Traceable) else None
    except Throttled as error:
        wait = error.retry_after
        log.info("reconcile_throttled", code=error.code)
    except (ProviderError, OperatorMisconfigured) as error:
        log.info("reconcile_failed", error=type(error).__name__, code=getattr(error, "code", ""))
    record(runtime, attempt, found, wait=wait)


def record(
    runtime: Runtime,
    attempt: reconcile_attempts.ReconcileAttempt,
    found: list[Found] | None,
    *,
    wait: timedelta,
) -> None:
    """Record the result of an attempt: sent, still in doubt, certainly still a draft, or for review. ``found`` None: no answer.

    ``wait``: how long the provider asks us to wait, with searches and emails.
    """
    with runtime.database.transaction() as tx:
        reconcile_attempts.free_slot(tx, attempt.mailbox_id, attempt.slot)
        if wait:
            lanes.hold(tx, attempt.mailbox_id, database_now(tx) + wait)
        expected = at_rest(State.IN_DOUBT)
        decided = recover(attempt.history, found)
        if isinstance(decided, Reuse) and attempt.moved:
            decided = Review(SENDER_CHANGED)  # that draft is in a mailbox from which nothing leaves any more
        match decided:
            case Sent(item_id):
                left = next(item for item in found or () if item.id == item_id)
                facts = SentFacts("search", left.id, left.internet_message_id, left.conversation_id)
                outcomes.record_sent(
                    tx,
                    attempt.delivery_id,
                    facts,
                    expected,
                    actor="onbehalf",
                )
                counters.DOUBTS_SETTLED.labels("sent").inc()
                log.info("doubt_settled", outcome="sent")
            case InDoubt(wait=later):
                reconcile_attempts.schedule_attempt(tx, attempt.delivery_id, max(later, wait))
            case Reuse(in_doubt=in_doubt):
                back = outcomes.Release(database_now(tx), "still_a_draft", in_doubt=in_doubt)
                outcomes.release(tx, attempt.delivery_id, back, expected)
                counters.DOUBTS_SETTLED.labels("not_accepted").inc()
                log.info("doubt_settled", outcome="not_accepted")
            case Review(reason):
                settled = outcomes.to_review(tx, attempt.delivery_id, reason, expected)
                if settled is not None:
                    problems.notify_of_review(tx, attempt.delivery_id)
                    counters.DOUBTS_SETTLED.labels("review").inc()
                    counters.REVIEWS.inc()
                    log.warning("delivery_in_review", reason=reason)
                if reason == OUT_OF_REACH:
                    problems.give_up_searching(tx, attempt.mailbox_id)
