"""Unexpected errors for Sentry, for a process with ``SENTRY_DSN``. Only ``app/telemetry.py`` imports it.

Every error that nobody expected is a line of the log from ``error`` up with its exception, whatever process or thread it ended in
(``observability.py``); it is reported from there. So the SDK's integrations stay off: they would send addresses with tokens in them,
messages of the queue and variables of our functions. An event is built anew of what the log would say too: types, frames and ids.
"""

import atexit
import os
from collections.abc import Callable, Mapping, MutableMapping
from socket import gethostname
from typing import Any

import sentry_sdk
from sentry_sdk.types import Event, Hint

import observability
from app.release import release
from domain.errors import OnbehalfError

_ENDS_WITHIN = 2.0  # seconds for the last events
_WHOLE = (
    "event_id",
    "timestamp",
    "level",
    "platform",
    "release",
    "environment",
    "server_name",
    "sdk",
    "tags",
)
_FRAME = ("filename", "function", "module", "lineno", "in_app", "pre_context", "context_line", "post_context")
_MECHANISM = ("type", "handled", "source", "exception_id", "parent_id", "is_exception_group")
# Keys of a line of the log that say where it happened. Not ``source``: where a visitor comes from.
_TAGS = (
    "actor", "delivery_id", "event", "job", "mailbox_id", "organization_id", "process", "queue", "request_id", "route", "trace_id",
)  # fmt: skip


def record(dsn: str, process: str) -> Callable[[], None]:
    """Report to this DSN from now on; returns what ends that."""
    # Without send_default_pii, which is off and whose name is deprecated.
    client = sentry_sdk.Client(
        dsn,
        release=os.environ.get("SENTRY_RELEASE") or f"onbehalf@{release()}",
        server_name=gethostname(),
        before_send=harmless,
        include_local_variables=False,
        default_integrations=False,
        auto_enabling_integrations=False,
        max_breadcrumbs=0,
        max_request_body_size="never",
        auto_session_tracking=False,
        send_client_reports=False,
        enable_metrics=False,
        spotlight=False,
        shutdown_timeout=_ENDS_WITHIN,
    )

    def report(error: BaseException, line: Mapping[str, Any]) -> None:
        if isinstance(error, OnbehalfError):  # expected: it says itself what to do
            return
        with sentry_sdk.new_scope() as scope:
            scope.set_client(client)
            said: MutableMapping[str, Any] = {**line, "process": process}
            for key, value in observability.only_harmless(None, "", said).items():
                if key in _TAGS:
                    scope.set_tag(key, str(value))
            scope.capture_exception(error, level="fatal" if line["level"] == "critical" else "error")

    def end() -> None:
        observability.report_by(None)
        client.close(_ENDS_WITHIN)

    observability.report_by(report)
    atexit.register(end)  # for an error that ends the process
    return end


def harmless(event: Event, _hint: Hint) -> Event:
    """Return an event of what is known to be harmless: no message of an exception, no variable, no request."""
    kept: dict[str, Any] = _only(event, _WHOLE)
    kept["exception"] = {
        "values": [
            {
                **_only(each, ("type", "module")),
                "mechanism": _only(each.get("mechanism") or {}, _MECHANISM),
                "stacktrace": {
                    "frames": [
                        _only(frame, _FRAME) for frame in (each.get("stacktrace") or {}).get("frames", [])
                    ]
                },
            }
            for each in event.get("exception", {}).get("values", [])
        ]
    }
    return kept  # type: ignore[return-value]  # Sentry's class of it has the same keys


def _only(whole: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: whole[key] for key in keys if key in whole}
