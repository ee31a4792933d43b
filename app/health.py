"""Is this process alive, and can it work? Served over HTTP for orchestrators: GET and HEAD, any Host, ``HEALTH_PORT``.

``/health/live``: the process is running and not hung. ``/health/ready``: the database answers and has this release's
schema, and Redis answers.

Dramatiq's workers are several processes behind one port. Each notes its condition in a file that it keeps locked, and a
separate process, which Dramatiq starts beside them, reads these notes.
"""

import fcntl
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO

import structlog

from config import Settings

log = structlog.get_logger()

STALE_AFTER = 60.0  # seconds without a note before we call a process hung


@dataclass(frozen=True, slots=True)
class Condition:
    """A process's condition. ``troubles``: what keeps it from working; empty = it is ready."""

    live: bool
    troubles: tuple[str, ...] = ()


def serve(
    settings: Settings, live: Callable[[], bool], troubles: Callable[[], Sequence[str]]
) -> ThreadingHTTPServer | None:
    """Serve in a thread if ``HEALTH_PORT`` is set. If the port is taken, only log that: work must not depend on it.

    ``live`` waits for nobody, so that a server that does not answer gets no process started again; ``troubles`` may ask it.
    """
    if settings.health_port is None:
        return None

    class Handler(BaseHTTPRequestHandler):
        """Says in the body why."""

        timeout = 5

        def do_GET(self) -> None:
            hangs = [] if live() else ["hangs"]
            if self.path not in ("/health", "/health/live", "/health/ready"):
                self._answer(404, "Ask for /health/live or /health/ready.\n")
            else:
                found = hangs if self.path == "/health/live" else [*hangs, *troubles()]
                self._answer(503 if found else 200, "".join(f"{each}\n" for each in found or ["ok"]))

        do_HEAD = do_GET  # noqa: N815 - http.server's naming

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's naming
            """Log nothing: probes are not events."""

        def _answer(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

    try:
        server = ThreadingHTTPServer((settings.health_host, settings.health_port), Handler)
    except OSError as error:
        log.warning("health_not_served", port=settings.health_port, error=type(error).__name__)
        return None
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server


class Note:
    """A worker process's condition, in a file for the process that serves it. The lock ends with the process."""

    def __init__(self) -> None:
        folder = _folder(os.getppid())
        folder.mkdir(mode=0o700, exist_ok=True)
        self._file: IO[str] = (folder / str(os.getpid())).open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def write(self, condition: Condition) -> None:
        """Write the current condition."""
        self._file.seek(0)
        self._file.truncate()
        self._file.write(json.dumps({"at": time.time(), **asdict(condition)}))
        self._file.flush()

    def close(self) -> None:
        """Delete the note because the process ends."""
        Path(self._file.name).unlink(missing_ok=True)
        self._file.close()


def serve_workers() -> int:
    """Serve the condition of all of this Dramatiq's worker processes until stopped. This is a Dramatiq fork function."""
    folder = _folder(os.getppid())

    def condition() -> Condition:
        return of_all(folder, time.time())

    if serve(Settings.from_environment(), lambda: condition().live, lambda: condition().troubles) is not None:
        threading.Event().wait()
    return 0


def of_all(folder: Path, now: float) -> Condition:
    """Return all worker processes' condition together: live if every one is, in trouble if any is."""
    notes = [note for path in sorted(folder.glob("*")) if (note := _read(path)) is not None]
    live = bool(notes) and all(note["live"] and now - float(str(note["at"])) < STALE_AFTER for note in notes)
    troubles = {str(trouble): None for note in notes for trouble in _list(note["troubles"])}
    return Condition(live, tuple(troubles))


def _read(path: Path) -> dict[str, object] | None:
    """Read a note whose writer is alive; delete it if the writer has died."""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = file.read()
            return (
                dict(json.loads(text))
                if text
                else {"at": path.stat().st_mtime, "live": True, "troubles": ["starting"]}
            )
        path.unlink(missing_ok=True)
        return None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _folder(master: int) -> Path:
    """Return the folder for the notes of one Dramatiq's workers."""
    return Path(tempfile.gettempdir()) / f"onbehalf-health-{os.getuid()}-{master}"
