"""Ends a worker process that can do only harm or nothing: no broker for long, a wrong clock, no parent.

The supervisor restarts it. Everything it held is leased, and the scheduler takes leases back.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import dramatiq
import structlog
from dramatiq.middleware import Middleware

from app.broker import Broker
from app.health import Condition, Note, serve_workers
from app.runtime import Runtime
from db.core.session import DatabaseUnavailable, database_now
from db.schema import version

log = structlog.get_logger()

MAX_BROKER_SILENT = 120.0  # seconds without any answer from Redis
MAX_SKEW = 5.0  # seconds between this host's clock and the database's
_BROKER_SILENT_FOR_LONG = 30.0
_EVERY = 10.0


class Watchdog(Middleware):
    """Watches in its own thread from the worker's boot on."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._note: Note | None = None
        self._schema_recent: bool | None = None

    @property
    def forks(self) -> list[Callable[[], int]]:
        """The process that Dramatiq starts beside the workers."""
        return [serve_workers] if self._runtime.settings.health_port is not None else []

    def after_worker_boot(self, broker: dramatiq.Broker, worker: object) -> None:
        """Start watching."""
        assert isinstance(broker, Broker)
        broker.last_fetch = time.monotonic()
        if self._runtime.settings.health_port is not None:
            self._note = Note()
        log.info("worker_started")
        self._thread = threading.Thread(target=self._watch, args=(broker,), name="watchdog", daemon=True)
        self._thread.start()

    def before_worker_shutdown(self, broker: dramatiq.Broker, worker: object) -> None:
        """Stop watching: a worker that shuts down is right to fetch nothing."""
        log.info("worker_stopping")
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)
        if self._note is not None:
            self._note.close()

    def _condition(self, silent: float, *, database: bool) -> Condition:
        """Return what keeps this process from working."""
        if database and not self._schema_recent:
            with self._runtime.database.transaction() as tx:
                self._schema_recent = version.is_recent(tx)
        troubles = {
            "The database does not answer.": not database,
            "The database's schema is older than this release: run onbehalf migrate.": self._schema_recent
            is False,
            "Redis does not answer.": silent > _BROKER_SILENT_FOR_LONG,
        }
        return Condition(True, tuple(text for text, applies in troubles.items() if applies))

    def _watch(self, broker: Broker) -> None:
        pause = 0.0  # write the first note at once
        while not self._stop.wait(pause):
            pause = _EVERY
            if orphaned():
                # Nobody reads our logs any more, so the next line would block forever. Leases expire on their own.
                os._exit(1)
            silent = time.monotonic() - broker.last_fetch
            skew = clock_skew(self._runtime)
            if self._note is not None:
                try:
                    self._note.write(self._condition(silent, database=skew is not None or self._answers()))
                except DatabaseUnavailable:
                    self._note.write(self._condition(silent, database=False))
            if silent > MAX_BROKER_SILENT:
                log.critical("broker_unreachable", seconds=round(silent))
            elif skew is not None and abs(skew) > MAX_SKEW:
                log.critical("clock_skewed", seconds=round(skew, 1))
            else:
                continue
            # As on SIGTERM: emails in flight finish or are released.
            os.kill(os.getpid(), signal.SIGTERM)
            return

    def _answers(self) -> bool:
        """Does the database answer at all? A slow answer says nothing about the clock."""
        try:
            with self._runtime.database.transaction() as tx:
                database_now(tx)
        except DatabaseUnavailable:
            return False
        return True


def orphaned() -> bool:
    """Is Dramatiq's main process, which started this one and reads its logs, gone?"""
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()


def clock_skew(runtime: Runtime) -> float | None:
    """Return the seconds by which this host's clock is ahead of the database's; None if the database cannot be asked."""
    try:
        with runtime.database.transaction() as tx:
            before = datetime.now(UTC)
            theirs = database_now(tx)
            after = datetime.now(UTC)
    except DatabaseUnavailable:
        return None
    if (after - before).total_seconds() > 1:
        return None  # the answer was too slow to judge a clock by
    return ((before + (after - before) / 2) - theirs).total_seconds()
