"""Settle one delivery whose acceptance is in doubt, by looking. Nothing is ever submitted here.

What follows from what a look shows is decided by ``domain.recovery``.
"""

from datetime import timedelta

import structlog

from db import lanes, looks, outcomes, problems
from db.moves import at_rest
from db.outcomes import SentFacts
from db.session import database_now
from domain.delivery import OUT_OF_REACH, State
from domain.errors import OperatorMisconfigured, ProviderError, Throttled
from domain.jobs import ReconcileDelivery
from domain.recovery import InDoubt, Reuse, Review, Sent, recover
from transports.base import Found, Traceable
from workers.broker import actor, read_delivery_message
from workers.runtime import Runtime, current

log = structlog.get_logger()


@actor(ReconcileDelivery.actor, ReconcileDelivery.queue)
def reconcile_delivery(delivery_id: object, dispatch_no: object) -> None:
    """The actor: a bell for one look."""
    job = ReconcileDelivery(*read_delivery_message(delivery_id, dispatch_no))
    structlog.contextvars.bind_contextvars(delivery_id=str(job.delivery_id))
    reconcile(current(), job)


def reconcile(runtime: Runtime, job: ReconcileDelivery) -> None:
    """One look: claim it, ask the mailbox, record what was seen."""
    with runtime.database.transaction() as tx:
        look = looks.claim_attempt(tx, job.delivery_id, job.dispatch_no)
    if look is None:
        return
    found: list[Found] | None = None
    wait = timedelta()
    try:
        if look.history.traceable:
            transport = runtime.transport(look.mailbox_id, look.provider)
            found = list(transport.find(look.correlation_id)) if isinstance(transport, Traceable) else None
    except Throttled as error:
        wait = error.retry_after
        log.info("look_throttled", code=error.code)
    except (ProviderError, OperatorMisconfigured) as error:
        log.info("look_failed", error=type(error).__name__, code=getattr(error, "code", ""))
    record(runtime, look, found, wait=wait)


def record(
    runtime: Runtime, look: looks.ReconcileAttempt, found: list[Found] | None, *, wait: timedelta
) -> None:
    """What one look says: sent, still open, certainly waiting as a draft, or for a person to decide. None: no answer.

    ``wait``: how long the provider wants to be left alone, by searches and by emails.
    """
    with runtime.database.transaction() as tx:
        looks.free_slot(tx, look.mailbox_id, look.slot)
        if wait:
            lanes.hold(tx, look.mailbox_id, database_now(tx) + wait)
        expected = at_rest(State.RECONCILING)
        match recover(look.history, found):
            case Sent(item_id):
                left = next(item for item in found or () if item.id == item_id)
                facts = SentFacts("search", left.id, left.internet_message_id, left.conversation_id)
                outcomes.record_sent(
                    tx,
                    look.delivery_id,
                    facts,
                    expected,
                    actor="onbehalf",
                )
                log.info("doubt_settled", outcome="sent")
            case InDoubt(wait=later):
                looks.schedule_attempt(tx, look.delivery_id, max(later, wait))
            case Reuse(ambiguous=ambiguous):
                back = outcomes.Release(database_now(tx), "still_a_draft", ambiguous=ambiguous)
                outcomes.release(tx, look.delivery_id, back, expected)
                log.info("doubt_settled", outcome="not_accepted")
            case Review(reason):
                settled = outcomes.to_review(tx, look.delivery_id, reason, expected)
                if settled is not None:
                    problems.tell_of_review(tx, look.delivery_id)
                    log.warning("delivery_in_review", reason=reason)
                if reason == OUT_OF_REACH:
                    problems.give_up_searching(tx, look.mailbox_id)
