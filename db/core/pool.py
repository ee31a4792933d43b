"""The pool of connections: checks those that have rested, and closes those that return after its end."""

import threading
import time
from contextlib import suppress
from typing import Any

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool
from sqlalchemy.util import queue

_RESTED = 2.0  # seconds in the pool after which we check that a connection is alive


class ClosingPool(QueuePool):
    """After ``dispose``, a connection that somebody still uses is closed when it returns.

    SQLAlchemy's own pool would keep it: open, and nobody's. That happens to a thread that outlives its process's command,
    and to whoever is in a transaction while another meets a server that was demoted.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._ended = False
        self._ending = threading.RLock()  # the garbage collector may return one anywhere

    def dispose(self) -> None:
        """Close what is here, and from now on whatever returns. Unlike SQLAlchemy's own, it still counts those in use."""
        with self._ending:
            self._ended = True
        with suppress(queue.Empty):
            while True:
                self._pool.get(block=False).close()
                self._dec_overflow()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        with self._ending:
            if self._ended:
                record.close()  # who waits for it still gets its place, and opens a new one
            super()._do_return_conn(record)


def check_rested(engine: Engine) -> None:
    """Check that a connection is alive, unless it was used a moment ago: each check costs a round trip."""
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _ping_after_rest)


def _note_use(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["used_at"] = time.monotonic()


def _ping_after_rest(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    if time.monotonic() - record.info.get("used_at", time.monotonic()) < _RESTED:
        return
    alone = connection.autocommit
    try:
        # Without a transaction, which would need a rollback, after which psycopg forgets its prepared statements.
        connection.autocommit = True
        connection.execute("")
        connection.autocommit = alone
    except psycopg.Error as error:
        raise DisconnectionError from error  # the pool opens a new one
