"""A worker's log is one: our lines, Dramatiq's, and what anything prints."""

import io
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import gethostname
from typing import Any

import pytest

from lab.embedded import free_port
from lab.stage import Stage, as_environment
from observability import configure_logging
from workers.logs import Printed

ROOT = Path(__file__).parents[2]
READY = "Fork process '…' is ready for action."


class Worker:
    """Dramatiq's main process with two workers, beside them the process that serves their health."""

    def __init__(self, started: subprocess.Popen[bytes], log: Path) -> None:
        self.started, self._log = started, log

    def lines(self) -> list[dict[str, Any]]:
        """Every line so far. Whatever is no JSON fails the test."""
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def until(self, event: str, times: int = 1) -> list[dict[str, Any]]:
        """Wait for this event so many times, and return its lines."""
        deadline = time.monotonic() + 120
        while len(found := [each for each in self.lines() if each["event"] == event]) < times:
            assert time.monotonic() < deadline, self._log.read_text()
            assert self.started.poll() is None, self._log.read_text()
            time.sleep(0.1)
        return found


@contextmanager
def worker(stage: Stage, folder: Path, redis_url: str, *modules: str) -> Iterator[Worker]:
    environment = {
        **os.environ,
        **as_environment(stage.runtime.settings),
        "REDIS_URL": redis_url,
        "LOG_FORMAT": "json",
        "HEALTH_PORT": str(free_port()),
        "PYTHONPATH": str(folder),
    }
    log = folder / "log"
    command = [sys.executable, "-m", "workers", *modules, "--queues", "events", "imports", "--processes", "2"]
    with log.open("wb") as output:
        started = subprocess.Popen(
            [*command, "--threads", "1"], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    try:
        yield Worker(started, log)
    finally:
        started.terminate()
        started.wait(60)


def test_every_line_of_all_processes_says_where_it_comes_from(
    stage: Stage, redis_url: str, tmp_path: Path
) -> None:
    tmp_path.joinpath("chatty.py").write_text(
        "import sys\nprint('Hello')\nprint('Oh dear', file=sys.stderr)\n"
    )
    with worker(stage, tmp_path, redis_url, "chatty") as running:
        running.until("worker_started", 2)
        (main,) = running.until("Dramatiq '…' is booting up.")
        (fork,) = running.until(READY)
        printed = [*running.until("Hello", 2), *running.until("Oh dear", 2)]
        running.started.terminate()
        assert running.started.wait(60) == 0
        lines = running.lines()
    assert {(each["process"], each["host"], each["queue"]) for each in lines} == {
        ("worker", gethostname(), "events imports")
    }
    assert main["pid"] == running.started.pid
    assert [each["logger"] for each in printed] == ["stdout"] * 2 + ["stderr"] * 2
    workers = {each["pid"] for each in lines if each["event"] == "worker_started"}
    assert {each["pid"] for each in printed} == workers
    assert len({*workers, main["pid"], fork["pid"]}) == 4
    assert "Sending signal '…' to subprocesses..." in [each["event"] for each in lines]


def test_a_lost_worker_and_a_hangup_are_said_the_same_way(
    stage: Stage, redis_url: str, tmp_path: Path
) -> None:
    with worker(stage, tmp_path, redis_url) as running:
        running.until("worker_started", 2)
        running.until(READY)
        running.started.send_signal(signal.SIGHUP)
        again = running.until("worker_started", 4)
        running.until(READY, 2)
        assert len({each["pid"] for each in running.until("Dramatiq '…' is booting up.", 2)}) == 1
        os.kill(again[-1]["pid"], signal.SIGKILL)
        assert running.started.wait(60) == 1
        (lost,) = [each for each in running.lines() if "exited unexpectedly" in each["event"]]
    assert (lost["level"], lost["queue"], lost["pid"]) == ("critical", "events imports", running.started.pid)


def test_a_log_that_fails_says_so_once_and_printing_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError("no space")

    monkeypatch.setattr(sys, "stderr", Full())
    configure_logging("json", "info", process="worker")
    monkeypatch.setattr(sys, "stderr", Printed("stderr"))
    assert logging.raiseExceptions  # the library says it to standard error, which is this log
    print("Oh dear", file=sys.stderr)
    print("Oh dear", file=sys.stderr)
