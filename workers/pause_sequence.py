"""Pause one sequence for one event, in one transaction; the last pause of an event has it announced."""

from uuid import UUID

import structlog

from app.runtime import Runtime, current
from db.events import events, notices, outbox, pauses
from domain.jobs import PauseSequence
from workers.actor import actor, read_id

log = structlog.get_logger()


@actor(PauseSequence.actor, PauseSequence.queue)
def pause_sequence(outbox_id: object) -> None:
    """Take one outbox row."""
    pause(current(), read_id("outbox_id", outbox_id))


def pause(runtime: Runtime, outbox_id: UUID) -> None:
    """Pause the sequence once, however often the row is enqueued and however many causes there are."""
    with runtime.database.transaction() as tx:
        job = outbox.load(tx, outbox_id)
        if not isinstance(job, PauseSequence) or not outbox.consume(tx, PauseSequence.actor, outbox_id):
            return
        event = events.load(tx, job.event_id)
        if event is None:
            return
        paused = pauses.pause_sequence(tx, event, job.sequence_id)
        if not outbox.announce_when_paused(tx, event.id) and paused:
            # Found at the gate after its event was announced: its owner's notice names it too.
            notices.bring_up_to_date(tx, event, events.recipient_for(tx, job.sequence_id))
    if paused:
        log.info("sequence_paused", sequence_id=str(job.sequence_id), cause=event.cause_key)
