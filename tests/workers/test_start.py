"""A process with a wrong setting ends at its start, with one line that names the setting and the server's own reason."""

import base64
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import make_url
from structlog.testing import capture_logs

from app import readiness
from app.readiness import Readiness, check_at_start
from app.servers import open_broker
from config import Settings
from db.core.crypto import KeyRing
from db.core.session import Database
from db.schema import privileges, version
from domain.errors import OperatorMisconfigured
from lab.access_records import Credentials
from lab.factories import KEY, World
from lab.stage import Stage, as_environment

ROOT = Path(__file__).parents[2]
RING = KeyRing((KEY,))
COMMANDS = {
    "scheduler": ["-m", "scheduler"],
    "worker": ["-m", "workers", "--queues", "events", "--processes", "1", "--threads", "1"],
    "web": ["-m", "web"],
    "inbox": ["-m", "inbox"],
}


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    return Settings(
        database_url=database_url, redis_url=redis_url, secret_keys=(KEY,), microsoft_client_id="x", microsoft_client_secret="y",
        entra_url="http://127.0.0.1:1", graph_url="http://127.0.0.1:1",
    )  # fmt: skip


def last_words(kind: str, settings: Settings, **changes: str) -> list[str]:
    """Start a process that ends, and return the lines about it."""
    environment = {
        **os.environ,
        **as_environment(settings),
        "LOG_FORMAT": "json",
        "UVICORN_PORT": "0",
        **changes,
    }
    if kind in ("web", "inbox"):
        del environment["SECRET_KEYS"]
        environment["WEB_SECRET_KEYS"] = base64.b64encode(RING.web_keys()[0]).decode()
        environment["SEALING_PUBLIC_KEY"] = base64.b64encode(RING.public_key).decode()
    done = subprocess.run(
        [sys.executable, *COMMANDS[kind]],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return [line for line in done.stderr.splitlines() if line.startswith("onbehalf: ")]


@pytest.mark.parametrize("kind", COMMANDS)
def test_each_kind_of_process_ends_with_the_reason(kind: str, settings: Settings) -> None:
    wrong = make_url(settings.database_url).set(password="hunter2").render_as_string(hide_password=False)
    assert last_words(kind, settings, DATABASE_URL=wrong) == [
        'onbehalf: DATABASE_URL: FATAL: password authentication failed for user "postgres".'
    ]


def test_a_worker_whose_keys_cannot_read_what_is_stored_ends(stage: Stage, settings: Settings) -> None:
    stage.mailbox(stage.world.member())
    other = base64.b64encode(bytes(range(32))).decode()
    (line,) = last_words("worker", settings, SECRET_KEYS=other)
    assert line.startswith("onbehalf: SECRET_KEYS lacks keys that stored secrets need")
    assert RING.newest_id.hex() in line


def test_an_older_key_behind_a_newer_one_is_enough(stage: Stage, database: Database) -> None:
    stage.mailbox(stage.world.member())
    check_at_start(database, ring=KeyRing((bytes(range(32)), KEY)))
    with pytest.raises(OperatorMisconfigured, match="SECRET_KEYS lacks"):
        check_at_start(database, ring=KeyRing((bytes(range(32)),)))


def test_one_secret_under_a_lost_key_stops_nobody_and_is_said(stage: Stage, database: Database) -> None:
    for _ in range(2):
        stage.mailbox(stage.world.member())
    lost = stage.all(Credentials)[0]
    assert lost.refresh_token is not None
    sealed = lost.refresh_token[:1] + bytes(8) + lost.refresh_token[9:]
    stage.put(Credentials, lost.mailbox_id, refresh_token=sealed)
    with capture_logs() as logs:
        check_at_start(database, ring=RING)
    (said,) = (each for each in logs if each["event"] == "keys_missing")
    assert f"{bytes(8).hex()} (1)" in said["reason"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda url: url.replace(":" + (make_url(url).password or ""), ":wrong"), "REDIS_URL: .*password"),
        (lambda url: url.replace(":" + (make_url(url).password or "") + "@", ""), "REDIS_URL: .*uth"),
        (lambda url: url.removesuffix("/0") + "/99", "REDIS_URL: .*out of range"),
    ],
    ids=["password", "none", "number"],
)
def test_a_redis_that_refuses_ends_a_process_with_its_own_words(
    settings: Settings, database: Database, change: Callable[[str], str], words: str
) -> None:
    broker = open_broker(Settings(settings.database_url, change(settings.redis_url), (KEY,)))
    with pytest.raises(OperatorMisconfigured, match=words):
        check_at_start(database, broker=broker.client)


