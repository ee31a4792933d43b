"""The processes of a local run: start, keep alive, stop."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).resolve().parents[1]
_STOPS_WITHIN = 45.0
_PROVES_ITSELF = 5.0  # seconds; a process that ends sooner is misconfigured, not unlucky
console = Console()


class Processes:
    """The emulator and the Procfile's processes. Restarts one that dies, as a supervisor would."""

    def __init__(self, logs: Path, pids: Path) -> None:
        self._logs = logs
        self._pids = pids
        self._commands: dict[str, tuple[str, dict[str, str]]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}

    def start(self, name: str, command: str, environment: dict[str, str]) -> None:
        """Start a process in its own session, so that Ctrl-C reaches it only through us."""
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
        self._write_pids()

    def _write_pids(self) -> None:
        """Write the process ids for ``onbehalf drill``, which kills processes."""
        draft = self._pids.with_suffix(".new")
        draft.write_text(json.dumps({name: each.pid for name, each in self._running.items()}))
        draft.replace(self._pids)

    def tend(self) -> list[str]:
        """Restart processes that have ended. Returns those that ended right after their start, which no restart fixes."""
        hopeless = []
        for name in self._ended():
            if time.monotonic() - self._started[name] < _PROVES_ITSELF:
                hopeless.append(name)
            else:
                self.start(name, *self._commands[name])
        return hopeless

    def broken(self) -> str | None:
        """Return the name of a process that ended on its own, or None."""
        return next(iter(self._ended()), None)

    def _ended(self) -> list[str]:
        return [name for name, each in self._running.items() if each.poll() is not None]

    def last_words(self, name: str) -> str:
        """Return a failed process's last log lines, with its exit code."""
        tail = (self._logs / f"{name}.log").read_text(errors="replace").strip().splitlines()[-8:]
        return f"{name} ended with exit code {self._running[name].returncode}. Its last words:\n" + "\n".join(
            tail
        )

    def stop(self, *, but: str = "") -> None:
        """Send SIGTERM to all except ``but`` and wait; kill what does not stop in time (leases make that harmless)."""
        stopping = {name: each for name, each in self._running.items() if name != but}
        for each in stopping.values():
            if each.poll() is None:
                each.terminate()
        deadline = time.monotonic() + _STOPS_WITHIN
        for name, each in stopping.items():
            try:
                each.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(each.pid, signal.SIGKILL)
                each.wait()
                console.print(f"{name} did not stop in time and is ended.")
        self._running = {name: each for name, each in self._running.items() if name not in stopping}
        if not self._running:
            self._pids.unlink(missing_ok=True)
