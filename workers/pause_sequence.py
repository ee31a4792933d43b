"""Pause one sequence for one event: status, pause, audit entry and the owner's in-app notice in one transaction."""

from uuid import UUID

import structlog

from app.runtime import Runtime, current
from db.events import events, outbox, pauses
from domain.jobs import PauseSequence
from workers.actor import actor, read_id

log = structlog.get_logger()


@actor(PauseSequence.actor, PauseSequence.queue)
def pause_sequence(outbox_id: object) -> None:
    """The actor: a message for one outbox row."""
    pause(current(), read_id("outbox_id", outbox_id))


def pause(runtime: Runtime, outbox_id: UUID) -> None:
    """Pause once, however often it is enqueued and however many causes stand in line."""
    with runtime.database.transaction() as tx:
        job = outbox.load(tx, outbox_id)
        if not isinstance(job, PauseSequence) or not outbox.consume(tx, PauseSequence.actor, outbox_id):
            return
        event = events.load(tx, job.event_id)
        if event is None:
            return
        recipient = events.recipient_for(tx, job.sequence_id)
        paused = pauses.pause_sequence(tx, event, job.sequence_id, recipient)
    if paused:
        log.info("sequence_paused", sequence_id=str(job.sequence_id), cause=event.cause_key)
