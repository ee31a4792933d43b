"""Schedulers and workers report whether they are alive and can work. The answer needs neither Host nor GET."""

import dataclasses
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from dramatiq.message import Message

from app import health
from app.broker import Broker
from config import Settings
from db.core.session import Database
from db.schema.migrate import upgrade
from db.views import processes
from domain.processes import Process
from lab.embedded import free_port
from lab.factories import KEY
from lab.stage import as_environment

ROOT = Path(__file__).parents[2]


def ask(port: int, path: str, method: str = "GET", host: str = "10.1.2.3:8000") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


@contextmanager
def process(arguments: list[str], settings: Settings, port: int) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, **as_environment(settings), "HEALTH_PORT": str(port), "LOG_FORMAT": "json"}
    started = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield started
    finally:
        started.send_signal(signal.SIGCONT)
        started.terminate()
        started.wait(60)


def until(answer: int, port: int, path: str) -> str:
    deadline = time.monotonic() + 90
    while (found := ask(port, path))[0] != answer:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found[1]


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    return Settings(
        database_url=database_url, redis_url=redis_url, secret_keys=(KEY,), microsoft_client_id="x", microsoft_client_secret="y",
        entra_url="http://127.0.0.1:1", graph_url="http://127.0.0.1:1",
    )  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [["scheduler"], ["workers", "--queues", "events", "--processes", "2", "--threads", "1"]],
    ids=["scheduler", "worker"],
)
def test_a_process_serves_its_health_to_whoever_asks(arguments: list[str], settings: Settings) -> None:
    port = free_port()
    with process(arguments, settings, port):
        assert until(200, port, "/health/ready") == "ok\n"
        assert ask(port, "/health/live") == (200, "ok\n")
        assert ask(port, "/health/ready", "HEAD") == (200, "")
        assert ask(port, "/elsewhere")[0] == 404
        assert ask(port, "/metrics", "HEAD") == (200, "")
        assert 'onbehalf_notices_total{channel="email",state="failed"} 0.0' in ask(port, "/metrics")[1]
        kinds = {(each.kind, *each.queues, each.stopped_at) for each in reported(settings)}
        assert kinds in ({("scheduler", None)}, {("worker", "events", None)})
    assert all(each.stopped_at for each in reported(settings))


def test_what_several_worker_processes_have_done_is_served_as_one_sum(settings: Settings) -> None:
    port, broker = free_port(), Broker(settings.redis_url)
    counted = 'onbehalf_job_seconds_count{kind="fan_out",outcome="done"} 40.0'
    worker = ["workers", "--queues", "events", "--processes", "2", "--threads", "1"]
    with process(worker, settings, port) as started:
        until(200, port, "/health/ready")
        for _ in range(40):
            broker.enqueue(
                Message(
                    queue_name="events",
                    actor_name="fan_out",
                    args=(),
                    kwargs={"outbox_id": str(uuid4())},
                    options={},
                )
            )
        deadline = time.monotonic() + 120
        while counted not in (found := ask(port, "/metrics")[1]):
            assert time.monotonic() < deadline, found
            time.sleep(0.1)
        folder = health._folder(started.pid)
        assert len(list(folder.glob("*.counts"))) == 2
    assert list(folder.iterdir()) == []  # whoever ends in good order leaves nothing


def reported(settings: Settings) -> list[Process]:
    database = Database(settings.database_url, pool_size=1)
    with database.transaction() as tx:
        found = processes.everyone(tx)
    database.close()
    return found


def test_a_scheduler_without_its_schema_is_alive_and_not_ready(settings: Settings, servers: object) -> None:
    import psycopg

    from db.core.database_url import read

    admin = servers.admin_dsn  # type: ignore[attr-defined]
    name = f"empty_{os.getpid()}"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        present = read(settings.database_url).parameters["dbname"]
        empty = dataclasses.replace(settings, database_url=settings.database_url.replace(present, name))
        port = free_port()
        with process(["scheduler"], empty, port):
            until(200, port, "/health/live")
            assert "run onbehalf migrate" in until(503, port, "/health/ready")
            upgrade(empty.database_url)
            assert until(200, port, "/health/ready") == "ok\n"
    finally:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def note(folder: Path, name: str, **values: object) -> Iterator[None]:
    """A worker process in the given state. It lives until the block ends."""
    text = json.dumps({"at": time.time(), "live": True, "troubles": [], **values})
    hold = "import fcntl,sys; f=open(sys.argv[1],'w'); fcntl.flock(f,fcntl.LOCK_EX); f.write(sys.argv[2]); f.flush(); print(); sys.stdout.flush(); sys.stdin.read()"
    mailbox_owner = subprocess.Popen(
        [sys.executable, "-c", hold, str(folder / name), text], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert mailbox_owner.stdout is not None
    mailbox_owner.stdout.readline()
    yield
    mailbox_owner.communicate(timeout=30)


def test_workers_are_live_only_while_each_of_them_goes_on(tmp_path: Path) -> None:
    now = time.time()
    assert not health.of_all(tmp_path, now).live  # none has started yet
    with note(tmp_path, "1"), note(tmp_path, "2"):
        assert health.of_all(tmp_path, now) == health.Condition(True)
        assert not health.of_all(tmp_path, now + health.STALE_AFTER + 30).live
    with note(tmp_path, "1"), note(tmp_path, "3", troubles=["Redis does not answer."]):
        found = health.of_all(tmp_path, now)
        assert (found.live, found.troubles) == (True, ("Redis does not answer.",))
    assert not health.of_all(tmp_path, now).live
    assert list(tmp_path.iterdir()) == []  # a dead process has left no note


def test_counts_of_an_ended_process_stay_in_the_sum_and_those_of_another_start_do_not(tmp_path: Path) -> None:
    def counts(count: int) -> str:
        return f"# HELP a_total It.\n# TYPE a_total counter\na_total {count}.0\n"

    (tmp_path / "1.counts").write_text(counts(500))  # left by a start that was killed
    counted = health.Counted(tmp_path)
    assert "a_total" not in counted.text()
    with note(tmp_path, "2"):
        assert "a_total" not in counted.text()
        (tmp_path / "2.counts").write_text(counts(3))
        with note(tmp_path, "3"):
            (tmp_path / "3.counts").write_text(counts(4))
            assert "a_total 7.0" in counted.text()
        (tmp_path / "2.counts").write_text(counts(5))
        assert "a_total 9.0" in counted.text()
    assert "a_total 9.0" in counted.text()
    assert not (tmp_path / "2.counts").exists()


def test_without_a_port_nothing_is_served(settings: Settings) -> None:
    assert health.serve(settings, lambda: True, list) is None


def test_whether_it_is_alive_is_said_without_asking_a_server_that_may_not_answer(settings: Settings) -> None:
    asked = threading.Event()

    def hanging() -> list[str]:
        asked.set()
        return ["The database does not answer."]

    port = free_port()
    served = health.serve(dataclasses.replace(settings, health_port=port), lambda: True, hanging)
    assert served is not None
    assert ask(port, "/health/live") == (200, "ok\n")
    assert not asked.is_set()
    assert ask(port, "/health/ready") == (503, "The database does not answer.\n")
    served.shutdown()
    served.server_close()
