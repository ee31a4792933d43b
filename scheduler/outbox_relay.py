"""Enqueue committed jobs until they are consumed."""

import structlog

from app.broker import Broker, enqueue
from db.core.session import Database
from db.events import outbox

log = structlog.get_logger()

_BATCH = 200


def relay(database: Database, broker: Broker) -> int:
    """Enqueue what waits in the outbox; returns how many messages. Loops while full, so that a burst takes one round."""
    enqueued = 0
    while True:
        with database.transaction() as tx:
            rows = outbox.take_unpublished(tx, _BATCH)
        for row in rows:
            enqueue(broker, row)
        enqueued += len(rows)
        if len(rows) < _BATCH:
            return enqueued
