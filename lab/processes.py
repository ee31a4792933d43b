"""The processes of a local run: started, kept alive, stopped."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).resolve().parents[1]
_STOPS_WITHIN = 45.0
_PROVES_ITSELF = 5.0  # seconds; a process that ends sooner is misconfigured rather than unlucky
console = Console()


class Processes:
    """The Procfile's processes, and who keeps them alive here: one that dies is started again, as a supervisor would."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._commands: dict[str, tuple[str, dict[str, str]]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}

    def start(self, name: str, command: str, environment: dict[str, str]) -> None:
        """Start one in a session of its own, so that Ctrl-C reaches it only through us."""
        with (self._logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {command}"],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._commands[name] = (command, environment)
        self._started[name] = time.monotonic()

    def write_pids(self, path: Path) -> None:
        """For whoever wants to hurt one of them (``onbehalf drill``)."""
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps({name: each.pid for name, each in self._running.items()}))
        draft.replace(path)

    def tend(self, pids: Path) -> list[str]:
        """Start again what has ended. Returns those that ended as soon as they had started, which no restart mends."""
        hopeless = []
        for name in self._ended():
            if time.monotonic() - self._started[name] < _PROVES_ITSELF:
                hopeless.append(name)
            else:
                self.start(name, *self._commands[name])
                self.write_pids(pids)
        return hopeless

    def broken(self) -> str | None:
        """The name of one that ended by itself."""
        return next(iter(self._ended()), None)

    def _ended(self) -> list[str]:
        return [name for name, each in self._running.items() if each.poll() is not None]

    def last_words(self, name: str) -> str:
        """What a broken one said, in plain words."""
        tail = (self._logs / f"{name}.log").read_text(errors="replace").strip().splitlines()[-8:]
        return f"{name} ended with exit code {self._running[name].returncode}. Its last words:\n" + "\n".join(
            tail
        )

    def stop(self) -> None:
        """SIGTERM to all, then wait; what does not stop in time is killed (leases make that harmless)."""
        for each in self._running.values():
            if each.poll() is None:
                each.terminate()
        deadline = time.monotonic() + _STOPS_WITHIN
        for name, each in self._running.items():
            try:
                each.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                console.print(f"{name} did not stop in time and is ended.")
                os.killpg(each.pid, signal.SIGKILL)
                each.wait()
