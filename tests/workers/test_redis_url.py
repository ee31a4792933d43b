"""One Redis or a group under Sentinels: the URL decides, and a new master is found after the old one has died."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.broker import Broker
from app.redis_url import connect
from db.core import entra_login
from domain.errors import OperatorMisconfigured
from lab.embedded import _valkey_binary, free_port
from lab.emulator.background import Running
from lab.stage import Stage
from lab.system import System
from tests.azure import azure_host
from tests.end_to_end.test_whole_sequences import fill, judge


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sentinel://:secret@host/mymaster/0", "host or the database is malformed"),
        ("sentinel://:secret@host:port/mymaster/0", "host or the database is malformed"),
        ("sentinel://host:26379/mymaster/zero", "host or the database is malformed"),
        ("sentinel://host:26379", "service name is missing"),
    ],
)
def test_a_malformed_url_is_refused_without_telling_the_password(url: str, says: str) -> None:
    with pytest.raises(OperatorMisconfigured) as refused:
        connect(url)
    assert says in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("rediss://h.example:6380/0?auth=password", "auth can only be entra"),
        ("rediss://:secret@h.example:6380/0?auth=entra", "leave out the name and the password"),
        ("redis://h.example:6379/0?auth=entra", "must be encrypted"),
    ],
)
def test_a_login_by_entra_that_cannot_be_is_refused(url: str, says: str) -> None:
    with pytest.raises(OperatorMisconfigured, match=says) as refused:
        connect(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("kind", ["managed", "workload"])
def test_the_hosts_identity_logs_in_with_its_token(
    kind: str, redis_url: str, emulator: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with azure_host(kind, emulator, tmp_path, monkeypatch), redis.Redis.from_url(redis_url) as admin:
        token = entra_login.token(entra_login.REDIS)
        admin.acl_setuser(
            "host-object", enabled=True, passwords=[f"+{token}"], commands=["+@all"], keys=["*"]
        )
        parts = urlsplit(redis_url)
        plain = f"redis://{parts.hostname}:{parts.port}/0"
        with connect(f"{plain}?auth=entra&health_check_interval=7", socket_timeout=5) as client:
            assert client.acl_whoami() in ("host-object", b"host-object")
        broker = Broker(f"{plain}?auth=entra")
        assert broker.client.ping()
        broker.close()
        admin.acl_deluser("host-object")


def test_without_a_token_redis_counts_as_away(
    redis_url: str, emulator: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with azure_host("managed", emulator, tmp_path, monkeypatch):
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")
        parts = urlsplit(redis_url)
        retry = Retry(NoBackoff(), 0)
        client = connect(f"redis://{parts.hostname}:{parts.port}/0?auth=entra", retry=retry)
        with pytest.raises(redis.ConnectionError, match="AZURE_CLIENT_ID"):
            client.ping()
        client.close()


class Group:
    """A master, a replica and one Sentinel that decides alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = [free_port() for _ in range(3)]
        master, replica, sentinel = self.ports
        self.master = self._start("master", f"port {master}\nrequirepass pw\nmasterauth pw\n")
        self._start(
            "replica", f"port {replica}\nrequirepass pw\nmasterauth pw\nreplicaof 127.0.0.1 {master}\n"
        )
        self._start(
            "sentinel",
            f"port {sentinel}\nsentinel monitor mymaster 127.0.0.1 {master} 1\nsentinel auth-pass mymaster pw\n"
            "sentinel down-after-milliseconds mymaster 1000\nsentinel failover-timeout mymaster 3000\n",
            "--sentinel",
        )
        self.url = f"sentinel://:pw@127.0.0.1:{sentinel}/mymaster/0"
        # Until the Sentinel knows the replica, it has nobody to promote.
        watcher = redis.Redis(port=sentinel)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                if watcher.sentinel_slaves("mymaster"):
                    break
            except redis.RedisError:
                pass
            time.sleep(0.1)
        watcher.close()

    def _start(self, name: str, config: str, *arguments: str) -> subprocess.Popen[bytes]:
        path = self.folder / f"{name}.conf"
        path.write_text(
            f'bind 127.0.0.1\ndir {self.folder}\nsave ""\nappendonly no\ndbfilename {name}.rdb\n{config}'
        )
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen([str(_valkey_binary()), str(path), *arguments], stdout=log, stderr=log)
        self.running = [*getattr(self, "running", []), process]
        return process

    def stop(self) -> None:
        for process in self.running:
            process.kill()
            process.wait(10)


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    made = Group(tmp_path)
    yield made
    made.stop()


def test_workers_find_the_new_master_when_the_old_one_dies(
    stage: Stage, group: Group, tmp_path: Path
) -> None:
    fill(stage, mailboxes=6, people=2)
    (tmp_path / "logs").mkdir()
    system = System(stage, group.url, tmp_path / "logs")
    try:
        system.scheduler()
        system.workers(threads=8)
        system.wait(system.sent(6), 60)
        group.master.kill()
        system.wait(system.sent(36), 120)
        judge(stage, 36)
        assert system.tracebacks() == []
    finally:
        system.stop()
