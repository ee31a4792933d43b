"""Logging for every process: structlog with an allow-list. ``counters.py`` counts what a process does, ``scheduler/metrics.py`` reads metrics from Postgres.

We log only what we know to be harmless: unknown keys are dropped and counted, and values that look like an address or a token
are replaced, wherever they come from. Of an exception we log its type and where it was raised, never its text, which may
quote a row, a request or a secret.
"""

import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import suppress
from pathlib import Path
from socket import gethostname
from traceback import walk_tb
from types import TracebackType
from typing import Any, TextIO, cast

import structlog

import tracing

ALLOWED = frozenset(
    [
        "event",
        "level",
        "timestamp",
        "trace_id",
        "logger",
        "actor",
        "answer",
        "attempts",
        "cause",
        "closed",
        "channel",
        "code",
        "count",
        "delivery_id",
        "dispatch_no",
        "in_doubt",
        "enrollment_id",
        "entries",
        "errand_id",
        "error",
        "escalated",
        "event_id",
        "exc_info",
        "exception",
        "grant_id",
        "hold_id",
        "host",
        "job",
        "kind",
        "known_by",
        "mailbox_id",
        "member_id",
        "method",
        "milliseconds",
        "month",
        "months",
        "organization_id",
        "outcome",
        "peer",
        "people_import_id",
        "pid",
        "policy",
        "port",
        "process",
        "queue",
        "reason",
        "removed",
        "request_id",
        "route",
        "seconds",
        "sequence_id",
        "step_id",
        "source",  # the address of a request; for IPv6, its /64
        "state",
        "status",
        "stopped",
        "tenant_id",
        "unsendable",
        "unsent",
        "verdict",
        "warned",
        "webhook_id",
    ]
)
_SECRETS = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # an address
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]*"  # a JWT
    r"|\b0\.A[\w-]{20,}"  # a refresh token
    r"|(?i:bearer\s+\S+)"
    r"|://[^/\s:@]+:[^/\s@]+@"  # a password in a URL
)

_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")
_PROBLEMS = frozenset(["warning", "error", "critical"])
_REPORTED = frozenset(["error", "critical"])
_FRAMES = 40  # frames per traceback; a recursion has a thousand


def configure_logging(
    log_format: str,
    level: str,
    *,
    process: str = "",
    queue: str = "",
    counted: Callable[[str, str], None] = lambda _level, _event: None,
) -> None:
    """Set up logging. ``log_format``: json, pretty, or auto (pretty on a terminal). Includes libraries' logs from ``warning`` up.

    ``process``: its kind, which each line of JSON names beside host and process id, and ``queue``, if it has any. ``counted``: called with level and event of
    each line from ``warning`` up; a library's event is ``library``.

    Loggers with their own handlers (uvicorn, Dramatiq) lose them, so that there is only one output.
    """
    pretty = log_format == "pretty" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        of_its_trace,
    ]

    where = {} if pretty or not process else {"process": process, "host": gethostname()}
    of_all = {"queue": queue} if where and queue else {}

    def place(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        # A job knows which queue it came by, and a fork has a number of its own.
        return {**of_all, **event, **where, "pid": os.getpid()} if where else event

    def count(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if event["level"] in _PROBLEMS:
            counted(event["level"], "library" if "logger" in event else event["event"])
        return event

    last: list[Any] = [count, place, where_it_was_raised, only_harmless]
    renderer: Any = structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, *last, renderer],
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Lines(sys.stderr))),
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name, a_librarys_words],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for each in list(root.manager.loggerDict.values()):
        if isinstance(each, logging.Logger) and each.handlers:
            each.handlers.clear()
            each.propagate = True


def log_whatever_ends_a_process() -> None:
    """For entry points: log uncaught exceptions the same way, instead of Python's raw output to standard error."""
    log = structlog.get_logger()

    def of_process(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        log.critical("process_failed", error=kind.__name__, exc_info=(kind, error, trace))

    def of_thread(failed: threading.ExceptHookArgs) -> None:
        if failed.exc_value is not None and not issubclass(failed.exc_type, SystemExit):
            log.critical(
                "thread_failed",
                error=failed.exc_type.__name__,
                exc_info=(failed.exc_type, failed.exc_value, failed.exc_traceback),
            )

    def of_nobody(failed: "sys.UnraisableHookArgs") -> None:
        if failed.exc_value is not None:
            log.error(
                "error_unraisable",
                error=failed.exc_type.__name__,
                exc_info=(failed.exc_type, failed.exc_value, failed.exc_traceback),
            )

    sys.excepthook, threading.excepthook, sys.unraisablehook = of_process, of_thread, of_nobody
    logging.captureWarnings(True)


class _Lines:
    """A stream for log lines that ignores write errors: a closed pipe must not interrupt work such as recording an email."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(line)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


Report = Callable[[BaseException, MutableMapping[str, Any]], None]
_report: Report | None = None


def report_by(report: Report | None) -> None:
    """Give this the exception of each line from ``error`` up, and the line before it is made harmless. None: no longer."""
    global _report  # noqa: PLW0603 - one for the process, as its log is
    _report = report


def of_its_trace(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: name the trace in which it happened, if traces are on."""
    if trace_id := tracing.trace_id():
        event["trace_id"] = trace_id
    return event


def where_it_was_raised(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """structlog processor: reduce an exception, and its causes, to type and frames."""
    given = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = "\n".join(_described(error, set()))
        if _report is not None and event.get("level") in _REPORTED:
            _report(error, event)
    return event


def _described(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    yield type(error).__qualname__
    frames = [
        f"  {_place(frame.f_code.co_filename)}:{line} {frame.f_code.co_qualname}"
        for frame, line in walk_tb(error.__traceback__)
    ]
    if len(frames) > _FRAMES:
        frames[_FRAMES // 2 : -_FRAMES // 2] = [f"  … {len(frames) - _FRAMES} more"]
    yield from frames
    for each in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        if id(each) not in seen:
            yield "one of"
            yield from _described(each, seen)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and id(cause) not in seen and len(seen) < _FRAMES:
        yield "because of"
        yield from _described(cause, seen)


def _place(path: str) -> str:
    for start in ("/site-packages/", f"{Path(__file__).parent}/"):
        if start in path:
            return path.rpartition(start)[2]
    return Path(path).name


def a_librarys_words(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """structlog processor: keep the first line of a library's message, without quoted text."""
    lines = str(event.get("event", "")).splitlines() or [""]
    said = _QUOTED.sub("'…'", lines[0])
    # asyncio names callbacks with their arguments, and tasks with their exceptions.
    event["event"] = (re.split(r"[(<]", said)[0].strip() if event.get("logger") == "asyncio" else said)[:500]
    return event


def only_harmless(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: keep known keys, and replace what looks like an address or a token."""
    dropped = [key for key in event if key not in ALLOWED]
    kept: MutableMapping[str, Any] = {key: _clean(value) for key, value in event.items() if key in ALLOWED}
    if dropped:
        kept["redacted_keys"] = len(dropped)
    return kept


def _clean(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _SECRETS.sub("[redacted]", str(value))
