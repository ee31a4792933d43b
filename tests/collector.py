"""A collector of traces on loopback: takes OTLP over HTTP as real ones do, and keeps every span."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Kept:
    """A span as it arrived. Ids are hexadecimal; ``parent`` is empty for the first of a trace."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    failed: bool
    said: dict[str, str | int]


@dataclass
class Collector:
    """``raw``: every byte that arrived."""

    url: str
    raw: bytearray = field(default_factory=bytearray)
    spans: list[Kept] = field(default_factory=list)

    def named(self, name: str) -> list[Kept]:
        """Return the spans of this name, in order of arrival."""
        return [each for each in self.spans if each.name == name]

    def take(self, body: bytes) -> None:
        """Decode one request."""
        self.raw += body
        asked = ExportTraceServiceRequest.FromString(body)
        for whole in asked.resource_spans:
            itself = {each.key: each.value.string_value for each in whole.resource.attributes}
            self.spans += [
                Kept(
                    itself["service.name"],
                    each.name,
                    each.trace_id.hex(),
                    each.span_id.hex(),
                    each.parent_span_id.hex(),
                    each.status.code == each.status.STATUS_CODE_ERROR,
                    {word.key: word.value.string_value or word.value.int_value for word in each.attributes},
                )
                for scope in whole.scope_spans
                for each in scope.spans
            ]


@contextmanager
def running_collector() -> Iterator[Collector]:
    """Start one, stop it at the end."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            right = self.path == "/v1/traces" and self.headers["Content-Type"] == "application/x-protobuf"
            if right:
                collector.take(body)
            self.send_response(200 if right else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's naming
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield collector
        server.shutdown()
        thread.join(10)
