"""Which mailboxes are read now: planned in rows, enqueued after the commit."""

import structlog

from app.broker import Broker, enqueue
from db.core.session import Database
from db.listening import reads

log = structlog.get_logger()


def tick(database: Database, broker: Broker) -> int:
    """Run one tick; returns how many readings were enqueued."""
    with database.transaction() as tx:
        jobs = reads.plan(tx)
    for job in jobs:
        enqueue(broker, job)
    return len(jobs)


def watch(database: Database) -> int:
    """Notice which mailboxes have sent, so that somebody may answer."""
    with database.transaction() as tx:
        changed = reads.watch(tx)
    if changed:
        log.info("mailboxes_watched", count=changed)
    return changed
