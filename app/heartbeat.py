"""Every process reports that it runs: a row of its own, written every ten seconds, and marked when it ends in good order."""

import os
import socket
import threading
import time
from collections.abc import Collection
from datetime import timedelta

import structlog

from app.readiness import OLD_SCHEMA, Readiness
from app.release import release
from db.core import processes
from db.core.ids import new_id
from db.core.session import Database, DatabaseUnavailable
from db.schema import version

log = structlog.get_logger()

EVERY = 10.0  # seconds
_NOT_REPORTED = "This process cannot report that it runs. Its log says why (heartbeat_failed)."


class Heartbeat:
    """One process's. ``kind``: scheduler, worker, web or inbox. ``queues``: a worker's. ``key_ids``: of the keys that it has.

    ``on``: False if its settings turn it off, so that it only waits.
    """

    def __init__(
        self,
        database: Database,
        kind: str,
        readiness: Readiness,
        *,
        queues: Collection[str] = (),
        key_ids: Collection[bytes] = (),
        on: bool = True,
    ) -> None:
        self._database, self._readiness, self._on = database, readiness, on
        self._worked_at: float | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._process = processes.Identity(
            new_id(),
            kind,
            socket.gethostname(),
            os.getpid(),
            sorted(queues),
            release(),
            version.newest(),
            [each.hex() for each in key_ids if each],
        )

    def worked(self) -> None:
        """Note that a job was done."""
        self._worked_at = time.monotonic()

    def remarks(self) -> tuple[str, ...]:
        """Return what is good to know besides, as of the last report."""
        return self._readiness.remarks()

    def beat(self) -> tuple[str, ...]:
        """Report once. Returns why the process is not ready. Raises nothing: whoever reports no more is taken for gone."""
        try:
            return self._beat()
        except Exception:
            log.exception("heartbeat_failed")
            return (_NOT_REPORTED,)

    def _beat(self) -> tuple[str, ...]:
        found = self._readiness.examine()
        troubles = tuple(each.said for each in found)
        if OLD_SCHEMA in troubles:  # its table may not be there yet
            return troubles
        worked = self._worked_at
        idle = None if worked is None else timedelta(seconds=time.monotonic() - worked)
        works = self._on and not any(each.stops for each in found)
        try:
            with self._database.transaction() as tx:
                processes.beat(tx, self._process, troubles, idle, works=works)
        except DatabaseUnavailable as error:
            log.warning("heartbeat_missed", error=str(error))
        return troubles

    def start(self) -> None:
        """Report every ten seconds, from a thread."""
        self._thread = threading.Thread(target=self._beat_on, name="heartbeat", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Report that the process ends."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(EVERY)
        try:
            with self._database.transaction() as tx:
                if version.is_recent(tx):
                    processes.stop(tx, self._process.id)
        except DatabaseUnavailable as error:
            log.warning("heartbeat_missed", error=str(error))

    def _beat_on(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            self.beat()
            pause = EVERY