class Names:
    """This process's names of hosts, while containers come and go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        self._come_after: int | None = None
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)

    def come_after(self, lookups: int) -> None:
        """``container.invalid`` is this machine once it was looked up so often in vain."""
        self._come_after, self.asked = lookups, 0

    def _look_up(self, host: str, *rest: Any, **more: Any) -> Any:
        if host != "container.invalid":
            return self._real(host, *rest, **more)
        self.asked += 1
        if self._come_after is None or self.asked <= self._come_after:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self._real("127.0.0.1", *rest, **more)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    monkeypatch.setattr(readiness, "_ASK_EVERY", 0.01)
    return Names(monkeypatch)


def renamed(settings: Settings) -> Settings:
    """Redis is in the container."""
    return Settings(
        settings.database_url, settings.redis_url.replace("127.0.0.1", "container.invalid"), (KEY,)
    )


def test_a_host_without_an_address_may_be_a_container_that_is_down(settings: Settings, names: Names) -> None:
    elsewhere = make_url(settings.database_url).set(host="container.invalid")
    database = Database(elsewhere.render_as_string(hide_password=False), pool_size=1)
    broker = open_broker(renamed(settings))
    for server in ("DATABASE_URL", "REDIS_URL"):
        names.come_after(3)
        with capture_logs() as logs:
            if server == "DATABASE_URL":
                check_at_start(database)
            else:
                check_at_start(database, broker=broker.client)
        assert names.asked > 3
        said = [each for each in logs if each["event"] == "host_not_known"]
        assert said
        assert all(each["error"].startswith(server) for each in said)
        assert len(said) == len(logs)
        database.close()


def test_a_host_that_gets_no_address_in_time_is_a_wrong_name(
    settings: Settings, database: Database, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "_NAMES_WITHIN", 0.5)
    elsewhere = make_url(settings.database_url).set(host="container.invalid")
    with pytest.raises(OperatorMisconfigured, match=r"^DATABASE_URL: .*container\.invalid"):
        check_at_start(Database(elsewhere.render_as_string(hide_password=False), pool_size=1))
    broker = open_broker(renamed(settings))
    with pytest.raises(OperatorMisconfigured, match=r"^REDIS_URL: .*not known"):
        check_at_start(database, broker=broker.client)
    assert names.asked > 2


def test_a_password_that_is_wrong_is_not_waited_for(settings: Settings, names: Names) -> None:
    wrong = make_url(settings.database_url).set(password="hunter2").render_as_string(hide_password=False)
    with capture_logs() as logs, pytest.raises(OperatorMisconfigured, match="password authentication"):
        check_at_start(Database(wrong, pool_size=1))
    assert logs == []


def test_servers_that_are_only_away_are_waited_for() -> None:
    away = Database("postgresql://user:hunter2@127.0.0.1:1/none")
    with capture_logs() as logs:
        check_at_start(away, broker=redis.Redis(port=1))
    assert [each["event"] for each in logs] == ["broker_unavailable", "database_unavailable"]
    assert "Connection refused" in logs[0]["error"]
    assert "Connection refused" in logs[1]["error"]


def test_a_broker_that_throws_messages_away_is_not_ready(database: Database, redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    ready = Readiness(database, ring=RING, broker=client)
    assert ready.troubles() == ()
    try:
        client.config_set("maxmemory-policy", "allkeys-lru")
        (trouble,) = ready.troubles()
        client.config_set("maxmemory-policy", "volatile-lru")  # queues have no expiry
        assert ready.troubles() == ()
    finally:
        client.config_set("maxmemory-policy", "noeviction")
    assert "maxmemory-policy allkeys-lru" in trouble


def test_keys_and_schema_that_do_not_fit_are_not_ready(
    stage: Stage, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.mailbox(world.member())
    (trouble,) = Readiness(world.database, ring=KeyRing((bytes(range(32)),))).troubles()
    assert "SECRET_KEYS lacks" in trouble
    older = frozenset({version.newest()})
    monkeypatch.setattr(version, "_known", lambda: ("2031_01_01_of_a_newer_release", older))
    assert Readiness(world.database).troubles() == (readiness.OLD_SCHEMA,)


def test_a_port_that_is_none_is_named(settings: Settings) -> None:
    with pytest.raises(OperatorMisconfigured, match="METRICS_PORT is 'abc'"):
        Settings.from_environment({**as_environment(settings), "METRICS_PORT": "abc"})


def test_a_database_that_is_just_being_migrated_has_no_recent_schema(
    world: World, url_as: Callable[[str], str]
) -> None:
    own = Database(url_as(privileges.WEB), pool_size=1)
    try:
        assert Readiness(own).troubles() == ()
        world.run(f"REVOKE SELECT ON alembic_version FROM {privileges.WEB}")
        assert Readiness(own).troubles() == (readiness.OLD_SCHEMA,)
    finally:
        own.close()


def test_a_redis_user_who_may_not_ask_for_its_memory_can_work(database: Database, redis_url: str) -> None:
    admin = redis.Redis.from_url(redis_url)
    admin.acl_setuser("plain", enabled=True, nopass=True, keys="*", commands=["+@all", "-info"])
    try:
        address = (
            make_url(redis_url).set(username="plain", password="any").render_as_string(hide_password=False)
        )
        with closing(redis.Redis.from_url(address)) as client:
            assert Readiness(database, ring=RING, broker=client).troubles() == ()
    finally:
        admin.acl_deluser("plain")


@pytest.mark.parametrize(
    ("kind", "name", "value", "package"),
    [
        *(
            (
                each,
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                "http://127.0.0.1:4318",
                "opentelemetry.exporter.otlp",
            )
            for each in COMMANDS
        ),
        ("worker", "SENTRY_DSN", "https://key@sentry.example/7", "sentry_sdk"),
    ],
)
def test_a_process_that_lacks_the_packages_for_a_setting_ends_and_names_it(
    kind: str, name: str, value: str, package: str, settings: Settings, tmp_path: Path
) -> None:
    tmp_path.joinpath("sitecustomize.py").write_text(f"import sys\nsys.modules[{package!r}] = None\n")
    said = (
        f"onbehalf: {name} is set, and the packages for it are not installed. Install them with"
        " pip install 'onbehalf[observability]', or leave it out."
    )
    assert last_words(kind, settings, PYTHONPATH=str(tmp_path), **{name: value}) == [said]
