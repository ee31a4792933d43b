"""Spread one event: one pause for each sequence that it stops. It is announced once they are made."""

from uuid import UUID

import structlog

from app.runtime import Runtime, current
from db.events import events, outbox
from domain.jobs import FanOut, PauseSequence
from workers.actor import actor, read_id

log = structlog.get_logger()


@actor(FanOut.actor, FanOut.queue)
def fan_out(outbox_id: object) -> None:
    """Take one outbox row."""
    spread(current(), read_id("outbox_id", outbox_id))


def spread(runtime: Runtime, outbox_id: UUID) -> None:
    """Put the event's pauses into the outbox, in the transaction that consumes it."""
    with runtime.database.transaction() as tx:
        job = outbox.load(tx, outbox_id)
        if not isinstance(job, FanOut) or not outbox.consume(tx, FanOut.actor, outbox_id):
            return
        event = events.load(tx, job.event_id)
        if event is None:
            return
        stops = events.affected(tx, event) if event.type.pauses else []
        for sequence_id in sorted({each.sequence_id for each in stops}):
            outbox.put(tx, PauseSequence(event.id, sequence_id))
        outbox.announce_when_paused(tx, event.id)
    log.info("event_spread", event_id=str(event.id), kind=event.kind.value, count=len(stops))
