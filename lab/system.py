"""The whole product as processes, as the Procfile has them, on servers that a test can hurt."""

import itertools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from lab.stage import Stage, as_environment

ROOT = Path(__file__).parents[1]
# As text, and as our logs write an exception: as data, without anybody's words (``observability.py``).
UNEXPECTED = re.compile(r'Traceback|"exception":')


class Processes:
    """Schedulers and workers with one environment, and their logs in one folder. ``root``: of the release that they are of."""

    def __init__(self, environment: Mapping[str, str], logs: Path, root: Path = ROOT) -> None:
        self._logs = logs
        self._root = root
        self._environment = {
            **os.environ,
            "dramatiq_worker_timeout": "100",  # ms until an idle worker polls again, not 1,000
            **environment,
            "LOG_FORMAT": "json",
        }
        self.running: list[subprocess.Popen[bytes]] = []
        self._numbers = itertools.count()
        self._log_of: dict[int, Path] = {}

    def scheduler(self, **more: str) -> subprocess.Popen[bytes]:
        """Start a scheduler. ``more``: environment of this process only."""
        return self.start("scheduler", [sys.executable, "-m", "scheduler"], more)

    def workers(
        self,
        queues: str = "send reconcile events webhooks inbox imports",
        *,
        processes: int = 1,
        threads: int = 8,
        **more: str,
    ) -> subprocess.Popen[bytes]:
        """Start workers. ``more``: environment of this process only."""
        arguments = ["--queues", *queues.split(), "--processes", str(processes), "--threads", str(threads)]
        return self.start("worker", [*_worker(self._root), *arguments], more)

    def start(
        self, name: str, command: list[str], more: Mapping[str, str] = MappingProxyType({})
    ) -> subprocess.Popen[bytes]:
        """Start a process in its own session."""
        path = self._logs / f"{next(self._numbers):03}-{name}.log"
        with path.open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=self._root,
                env={**self._environment, **more},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.running.append(process)
        self._log_of[process.pid] = path
        return process

    def wait_until_up(self, seconds: float) -> None:
        """Wait until every process reports its start or ends. Fails with their last log lines."""
        until = time.monotonic() + seconds
        while any(each.poll() is None and not self._was_up(each) for each in self.running):
            if time.monotonic() > until:
                raise AssertionError(f"not up within {seconds} s\n{self.last_words()}")
            time.sleep(0.1)

    def _was_up(self, process: subprocess.Popen[bytes]) -> bool:
        return b"_started" in self._log_of[process.pid].read_bytes()

    def terminate(self, process: subprocess.Popen[bytes]) -> None:
        """Send SIGTERM, as a supervisor would. A process that was up must end cleanly."""
        was_up = self._was_up(process)
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
        self.running.remove(process)
        assert code == 0 or (code == -signal.SIGTERM and not was_up), (code, self.last_words())

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Send SIGKILL to the process and its children."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        self.running.remove(process)

    def stop(self) -> None:
        for process in list(self.running):
            with suppress(ProcessLookupError):  # its children may outlive it
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        self.running.clear()

    def last_words(self) -> str:
        lines = []
        for path in sorted(self._logs.glob("*.log")):
            bad = [
                line
                for line in path.read_text(errors="replace").splitlines()
                if "warning" in line or "rror" in line
            ]
            lines += [f"{path.name}: {line[:300]}" for line in bad[-6:]]
        return "\n".join(lines)

    def tracebacks(self) -> list[str]:
        """Return the log lines of unexpected errors."""
        return [
            f"{path.name}: {line}"
            for path in self._logs.glob("*.log")
            for line in path.read_text(errors="replace").splitlines()
            if UNEXPECTED.search(line)
        ]


def _worker(root: Path) -> list[str]:
    """Return how a release starts a worker, by its Procfile, without its queues, processes and threads."""
    line = next(
        each for each in (root / "Procfile").read_text().splitlines() if each.startswith("worker-send:")
    )
    program, *words = line.partition(":")[2].split()
    module = [] if program == "python" else ["-m", program]
    known = words[: words.index("--queues")]
    return [sys.executable, *module, *known, "--worker-shutdown-timeout", "40000"]


class System(Processes):
    """The processes around one stage."""

    def __init__(self, stage: Stage, redis_url: str, logs: Path, **more: str) -> None:
        super().__init__({**as_environment(stage.runtime.settings), "REDIS_URL": redis_url, **more}, logs)
        self.stage = stage

    def wait(self, what: Callable[[], bool], seconds: float) -> None:
        """Wait until ``what()`` is true. Fails with the processes' last log lines."""
        deadline = time.monotonic() + seconds
        while not what():
            if time.monotonic() > deadline or any(process.poll() is not None for process in self.running):
                raise AssertionError(
                    f"not within {seconds} s: {self.stage.world.states()}\n{self.last_words()}"
                )
            time.sleep(0.2)

    def sent(self, count: int) -> Callable[[], bool]:
        """Are exactly this many deliveries recorded as sent (or closed, or in review)?"""
        return lambda: self.stage.world.states().get("sent", 0) >= count


def start_emulator(log: Path) -> tuple[subprocess.Popen[bytes], int, int]:
    """Start the emulator as its own process. Returns (process, HTTP port, SMTP port)."""
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "lab.emulator", "--port", "0", "--smtp-port", "0"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    assert process.stdout is not None
    ready = re.search(r":(\d+) smtp 127\.0\.0\.1:(\d+)", process.stdout.readline().decode())
    assert ready is not None, "the emulator did not start"
    return process, int(ready[1]), int(ready[2])
