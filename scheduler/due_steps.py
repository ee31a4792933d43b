"""C0: queue what is due, lane by lane, and enqueue it once that is committed."""

import structlog

from app.broker import Broker, enqueue
from db.core.session import Database
from db.sending import dispatch

log = structlog.get_logger()


def tick(database: Database, broker: Broker) -> int:
    """One tick; returns how many deliveries were queued."""
    with database.transaction() as tx:
        jobs = dispatch.queue_due(tx)
    for job in jobs:
        enqueue(broker, job)
    if jobs:
        log.info("steps_queued", count=len(jobs))
    return len(jobs)
