"""What watches a process from outside, each by a setting and off by default.

``OTEL_EXPORTER_OTLP_ENDPOINT``: traces, to a collector by OTLP over HTTP. The standard's own variables say the rest: sampler, headers,
compression, certificate, timeouts, names of the service; OpenTelemetry reads those itself. ``SENTRY_DSN``: unexpected errors, to
Sentry; ``SENTRY_ENVIRONMENT`` and ``SENTRY_RELEASE`` name what it calls so.
"""

import os
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from domain.errors import OperatorMisconfigured

# OTEL_EXPORTER_OTLP_… is about all that OpenTelemetry exports; what is said of traces alone counts more.
_PREFIXES = ("OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_")
_PROTOCOL = "http/protobuf"
_LOOPBACK = frozenset(["localhost", "127.0.0.1"])


def start(process: str, environment: Mapping[str, str] = os.environ) -> Callable[[], None]:
    """Turn on what is asked for. Returns what ends it, for the process's last moment. Raises ``OperatorMisconfigured``."""
    ends = (_traces(process, environment), _error_reports(process, environment))

    def end() -> None:
        for each in ends:
            each()

    return end


def _traces(process: str, environment: Mapping[str, str]) -> Callable[[], None]:
    setting = traces_setting(environment)
    if not setting:
        return _nothing
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra has it
            OTLPSpanExporter,
        )

        from app.spans import record  # noqa: PLC0415 - takes memory
    except ImportError:
        raise _not_installed(setting) from None
    return record(OTLPSpanExporter(), process)


def _error_reports(process: str, environment: Mapping[str, str]) -> Callable[[], None]:
    dsn = environment.get("SENTRY_DSN", "").strip()
    if not dsn:
        return _nothing
    if not _is_dsn(dsn):
        raise OperatorMisconfigured(
            "SENTRY_DSN is not the address of a Sentry project, like https://KEY@HOST/NUMBER. Copy it from the project's"
            " settings (Client Keys)."
        )
    try:
        from app.error_reports import record  # noqa: PLC0415 - an extra has its packages
    except ImportError:
        raise _not_installed("SENTRY_DSN") from None
    return record(dsn, process)


def _nothing() -> None:
    """End nothing."""


def _not_installed(setting: str) -> OperatorMisconfigured:
    return OperatorMisconfigured(
        f"{setting} is set, and the packages for it are not installed. Install them with"
        " pip install 'onbehalf[observability]', or leave it out."
    )


def traces_setting(environment: Mapping[str, str]) -> str:
    """Return the name of the variable that turns traces on, or nothing. Raises ``OperatorMisconfigured``."""

    def given(name: str) -> str:
        return environment.get(name, "").strip()

    exporter, setting, protocol = (
        "OTEL_TRACES_EXPORTER",
        _of_traces(given, "ENDPOINT"),
        _of_traces(given, "PROTOCOL"),
    )
    if not setting or given("OTEL_SDK_DISABLED").lower() == "true" or given(exporter) == "none":
        return ""
    if given(exporter) not in ("", "otlp"):
        raise OperatorMisconfigured(
            f"{exporter} is {given(exporter)[:80]!r}. Use otlp, or none for no traces."
        )
    if protocol and given(protocol) != _PROTOCOL:
        raise OperatorMisconfigured(
            f"{protocol} is {given(protocol)[:80]!r}. Use {_PROTOCOL}, which collectors take on port 4318."
        )
    if not _is_url(given(setting)):
        raise OperatorMisconfigured(
            f"{setting} must be an http or https URL without a name or password in it, for example http://localhost:4318."
            " What proves who sends belongs into OTEL_EXPORTER_OTLP_HEADERS."
        )
    return setting


def _of_traces(given: Callable[[str], str], name: str) -> str:
    return next((each for prefix in _PREFIXES if given(each := f"{prefix}{name}")), "")


def _is_dsn(text: str) -> bool:
    """Without TLS only on this machine."""
    try:
        parts = urlsplit(text)
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        whole = safe and parts.hostname and parts.port != 0 and parts.username
        return bool(whole) and parts.path.rpartition("/")[2].isdigit()
    except ValueError:  # of the port
        return False


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return (
            bool(parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0)
            and "@" not in parts.netloc
        )
    except ValueError:  # of the port
        return False
