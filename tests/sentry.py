"""What takes envelopes on loopback as Sentry does, and keeps the events in them."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Sentry:
    """``raw``: all that came, unpacked."""

    def __init__(self, port: int) -> None:
        self.dsn, self.raw = f"http://hush-key@127.0.0.1:{port}/7", b""
        self.events: list[dict[str, Any]] = []

    def take(self, body: bytes) -> None:
        self.raw += body
        _, *rest = body.split(b"\n")
        for head, item in zip(rest[::2], rest[1::2], strict=False):
            assert json.loads(head)["type"] == "event"
            self.events.append(json.loads(item))


@contextmanager
def running_sentry() -> Iterator[Sentry]:
    """Start one, stop it at the end."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/api/7/envelope/"
            sentry.take(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's naming
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        sentry = Sentry(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield sentry
        server.shutdown()
        thread.join(10)
