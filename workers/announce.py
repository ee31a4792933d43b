"""Announce one event whose pauses are made: one notice for each recipient, one call for each webhook."""

from uuid import UUID

import structlog

from app.runtime import Runtime, current
from db.events import events, notice_facts, outbox, webhooks
from domain.jobs import Announce, CallWebhook, NotifyOwner, OutboxJob
from workers.actor import actor, read_id

log = structlog.get_logger()


@actor(Announce.actor, Announce.queue)
def announce(outbox_id: object) -> None:
    """The actor: a message for one outbox row."""
    announce_event(current(), read_id("outbox_id", outbox_id))


def announce_event(runtime: Runtime, outbox_id: UUID) -> None:
    """Put the notices and calls into the outbox, in the transaction that consumes it."""
    with runtime.database.transaction() as tx:
        job = outbox.load(tx, outbox_id)
        if not isinstance(job, Announce) or not outbox.consume(tx, Announce.actor, outbox_id):
            return
        event = events.load(tx, job.event_id)
        if event is None:
            return
        jobs: list[OutboxJob] = [NotifyOwner(event.id, each) for each in notice_facts.recipients(tx, event)]
        if event.type.webhook is not None:
            jobs += [
                CallWebhook(event.id, each)
                for each in webhooks.hearing(tx, event.organization_id, event.type.webhook.type)
            ]
        for each in jobs:
            outbox.put(tx, each)
    log.info("event_announced", event_id=str(event.id), kind=event.kind.value, count=len(jobs))
