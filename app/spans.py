"""Records what ``tracing.py`` gets as OpenTelemetry's spans, and gives them to an exporter. Only ``app/telemetry.py`` imports it.

The tracer provider is ours alone and not OpenTelemetry's global one. So libraries that bring instrumentation (kiota, azure-core)
record nothing, and nobody but ``tracing.py`` decides what leaves this process (docs/decisions/0026).
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from socket import gethostname

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import tracing
from app.release import release

_ENDS_WITHIN = 5.0  # seconds for the last spans: an ending process waits for no collector
_NAMES = {
    "code": "onbehalf.code",
    "method": "http.request.method",
    "outcome": "onbehalf.outcome",
    "provider": "onbehalf.provider",
    "queue": "messaging.destination.name",
    "route": "http.route",
    "status": "http.response.status_code",
}
# Ids that lines of the log name at the same time.
_IDS = ("delivery_id", "enrollment_id", "mailbox_id", "organization_id", "request_id", "sequence_id")
_KINDS: dict[str, trace.SpanKind] = {kind.name.lower(): kind for kind in trace.SpanKind}
_CARRYING = TraceContextTextMapPropagator()  # of the context alone, and no baggage


def record(exporter: SpanExporter, process: str) -> Callable[[], None]:
    """Give the exporter what this process does from now on; returns what ends that."""
    itself: dict[str, str | int] = {
        "service.name": f"onbehalf-{process}",
        "service.version": release(),
        "host.name": gethostname(),
        "process.pid": os.getpid(),
    }
    # What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say counts more.
    resource = Resource.create({**itself, **OTELResourceDetector().detect().attributes})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracing.record_by(_Recorder(provider.get_tracer("onbehalf", release())))

    def end() -> None:
        tracing.record_by(None)
        last = threading.Thread(target=provider.shutdown, name="last-spans", daemon=True)
        last.start()
        last.join(_ENDS_WITHIN)

    return end


class _Span(tracing.Span):
    def __init__(self, span: trace.Span, carried: Mapping[str, str]) -> None:
        self.whole, self.carried = span, carried

    def note(self, attributes: tracing.Attributes, *, name: str = "") -> None:
        if name:
            self.whole.update_name(name)
        self.whole.set_attributes(_named(attributes))


class _Recorder:
    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def root(self, name: str, kind: tracing.Kind, carried: Mapping[str, object]) -> Iterator[tracing.Span]:
        words = {key: value for key, value in carried.items() if isinstance(value, str)}
        # In an empty context: it is no part of what this thread did before.
        with self._begin(name, kind, _CARRYING.extract(words, Context())) as span:
            try:
                yield span
            finally:
                bound = structlog.contextvars.get_contextvars()
                span.whole.set_attributes(
                    {f"onbehalf.{key}": str(bound[key]) for key in _IDS if key in bound}
                )

    def child(self, name: str, kind: tracing.Kind) -> AbstractContextManager[tracing.Span]:
        return self._begin(name, kind) if _current().is_valid else tracing.NOWHERE

    def past(self, name: str, seconds: float, attributes: tracing.Attributes, *, failed: bool) -> None:
        if not _current().is_valid:
            return
        now = time.time_ns()
        span = self._tracer.start_span(
            name,
            kind=trace.SpanKind.CLIENT,
            attributes=_named(attributes),
            start_time=now - int(seconds * 1e9),
        )
        if failed:
            span.set_status(trace.StatusCode.ERROR)
        span.end(now)

    def trace_id(self) -> str:
        context = _current()
        return trace.format_trace_id(context.trace_id) if context.is_valid else ""

    @contextmanager
    def _begin(self, name: str, kind: tracing.Kind, context: Context | None = None) -> Iterator[_Span]:
        # An exception's message may quote a row or a request, so OpenTelemetry does not get to see it.
        with self._tracer.start_as_current_span(
            name, context, _KINDS[kind], record_exception=False, set_status_on_exception=False
        ) as span:
            carried: dict[str, str] = {}
            _CARRYING.inject(carried)
            try:
                yield _Span(span, carried)
            except BaseException as error:
                span.set_status(trace.StatusCode.ERROR)
                span.set_attribute("error.type", type(error).__qualname__)
                raise


def _current() -> trace.SpanContext:
    return trace.get_current_span().get_span_context()


def _named(attributes: tracing.Attributes) -> dict[str, str | int]:
    said: dict[str, str | int] = {}
    for key, value in attributes.items():
        assert isinstance(value, str | int)
        said[_NAMES[key]] = value
    return said
