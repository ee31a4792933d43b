"""Spread one event: one pause for each sequence it touches, one notice for each owner."""

from uuid import UUID

import structlog

from app.runtime import Runtime, current
from db.events import events, notice_facts, outbox, webhooks
from domain.events import follow_up
from domain.jobs import CallWebhook, FanOut, OutboxJob
from domain.webhooks import WEBHOOK_EVENTS
from workers.actor import actor, read_id

log = structlog.get_logger()


@actor(FanOut.actor, FanOut.queue)
def fan_out(outbox_id: object) -> None:
    """The actor: a message for one outbox row."""
    spread(current(), read_id("outbox_id", outbox_id))


def spread(runtime: Runtime, outbox_id: UUID) -> None:
    """Put the event's follow-ups into the outbox, in the transaction that consumes it."""
    with runtime.database.transaction() as tx:
        job = outbox.load(tx, outbox_id)
        if not isinstance(job, FanOut) or not outbox.consume(tx, FanOut.actor, outbox_id):
            return
        event = events.load(tx, job.event_id)
        if event is None:
            return
        also = notice_facts.also(tx, event)
        jobs: list[OutboxJob] = [*follow_up(event.id, event.kind, events.affected(tx, event), also)]
        if event.kind in WEBHOOK_EVENTS:
            jobs += [CallWebhook(event.id, each) for each in webhooks.standing(tx, event.organization_id)]
        for each in jobs:
            outbox.put(tx, each)
    log.info("event_spread", event_id=str(event.id), kind=event.kind.value, count=len(jobs))
