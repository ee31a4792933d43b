"""Logs of every process: structlog with an allow-list. Metrics are read from Postgres: ``scheduler/metrics.py``.

Nothing is logged that is not known to be harmless: unknown keys are dropped and counted, and a value that looks like
an address or a token is replaced, wherever it comes from.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

_ALLOWED = frozenset(
    [
        "event",
        "level",
        "timestamp",
        "logger",
        "actor",
        "action",
        "attempt",
        "attempts",
        "candidate_id",
        "cause",
        "channel",
        "code",
        "count",
        "dispatch_no",
        "delivery_id",
        "draft_id",
        "enrollment_id",
        "error",
        "event_id",
        "exc_info",
        "exception",
        "going",
        "grant_id",
        "hash",
        "job",
        "kind",
        "known_by",
        "lag",
        "library",
        "mailbox_id",
        "member_id",
        "milliseconds",
        "organization_id",
        "outbox_id",
        "outcome",
        "position",
        "process",
        "queue",
        "reason",
        "removed",
        "round",
        "seconds",
        "sequence_id",
        "skipped",
        "state",
        "status",
        "step_id",
        "stopped",
        "subject",
        "unknown",
        "unsent",
        "doubtful",
        "verdict",
        "version",
    ]
)
_SECRETS = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # an address
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]*"  # a JWT
    r"|\b0\.A[\w-]{20,}"  # a refresh token
    r"|(?i:bearer\s+\S+)"
    r"|://[^/\s:@]+:[^/\s@]+@"  # a password in a URL
)


def configure_logging(log_format: str, level: str) -> None:
    """``log_format``: json, pretty, or auto (pretty on a terminal). Libraries' own logs join from ``warning`` up."""
    pretty = log_format == "pretty" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any] = [structlog.processors.format_exc_info, only_harmless]
    renderer: Any = structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, *last, renderer],
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Lines(sys.stderr))),
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


class _Lines:
    """A stream for log lines. Nobody reading them is no reason to break off what they tell of, such as recording an email."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(line)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def only_harmless(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: keep known keys, replace what looks like an address or a token."""
    dropped = [key for key in event if key not in _ALLOWED]
    kept: MutableMapping[str, Any] = {key: _clean(value) for key, value in event.items() if key in _ALLOWED}
    if dropped:
        kept["redacted_keys"] = len(dropped)
    return kept


def _clean(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _SECRETS.sub("[redacted]", str(value))
