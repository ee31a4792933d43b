"""Real Postgres and Valkey for every test that asks: started once per run, an empty database per test."""

import fcntl
import io
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import psycopg
import pytest
import structlog
from sqlalchemy import make_url
from sqlalchemy.pool import QueuePool

import tracing
from app import telemetry
from app.runtime import Runtime
from config import Settings
from db.core import statements
from db.core.session import Database
from db.schema.migrate import upgrade
from domain.errands import ErrandKind
from lab.embedded import EmbeddedPostgres, EmbeddedRedis
from lab.emulator.background import Running, running_emulator
from lab.factories import KEY, World
from lab.stage import Stage
from observability import configure_logging
from tests.databases import TEMPLATE, Databases
from tests.typed_rows import checked_row_maker
from transports.gmail import GmailProvider
from transports.graph import GraphProvider

if TYPE_CHECKING:
    from lab.release_before import ReleaseBefore
    from tests.collector import Collector
    from tests.sentry import Sentry

# A longer search, now and then: pytest --hypothesis-profile=campaign
hypothesis.settings.register_profile("campaign", max_examples=3000)


@dataclass(frozen=True)
class Servers:
    """The run's servers, and this process's databases on them."""

    postgres: EmbeddedPostgres
    admin_dsn: str
    roles_that_log_in: set[str] = field(default_factory=set)

    @cached_property
    def databases(self) -> Databases:
        return Databases(self.admin_dsn)


