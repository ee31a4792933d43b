"""Liveness and readiness answer every caller at once, under any host name."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import anyio
import anyio.to_thread
import httpx
import pytest
from fastapi import FastAPI

from lab.embedded import EmbeddedRedis, free_port
from lab.stage import Stage
from tests.web.asking import Asking
from tests.web.test_api import Api, key_of
from web import health
from web.main import application, life

READY = ["/health", "/health/ready"]


def asking(stage: Stage, **settings: str) -> Asking:
    stage.runtime.settings = replace(stage.runtime.settings, **settings)  # type: ignore[arg-type]
    return Asking(application(stage.runtime), base_url="http://10.1.2.3:8000")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", [*READY, "/health/live"])
@pytest.mark.parametrize("host", ["10.1.2.3:8000", "web-0.web.onbehalf.svc", "", "[::1]:8000"])
def test_whoever_asks_by_whatever_name(stage: Stage, method: str, path: str, host: str) -> None:
    answer = asking(stage).request(method, path, headers={"Host": host})
    assert answer.status_code == 200
    assert bool(answer.content) == (method == "GET")


def test_no_other_page_answers_to_any_name(stage: Stage) -> None:
    client = asking(stage)
    for path in ("/sign-in", "/healthy", "/health/more", "/"):
        assert client.get(path).status_code == 400


def test_redis_is_named_and_takes_no_traffic_away(stage: Stage, redis_server: EmbeddedRedis) -> None:
    answer = asking(stage, redis_url="redis://127.0.0.1:1/0").get("/health/ready")
    assert (answer.status_code, answer.text) == (200, "database: ok\nschema: ok\nredis: away\n")
    assert asking(stage, redis_url=redis_server.url()).get("/health/ready").text.endswith("redis: ok\n")


@pytest.mark.parametrize("path", READY)
def test_without_its_database_it_is_alive_and_not_ready(stage: Stage, path: str) -> None:
    client = asking(stage, database_url="postgresql+psycopg://nobody@127.0.0.1:1/none")
    answer = client.get(path)
    assert (answer.status_code, answer.text.split("\n")[0]) == (503, "database: away")
    assert client.get("/health/live").status_code == 200


def test_an_older_schema_is_not_ready_and_a_newer_one_is(stage: Stage) -> None:
    stage.world.run("UPDATE alembic_version SET version_num = '2031_01_01_of_a_newer_release'")
    assert asking(stage).get("/health/ready").status_code == 200
    stage.world.run("UPDATE alembic_version SET version_num = '2026_11_21_webhooks'")
    answer = asking(stage).get("/health/ready")
    assert (answer.status_code, "onbehalf migrate" in answer.text) == (503, True)
    stage.world.run("DROP TABLE alembic_version")
    assert asking(stage).get("/health/ready").status_code == 503


def test_a_database_that_does_not_answer_is_not_waited_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()

    def silent(_health: object) -> tuple[str, str]:
        release.wait(20)
        return "ok", "ok"

    client = asking(stage)
    assert client.get("/health/ready").status_code == 200
    monkeypatch.setattr(health.Health, "_ask_database", silent)
    monkeypatch.setattr(health, "_ASK_EVERY", 0.0)
    began = time.monotonic()
    assert client.get("/health/ready").status_code == 200  # as of a moment ago
    monkeypatch.setattr(health, "_OLDEST", 0.0)
    assert client.get("/health/ready").status_code == 503
    assert client.get("/health/live").status_code == 200
    assert time.monotonic() - began < 10
    release.set()


@pytest.fixture
def stuck(stage: Stage) -> Iterator[threading.Event]:
    """Occupy every thread that answers pages and every database connection, until this is set."""
    release = threading.Event()
    yield release
    release.set()


def test_it_answers_while_every_thread_and_connection_is_taken(
    stage: Stage, site: str, stuck: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = key_of(stage.world, "read")
    entered = threading.Semaphore(0)

    def held(*_: object, **__: object) -> object:
        entered.release()
        stuck.wait(30)
        return []

    monkeypatch.setattr("db.views.api_lists.page", held)
    with (
        httpx.Client(
            base_url=site, trust_env=False, timeout=60, limits=httpx.Limits(max_connections=60)
        ) as client,
        ExitStack() as stack,
    ):
        askers = [
            threading.Thread(target=Api(client, key).get, args=("/members",), daemon=True) for _ in range(45)
        ]
        for each in askers:
            each.start()
        for _ in range(20):  # as many connections as the pool has: each of these holds one
            assert entered.acquire(timeout=30)
        for path in ("/health", "/health/ready", "/health/live"):
            assert (
                stack.enter_context(httpx.Client(trust_env=False, timeout=5)).get(site + path).status_code
                == 200
            )
        stuck.set()
        for each in askers:
            each.join(60)


def test_few_threads_compute_at_once_and_none_for_long_before_it_may_answer(stage: Stage) -> None:
    async def begun() -> tuple[float, float]:
        async with life(stage.runtime)(FastAPI()):
            return anyio.to_thread.current_default_thread_limiter().total_tokens, sys.getswitchinterval()

    before = sys.getswitchinterval()
    try:
        threads, turn = anyio.run(begun)
    finally:
        sys.setswitchinterval(before)
    assert threads <= 12
    # While all of them are busy, each step of health waits a few hundredths of a second, not a quarter.
    assert threads * turn <= 0.02


def test_what_it_has_counted_is_on_a_port_of_its_own_and_not_where_its_pages_are(stage: Stage) -> None:
    port = free_port()
    stage.runtime.settings = replace(stage.runtime.settings, health_port=port)
    assert asking(stage).get("/metrics", headers={"Host": "localhost"}).status_code == 404

    async def asked() -> httpx.Response:
        async with life(stage.runtime)(FastAPI()), httpx.AsyncClient(trust_env=False) as client:
            return await client.get(f"http://127.0.0.1:{port}/metrics")

    before = sys.getswitchinterval()
    try:
        answer = anyio.run(asked)
    finally:
        sys.setswitchinterval(before)
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE onbehalf_web_request_seconds histogram" in answer.text
