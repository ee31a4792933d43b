"""The running system for a drill: what ``onbehalf run`` left in its folder, or one started just for the drill."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from honcho import environ

from app.redis_url import connect
from app.runtime import Runtime
from config import Settings
from domain.errors import OperatorMisconfigured
from domain.jobs import QUEUES
from lab.embedded import EmbeddedPostgres, free_port
from lab.emulator.client import EmulatorControl

_STARTS_WITHIN = 120.0


class RunningSystem:
    """One ``onbehalf run`` in demo mode, seen from outside. ``home`` is its folder."""

    def __init__(self, home: Path) -> None:
        values = dict(environ.parse((home / "env").read_text()))
        self.home = home
        self.environment = values
        self.settings = Settings.from_environment(values)
        self.control = EmulatorControl(self.settings.graph_url)
        try:
            self.control.stats()
        except (httpx.HTTPError, ValueError):
            raise OperatorMisconfigured(
                "Drills need the emulator: start the system with `onbehalf run`, without Microsoft settings."
            ) from None
        self.runtime = Runtime.open(self.settings, application="onbehalf-drill", pool_size=4)

    def close(self) -> None:
        """Close all connections."""
        self.runtime.close()
        self.control.close()

    def pid(self, name: str) -> int:
        """Return the process id of one of the Procfile's processes."""
        pids: dict[str, int] = json.loads((self.home / "processes.json").read_text())
        return pids[name]

    def kill(self, name: str) -> None:
        """Send SIGKILL to a process and its children."""
        os.killpg(self.pid(name), signal.SIGKILL)

    def messages(self) -> int:
        """Count messages that Redis holds for us now."""
        with connect(self.settings.redis_url) as client:
            return sum(int(str(client.hlen(f"dramatiq:{queue}.msgs"))) for queue in QUEUES)

    def empty_redis(self) -> None:
        """FLUSHALL, but only this system's own Redis. Raises ``OperatorMisconfigured``."""
        config = self.home / "redis" / "server.conf"
        port = urlsplit(self.settings.redis_url).port
        if not config.exists() or f"port {port}\n" not in config.read_text():
            raise OperatorMisconfigured(
                "This system uses a Redis of yours (REDIS_URL); the drill empties only its own."
            )
        with connect(self.settings.redis_url) as client:
            client.flushall()

    def crash_database(self) -> None:
        """Stop PostgreSQL as in a crash, and start it again."""
        folder = self.home / "postgres"
        port = urlsplit(self.settings.database_url).port
        pid_file = folder / "data" / "postmaster.pid"
        # The fourth line of the file is the server's port.
        if not pid_file.exists() or pid_file.read_text().split("\n")[3:4] != [str(port)]:
            raise OperatorMisconfigured(
                "This system uses a database of yours (DATABASE_URL); the drill restarts only its own."
            )
        EmbeddedPostgres(folder, port=port).restart("immediate")


@contextmanager
def running_system(home: Path) -> Iterator[RunningSystem]:
    """Yield the system that runs in ``home``, or else a new one in a temporary folder."""
    if _runs(home):
        yield from _attached(home)
        return
    with tempfile.TemporaryDirectory(prefix="onbehalf-drill-") as folder:
        own = Path(folder) / ".onbehalf"
        log = (Path(folder) / "run.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "cli", "run", "--no-demo"],
            cwd=folder,
            env={
                **without_servers(os.environ),
                "PYTHONPATH": str(Path(__file__).parents[2]),
                "PORT": str(free_port()),
            },
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        try:
            _wait_until_up(process, Path(folder) / "run.log")
            yield from _attached(own)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(90)


def without_servers(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without any servers and keys, so that a drill's own system cannot harm others."""
    theirs = ("DATABASE_", "REDIS_", "SECRET_", "MICROSOFT_", "ENTRA_", "GRAPH_", "DEFAULT_MAIL_")
    return {name: value for name, value in environment.items() if not name.startswith(theirs)}


def _attached(home: Path) -> Iterator[RunningSystem]:
    system = RunningSystem(home)
    try:
        yield system
    finally:
        system.close()


def _runs(home: Path) -> bool:
    try:
        with (home / "lock").open("r+") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _wait_until_up(process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _STARTS_WITHIN
    while "Running." not in log.read_text():
        if process.poll() is not None or time.monotonic() > until:
            raise OperatorMisconfigured(f"The system for the drill did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.2)