@pytest.fixture(autouse=True, scope="session")
def rows_of_their_types() -> Iterator[None]:
    """Every row that any test reads is of the types that its class states."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statements, "row_maker", checked_row_maker)
        yield


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Entry points set up the process's logs, for this test's streams.

    Like the product's, logs go to standard error: a server of the test's own may log while a command prints.
    """
    root, structured = logging.getLogger(), structlog.get_config()
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    before = root.handlers[:], root.level
    structlog.contextvars.clear_contextvars()  # jobs that a test did itself leave their ids
    yield
    root.handlers[:], root.level = before
    structlog.configure(**structured)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, object]]]:
    """Logs as a process in production writes them; called, it returns the lines so far."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    configure_logging("json", "info")
    return lambda: [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Servers]:
    """One Postgres per run, shared by all its processes; the last to leave stops it."""
    base = tmp_path_factory.getbasetemp()
    root = (base if worker_id == "master" else base.parent) / "servers"
    root.mkdir(exist_ok=True)
    with _locked(root / "lock"):
        users = root / "users"
        port_file = root / "port"
        if not port_file.exists():
            postgres = EmbeddedPostgres(root / "postgres", durable=False).start()
            with _admin(postgres) as admin:
                admin.execute(f"CREATE DATABASE {TEMPLATE}")
            upgrade(postgres.url(TEMPLATE))
            port_file.write_text(str(postgres.port))
        else:
            postgres = EmbeddedPostgres(root / "postgres", durable=False, port=int(port_file.read_text()))
        users.write_text(str(int(users.read_text() if users.exists() else "0") + 1))
    yield Servers(postgres, _dsn(postgres))
    with _locked(root / "lock"):
        left = int(users.read_text()) - 1
        users.write_text(str(left))
        if left == 0:
            postgres.stop("immediate")
            port_file.unlink()


@pytest.fixture
def database_url(servers: Servers) -> Iterator[str]:
    """The URL of an empty, migrated database."""
    name = servers.databases.take()
    yield servers.postgres.url(name)
    servers.databases.give_back(name)


@pytest.fixture(scope="session")
def release_before(tmp_path_factory: pytest.TempPathFactory) -> "ReleaseBefore":
    """The release before this one, unpacked."""
    from lab.release_before import NoHistory, ReleaseBefore

    try:
        return ReleaseBefore(tmp_path_factory.mktemp("release-before"))
    except NoHistory as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture
def url_as(servers: Servers, database_url: str) -> Callable[[str], str]:
    """The database's URL for a role of the product, such as ``onbehalf_web``."""

    def url(role: str) -> str:
        if role not in servers.roles_that_log_in:
            with psycopg.connect(servers.admin_dsn, autocommit=True) as admin:
                # Two processes of a run may not alter a role at once.
                admin.execute("SELECT pg_advisory_lock(43)")
                admin.execute(f"ALTER ROLE {role} LOGIN PASSWORD 'its-own'")
            servers.roles_that_log_in.add(role)
        parts = make_url(database_url).set(username=role, password="its-own")
        return parts.render_as_string(hide_password=False)

    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A pool of connections to a fresh, migrated database."""
    opened = Database(database_url, pool_size=20)
    yield opened
    # Whoever asked for an errand has its result before the thread that did it has ended.
    for each in threading.enumerate():
        if each.name in set(ErrandKind):
            each.join(60)
    _close(opened)


def _close(database: Database) -> None:
    """Close the pool once every connection is back in it: one that is not would be found by another test, long after this one."""
    pool, until = database.engine.pool, time.monotonic() + 60
    assert isinstance(pool, QueuePool)
    while pool.checkedout():
        assert time.monotonic() < until, "a connection was never given back"
        time.sleep(0.01)
    database.close()


@pytest.fixture
def world(database: Database) -> World:
    """An organization in a fresh database, ready to be filled."""
    return World(database)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """One Valkey per test process."""
    with EmbeddedRedis(tmp_path_factory.mktemp("redis"), durable=False) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: EmbeddedRedis) -> str:
    """The URL of an empty Redis."""
    import redis

    client = redis.Redis.from_url(redis_server.url())
    client.flushall()
    client.close()
    return redis_server.url()


def _dsn(postgres: EmbeddedPostgres) -> str:
    return postgres.url("postgres").replace("postgresql+psycopg://", "postgresql://")


@contextmanager
def _admin(
    postgres: EmbeddedPostgres,
) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(_dsn(postgres), autocommit=True) as connection:
        yield connection


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def pytest_configure(config: pytest.Config) -> None:
    """A terminated run stops its servers too."""
    if os.environ.get("PYTEST_XDIST_WORKER") is None:
        signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))


@pytest.fixture(scope="session")
def shared_emulator() -> Iterator[Running]:
    """One emulator per test process, on real sockets."""
    with running_emulator() as running:
        yield running


@pytest.fixture
def emulator(shared_emulator: Running) -> Running:
    """The emulator with an empty world; drafts move to Sent Items at once unless a test says otherwise."""
    shared_emulator.control.reset()
    shared_emulator.control.switch(drafts_delay=0.0)
    return shared_emulator


@pytest.fixture(scope="session")
def graph_provider(shared_emulator: Running) -> Iterator[GraphProvider]:
    """One HTTP client and loop thread per test process: opening one costs a second of imports."""
    provider = GraphProvider(shared_emulator.url)
    yield provider
    provider.close()


@pytest.fixture(scope="session")
def gmail_provider(shared_emulator: Running) -> Iterator[GmailProvider]:
    """One HTTP client and loop thread per test process: opening one costs a second of imports."""
    provider = GmailProvider(shared_emulator.url)
    yield provider
    provider.close()


@pytest.fixture
def runtime(
    database: Database,
    database_url: str,
    emulator: Running,
    graph_provider: GraphProvider,
    gmail_provider: GmailProvider,
) -> Iterator[Runtime]:
    """What an actor works with, pointed at the emulator."""
    settings = Settings(
        database_url=database_url,
        redis_url="redis://127.0.0.1:1/0",
        secret_keys=(KEY,),
        microsoft_client_id="onbehalf",
        microsoft_client_secret="demo-secret",
        entra_url=emulator.url,
        graph_url=emulator.url,
        google_client_id="onbehalf",
        google_client_secret="demo-secret",
        google_url=emulator.url,
        default_mail_url=emulator.mail_url,
        default_mail_domain="onbehalf.example",
    )
    opened = Runtime(settings, database)
    opened.__dict__["graph"] = graph_provider
    opened.__dict__["gmail"] = gmail_provider
    yield opened
    if "entra" in opened.__dict__:
        opened.entra.close()
    if "google" in opened.__dict__:
        opened.google.close()


@pytest.fixture
def trusted_mail_server(emulator: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator's mail server proves itself: STARTTLS by a mailbox's own settings works."""
    certificate = tmp_path / "emulator.pem"
    certificate.write_text(emulator.control.certificate())
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@pytest.fixture
def stage(world: World, runtime: Runtime, emulator: Running, url_as: Callable[[str], str]) -> Iterator[Stage]:
    """A world whose mailboxes exist at the emulator too, and the means to run jobs in this process."""
    web = Database(url_as("onbehalf_web"), pool_size=20)
    opened = Stage(world, runtime, emulator, web)
    yield opened
    opened.leave()
    _close(web)


@pytest.fixture
def collector() -> Iterator["Collector"]:
    """Where traces may go."""
    from tests.collector import running_collector  # with its packages, which few tests need

    with running_collector() as running:
        yield running


@pytest.fixture
def recorded(collector: "Collector", monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], "Collector"]]:
    """This process records spans; called, it stops and returns the collector that has got them."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    end = telemetry.start("test")

    def ended() -> "Collector":
        end()
        return collector

    yield ended
    tracing.record_by(None)


@pytest.fixture
def reported() -> Iterator[Callable[[], "Sentry"]]:
    """This process reports its errors; called, it stops and returns what has got them."""
    from tests.sentry import running_sentry

    with running_sentry() as sentry:
        end = telemetry.start("test", {"SENTRY_DSN": sentry.dsn})

        def ended() -> "Sentry":
            end()
            return sentry

        yield ended
        end()
