"""Ends a worker process that could only do harm or nothing: no broker for long, a clock that is wrong, no parent.

The supervisor starts it afresh. Whatever it held is leased, and the scheduler takes leases back.
"""

import multiprocessing
import os
import signal
import threading
import time
from datetime import UTC, datetime

import dramatiq
import structlog
from dramatiq.middleware import Middleware

from db.session import DatabaseUnavailable, database_now
from workers.broker import Broker
from workers.runtime import Runtime

log = structlog.get_logger()

BROKER_SILENT_AT_MOST = 120.0  # seconds without any answer from Redis
SKEW_AT_MOST = 5.0  # seconds between this host's clock and the database's
_EVERY = 10.0


class Watchdog(Middleware):
    """Watches from a thread of its own, from the worker's boot on."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def after_worker_boot(self, broker: dramatiq.Broker, worker: object) -> None:
        """Start watching."""
        assert isinstance(broker, Broker)
        broker.last_fetch = time.monotonic()
        log.info("worker_started")
        self._thread = threading.Thread(target=self._watch, args=(broker,), name="watchdog", daemon=True)
        self._thread.start()

    def before_worker_shutdown(self, broker: dramatiq.Broker, worker: object) -> None:
        """Stop watching: a worker that shuts down fetches nothing, rightly."""
        log.info("worker_stopping")
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)

    def _watch(self, broker: Broker) -> None:
        while not self._stop.wait(_EVERY):
            if orphaned():
                # Nobody reads our logs any more: the next line would block for ever. Leases end by themselves.
                os._exit(1)
            silent = time.monotonic() - broker.last_fetch
            skew = clock_skew(self._runtime)
            if silent > BROKER_SILENT_AT_MOST:
                log.critical("broker_unreachable", seconds=round(silent))
            elif skew is not None and abs(skew) > SKEW_AT_MOST:
                log.critical("clock_skewed", seconds=round(skew, 1))
            else:
                continue
            # As on SIGTERM: what is in flight finishes or is handed back.
            os.kill(os.getpid(), signal.SIGTERM)
            return


def orphaned() -> bool:
    """Whether Dramatiq's main process, which started this one and reads its logs, is gone."""
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()


def clock_skew(runtime: Runtime) -> float | None:
    """Seconds that this host's clock is ahead of the database's; None while the database cannot be asked."""
    try:
        with runtime.database.transaction() as tx:
            before = datetime.now(UTC)
            theirs = database_now(tx)
            after = datetime.now(UTC)
    except DatabaseUnavailable:
        return None
    if (after - before).total_seconds() > 1:
        return None  # too slow an answer to judge a clock by
    return ((before + (after - before) / 2) - theirs).total_seconds()
