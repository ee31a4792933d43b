"""Whole sequences with TLS to Postgres and Redis, as managed ones have it.

Certificates are checked, and a wrong one is refused.
"""

import asyncio
import ssl
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.redis_url import connect
from db.core.session import Database, DatabaseUnavailable
from lab.emulator.smtp import make_certificate
from lab.stage import Stage
from lab.system import System
from tests.end_to_end.test_whole_sequences import fill, judge

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)  # PostgreSQL's protocol, "SSLRequest"


class Front:
    """Speaks TLS to clients and plain text to the server behind it.

    ``asks_first``: clients ask for TLS first, as Postgres clients do.
    """

    def __init__(self, target: int, context: ssl.SSLContext, *, asks_first: bool) -> None:
        self._target, self._context, self._asks_first = target, context, asks_first
        self.port = self.encrypted = 0
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        assert self._up.wait(10)

    async def _run(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        secure = None if self._asks_first else self._context
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=secure)
        self.port = server.sockets[0].getsockname()[1]
        self._up.set()
        await self._end.wait()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind: asyncio.StreamWriter | None = None
        try:
            if self._asks_first:
                assert await reader.readexactly(8) == _SSL_REQUEST
                writer.write(b"S")
                await writer.start_tls(self._context)
            server_reader, behind = await asyncio.open_connection("127.0.0.1", self._target)
            self.encrypted += 1
            pumps = [
                asyncio.create_task(_pump(reader, behind)),
                asyncio.create_task(_pump(server_reader, writer)),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client refuses the certificate
        finally:
            for each in (writer, behind):
                if each is not None:
                    each.transport.abort()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65536):
        writer.write(piece)
        await writer.drain()


@dataclass
class Managed:
    """Two servers behind TLS. ``trusted`` and ``other``: files with the right certificate and with somebody else's."""

    postgres: Front
    redis: Front
    database_url: str
    redis_url: str
    trusted: Path
    other: Path

    def database(self, trusted: Path) -> str:
        return f"{self.database_url}?sslmode=verify-full&sslrootcert={trusted}"

    def broker(self, trusted: Path) -> str:
        return f"{self.redis_url}?ssl_ca_certs={trusted}"


@pytest.fixture
def managed(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Managed]:
    context, certificate = make_certificate()
    (tmp_path / "trusted.pem").write_text(certificate)
    (tmp_path / "other.pem").write_text(make_certificate()[1])
    database, broker = make_url(database_url), make_url(redis_url)
    postgres = Front(database.port or 0, context, asks_first=True)
    valkey = Front(broker.port or 0, context, asks_first=False)
    yield Managed(
        postgres,
        valkey,
        database.set(host="localhost", port=postgres.port).render_as_string(hide_password=False),
        broker.set(drivername="rediss", host="localhost", port=valkey.port).render_as_string(
            hide_password=False
        ),
        tmp_path / "trusted.pem",
        tmp_path / "other.pem",
    )
    postgres.stop()
    valkey.stop()


def test_whole_sequences_run_over_tls(stage: Stage, managed: Managed, tmp_path: Path) -> None:
    fill(stage, mailboxes=4, people=2)
    (tmp_path / "logs").mkdir()
    system = System(
        stage,
        managed.broker(managed.trusted),
        tmp_path / "logs",
        DATABASE_URL=managed.database(managed.trusted),
    )
    try:
        system.scheduler()
        system.workers(threads=8)
        system.wait(system.sent(24), 60)
        judge(stage, 24)
        assert system.tracebacks() == []
        assert managed.postgres.encrypted > 0
        assert managed.redis.encrypted > 0
    finally:
        system.stop()


def test_a_database_with_somebody_elses_certificate_is_not_talked_to(managed: Managed) -> None:
    database = Database(managed.database(managed.other))
    with pytest.raises(DatabaseUnavailable), database.transaction() as tx:
        tx.execute(text("SELECT 1"))
    database.close()


def test_a_redis_with_somebody_elses_certificate_is_not_talked_to(managed: Managed) -> None:
    with pytest.raises(redis.ConnectionError, match="certificate"):
        connect(managed.broker(managed.other)).ping()
