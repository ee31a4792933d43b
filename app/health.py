"""Is this process alive, can it work, and what has it done? Served over HTTP: GET and HEAD, any Host, ``HEALTH_PORT``.

``/health/live``: the process is running and not hung. ``/health/ready``: the database answers and has this release's
schema, and Redis answers. ``/metrics``: what it has counted of its own work, for Prometheus.

Dramatiq's workers are several processes behind one port. Each notes its condition in a file that it keeps locked, and what it has
counted in one beside it. A separate process, which Dramatiq starts beside them, reads these notes and adds up the counts.
"""

import fcntl
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO

import structlog

import counters
from config import Settings

log = structlog.get_logger()

STALE_AFTER = 60.0  # seconds without a note before we call a process hung


@dataclass(frozen=True, slots=True)
class Condition:
    """A process's condition. ``troubles``: what keeps it from working; empty = it is ready. ``remarks``: what does not."""

    live: bool
    troubles: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def serve(
    settings: Settings,
    live: Callable[[], bool],
    troubles: Callable[[], Sequence[str]],
    counted: Callable[[], str] = counters.text,
    remarks: Callable[[], Sequence[str]] = tuple,
) -> ThreadingHTTPServer | None:
    """Serve in a thread if ``HEALTH_PORT`` is set. If the port is taken, only log that: work must not depend on it.

    ``live`` waits for nobody, so that a server that does not answer gets no process started again; ``troubles`` may ask it.
    ``counted``: what ``/metrics`` answers. ``remarks``: what ``/health/ready`` says besides.
    """
    if settings.health_port is None:
        return None

    class Handler(BaseHTTPRequestHandler):
        """Says in the body why."""

        timeout = 5

        def do_GET(self) -> None:
            hangs = [] if live() else ["hangs"]
            if self.path == "/metrics":
                self._answer(200, counted(), counters.CONTENT_TYPE)
            elif self.path not in ("/health", "/health/live", "/health/ready"):
                self._answer(404, "Ask for /health/live, /health/ready or /metrics.\n")
            else:
                alone = self.path == "/health/live"
                found = hangs if alone else [*hangs, *troubles()]
                said = [*(found or ["ok"]), *(() if alone else remarks())]
                self._answer(503 if found else 200, "".join(f"{each}\n" for each in said))

        do_HEAD = do_GET  # noqa: N815 - http.server's naming

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's naming
            """Log nothing: probes are not events."""

        def _answer(self, status: int, text: str, kind: str = "text/plain; charset=utf-8") -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
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


@contextmanager
def served(settings: Settings, troubles: Callable[[], Sequence[str]]) -> Iterator[None]:
    """The same for as long as the block takes, in a process that is alive as long as it answers."""
    server = serve(settings, lambda: True, troubles)
    try:
        yield
    finally:
        if server is not None:
            server.shutdown()
            server.server_close()


class Note:
    """A worker process's condition and counts, in files for the process that serves them. The lock ends with the process."""

    def __init__(self) -> None:
        folder = _folder(os.getppid())
        folder.mkdir(mode=0o700, exist_ok=True)
        self._file: IO[str] = (folder / str(os.getpid())).open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        _counts(Path(self._file.name)).unlink(missing_ok=True)  # an earlier process's with this number

    def write(self, condition: Condition) -> None:
        """Write the current condition."""
        self._file.seek(0)
        self._file.truncate()
        self._file.write(json.dumps({"at": time.time(), **asdict(condition)}))
        self._file.flush()

    def count(self, counted: str) -> None:
        """Write what the process has counted, whole or not at all. Raises ``OSError``."""
        path = _counts(Path(self._file.name))
        new = path.with_suffix(".new")
        new.write_text(counted)
        new.replace(path)

    def close(self) -> None:
        """Delete the note because the process ends."""
        _forget(Path(self._file.name))
        self._file.close()


def serve_workers() -> int:
    """Serve the condition and counts of all of this Dramatiq's worker processes until stopped. This is a Dramatiq fork function."""
    folder = _folder(os.getppid())
    counted = Counted(folder)

    def condition() -> Condition:
        return of_all(folder, time.time())

    served = serve(
        Settings.from_environment(),
        lambda: condition().live,
        lambda: condition().troubles,
        counted.text,
        lambda: condition().remarks,
    )
    if served is not None:
        threading.Event().wait()
    return 0


class Counted:
    """What all worker processes of a folder have counted together.

    Those that have ended stay in it: a sum that shrinks would count everything again, as if the process had been started anew.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._texts: dict[str, str] = {}
        self._lock = threading.Lock()

    def text(self) -> str:
        """Return the sum, as of each process's last note."""
        with self._lock:
            for path in _notes(self._folder):
                with suppress(FileNotFoundError):  # it has just begun, or just ended
                    if _read(path) is not None:  # not what another Dramatiq has left here
                        self._texts[path.name] = _counts(path).read_text()
            return counters.merged(self._texts.values())


def of_all(folder: Path, now: float) -> Condition:
    """Return all worker processes' condition together: live if every one is, in trouble if any is."""
    notes = [note for path in _notes(folder) if (note := _read(path)) is not None]
    live = bool(notes) and all(note["live"] and now - float(str(note["at"])) < STALE_AFTER for note in notes)
    troubles, remarks = (
        tuple({str(each): None for note in notes for each in _list(note.get(name))})
        for name in ("troubles", "remarks")
    )
    return Condition(live, troubles, remarks)


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
        _forget(path)
        return None


def _notes(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if not path.suffix)


def _counts(note: Path) -> Path:
    return note.with_suffix(".counts")


def _forget(note: Path) -> None:
    for path in (note, _counts(note), note.with_suffix(".new")):
        path.unlink(missing_ok=True)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _folder(master: int) -> Path:
    """Return the folder for the notes of one Dramatiq's workers."""
    return Path(tempfile.gettempdir()) / f"onbehalf-health-{os.getuid()}-{master}"
