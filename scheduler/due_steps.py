"""C0: queue what is due, lane by lane, and enqueue it after the commit."""

import time

import structlog

from app.broker import Broker, enqueue
from db.core.session import Database
from db.sending import dispatch

EVERY = 0.1  # seconds between ticks that cost nothing
AT_LEAST_EVERY = 0.5  # seconds
_SHARE = 0.05  # of the time may pass in ticks: they lock the lanes that workers want, and wait where the database is busy

log = structlog.get_logger()


class Ticks:
    """Ticks as often as ticks are short, so that an email due in silence hardly waits."""

    def __init__(self, database: Database, broker: Broker) -> None:
        self._database, self._broker = database, broker
        self._not_before = 0.0

    def __call__(self) -> None:
        """Tick, unless the last one took so long that workers come first."""
        began = time.monotonic()
        if began < self._not_before:
            return
        tick(self._database, self._broker)
        took = time.monotonic() - began
        # The clock that calls us is not exact.
        self._not_before = began + min(took / _SHARE, AT_LEAST_EVERY) - EVERY / 2


def tick(database: Database, broker: Broker) -> int:
    """Run one tick; returns how many deliveries were queued."""
    with database.transaction() as tx:
        jobs = dispatch.queue_due(tx)
    for job in jobs:
        enqueue(broker, job)
    if jobs:
        log.info("steps_queued", count=len(jobs))
    return len(jobs)
