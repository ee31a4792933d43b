"""Say in a member's chat channel what their notice says, with links to where they can act: once, and not in their quiet hours."""

import random
from datetime import timedelta
from uuid import UUID

import structlog

import counters
from app.runtime import Runtime, current
from db.events import events, notice_channels, notice_facts, notice_preferences, notices, outbox
from db.events.notice_channels import Busy
from domain.errors import InvalidInput, ProviderError
from domain.jobs import NotifyChannel
from transports import chat
from workers.actor import actor, read_id

log = structlog.get_logger()

_WAIT_FOR_OTHERS = timedelta(seconds=5)  # at least; random, so that not all come back at once
_SHORTEST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
_GIVE_UP_AFTER = timedelta(hours=12)  # since the first attempt, which quiet hours may have put off


@actor(NotifyChannel.actor, NotifyChannel.queue)
def notify_channel(outbox_id: object) -> None:
    """Take one outbox row."""
    notify(current(), read_id("outbox_id", outbox_id))


def notify(runtime: Runtime, outbox_id: UUID) -> None:
    """Make one attempt. What is no news any more is not said."""
    with runtime.database.transaction() as tx:
        job = outbox.load(tx, outbox_id)
        if not isinstance(job, NotifyChannel):
            return
        event = events.load(tx, job.event_id)
        if event is None or not notice_facts.concerns(tx, event, job.owner_id):
            outbox.consume(tx, NotifyChannel.actor, outbox_id)
            return
        structlog.contextvars.bind_contextvars(organization_id=str(event.organization_id))
        quiet_for = notice_preferences.course(tx, job.owner_id, event.type.category).quiet_for
        if quiet_for is not None:
            outbox.snooze(tx, outbox_id, quiet_for)
            return
        channel = notice_channels.claim(tx, runtime.keys, job.owner_id, job.channel_id, event.incident)
        if isinstance(channel, Busy):
            outbox.snooze(tx, outbox_id, _WAIT_FOR_OTHERS * (1 + 5 * random.random()))  # noqa: S311 - no secret
            return
        if channel is None:
            outbox.consume(tx, NotifyChannel.actor, outbox_id)
            return
        notice = notices.written(tx, event, job.owner_id)
    state = "sent"
    try:
        chat.deliver(channel.url, notice.title, notice.body, notice.ways(runtime.settings.public_url))
    except (ProviderError, InvalidInput) as error:
        state = "failed"
        log.warning("channel_not_notified", event_id=str(event.id), error=type(error).__name__)
    with runtime.database.transaction() as tx:
        notice_channels.record(tx, channel.id, event.incident, state)
        if state == "failed" and channel.tried_for < _GIVE_UP_AFTER:
            outbox.snooze(tx, outbox_id, min(max(channel.tried_for / 4, _SHORTEST_WAIT), _LONGEST_WAIT))
        else:
            outbox.consume(tx, NotifyChannel.actor, outbox_id)
    counters.NOTICES.labels("chat", state).inc()
    log.info("owner_notified", event_id=str(event.id), channel="chat", state=state)
