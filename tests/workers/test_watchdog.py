"""A worker that could only do harm or nothing asks to be ended, as a supervisor would end it."""

import os
import signal
import time
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from app.broker import Broker
from db.core.session import database_now
from lab.stage import Stage
from lab.system import ROOT
from workers import watchdog
from workers.watchdog import _JOBS_END_WITHIN, MAX_BROKER_SILENT, Watchdog, clock_skew


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    calls: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: calls.append((pid, number)))
    monkeypatch.setattr(watchdog, "_EVERY", 0.01)
    return calls


def watch(stage: Stage, broker: Broker, seconds: float = 0.3) -> list[str]:
    dog = Watchdog(stage.runtime)
    with capture_logs() as logs:
        dog.after_worker_boot(broker, None)
        if getattr(broker, "silent", False):
            broker.last_fetch = time.monotonic() - MAX_BROKER_SILENT - 1
        time.sleep(seconds)
        dog.before_worker_shutdown(broker, None)
    return [entry["event"] for entry in logs]


def test_all_well_is_left_alone(stage: Stage, redis_url: str, killed: list[tuple[int, int]]) -> None:
    assert watch(stage, Broker(redis_url)) == ["worker_started", "worker_stopping"]
    assert killed == []


def test_a_broker_silent_for_two_minutes_ends_the_worker(
    stage: Stage, redis_url: str, killed: list[tuple[int, int]]
) -> None:
    broker = Broker(redis_url)
    broker.silent = True  # type: ignore[attr-defined]
    assert "broker_unreachable" in watch(stage, broker)
    assert killed == [(os.getpid(), signal.SIGTERM)]


@pytest.mark.parametrize("seconds", [-60, 60])
def test_a_clock_that_is_wrong_ends_the_worker(
    stage: Stage,
    redis_url: str,
    killed: list[tuple[int, int]],
    monkeypatch: pytest.MonkeyPatch,
    seconds: int,
) -> None:
    true = database_now
    monkeypatch.setattr(watchdog, "database_now", lambda tx: true(tx) + timedelta(seconds=seconds))
    skew = clock_skew(stage.runtime)
    assert skew == pytest.approx(-seconds, abs=1)
    assert "clock_skewed" in watch(stage, Broker(redis_url))
    assert killed == [(os.getpid(), signal.SIGTERM)]


def test_a_database_that_is_away_says_nothing_of_the_clock(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.runtime import Runtime
    from db.core.session import Database

    away = Database("postgresql://u:p@127.0.0.1:9/none")
    assert clock_skew(Runtime(stage.runtime.settings, away)) is None


def test_the_procfile_gives_jobs_as_long_to_end_as_workers_wait_for_them() -> None:
    workers = [line for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith("worker-")]
    assert workers
    for line in workers:
        assert line.endswith(f"--worker-shutdown-timeout {_JOBS_END_WITHIN * 1000:.0f}")
