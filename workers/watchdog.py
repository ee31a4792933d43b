"""Ends a worker process that can do only harm or nothing: no broker for long, a wrong clock, no parent.

The supervisor restarts it. Everything it held is leased, and the scheduler takes leases back.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

import dramatiq
import structlog
from dramatiq.middleware import Middleware

import counters
from app.broker import Broker
from app.health import Condition, Note, serve_workers
from app.heartbeat import Heartbeat
from app.readiness import Readiness
from app.runtime import Runtime
from db.core.session import DatabaseUnavailable, database_now
from domain.jobs import QUEUES

log = structlog.get_logger()

MAX_BROKER_SILENT = 120.0  # seconds without any answer from Redis
MAX_SKEW = 5.0  # seconds between this host's clock and the database's
_EVERY = 10.0
_JOBS_END_WITHIN = 40.0  # seconds; the Procfile's --worker-shutdown-timeout


class Watchdog(Middleware):
    """Watches in its own thread from the worker's boot on."""

    def __init__(self, runtime: Runtime, *, at_end: Callable[[], None] = lambda: None) -> None:
        """``at_end``: called once all jobs have ended."""
        self._runtime, self._at_end = runtime, at_end
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._note: Note | None = None
        self._heartbeat: Heartbeat | None = None

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
        # Without --queues a worker serves all of them.
        queues = sorted(getattr(worker, "consumer_whitelist", None) or QUEUES)
        self._heartbeat = Heartbeat(
            self._runtime.database,
            "worker",
            Readiness(
                self._runtime.database,
                ring=self._runtime.keys,
                broker=broker.client,
                google=bool(self._runtime.settings.google_client_id),
            ),
            queues=queues,
            key_ids=self._runtime.keys.ids,
        )
        log.info("worker_started", queue=" ".join(queues))
        self._thread = threading.Thread(target=self._watch, args=(broker,), name="watchdog", daemon=True)
        self._thread.start()

    def before_worker_shutdown(self, broker: dramatiq.Broker, worker: object) -> None:
        """Stop watching: a worker that shuts down is right to fetch nothing. Then wait for the jobs that have begun."""
        log.info("worker_stopping")
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)
        if self._note is not None:
            self._note.close()
        if self._heartbeat is not None:
            self._heartbeat.close()
        _finish(getattr(worker, "workers", ()))

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: object) -> None:
        """End what has watched the jobs."""
        self._at_end()

    def after_process_message(
        self,
        broker: dramatiq.Broker,
        message: object,
        *,
        result: object = None,
        exception: BaseException | None = None,
    ) -> None:
        """Note that this process does its work."""
        if self._heartbeat is not None:
            self._heartbeat.worked()

    def _watch(self, broker: Broker) -> None:
        assert self._heartbeat is not None
        pause = 0.0  # write the first note at once
        while not self._stop.wait(pause):
            pause = _EVERY
            if orphaned():
                # Nobody reads our logs any more, so the next line would block forever. Leases expire on their own.
                os._exit(1)
            silent = time.monotonic() - broker.last_fetch
            skew = clock_skew(self._runtime)
            troubles = self._heartbeat.beat()
            if self._note is not None:
                self._count(self._note)
                self._note.write(Condition(True, troubles, self._heartbeat.remarks()))
            if silent > MAX_BROKER_SILENT:
                log.critical("broker_unreachable", seconds=round(silent))
            elif skew is not None and abs(skew) > MAX_SKEW:
                log.critical("clock_skewed", seconds=round(skew, 1))
            else:
                continue
            # As on SIGTERM: emails in flight finish or are released.
            os.kill(os.getpid(), signal.SIGTERM)
            return

    def _count(self, note: Note) -> None:
        """Note what this process has counted. Whatever goes wrong with that, the watch goes on."""
        try:
            note.count(counters.text())
        except OSError as error:
            log.warning("metrics_not_written", error=error.strerror)


def _finish(threads: Collection[Any]) -> None:
    """Have each thread end after its job, and wait for all of them.

    Dramatiq would, but takes all the time that has passed from what is left anew at each thread (``dramatiq.common.join_all``): of
    128 threads it waits for a second or two, and then leaves emails that are being sent in doubt.
    """
    until = time.monotonic() + _JOBS_END_WITHIN
    for each in threads:
        each.stop()
    for each in threads:
        each.join(max(0.0, until - time.monotonic()))


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
