"""A server that answers as badly as a test wants: cut off, reset, silent, in HTML. For faults below HTTP."""

import json
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedIOBase


@dataclass(frozen=True)
class Request:
    """One request as received. Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Cut:
    """Send ``first``, then end the connection: in order, or with a reset."""

    first: bytes = b""
    reset: bool = False


class Hang:
    """Never answer."""


Reply = bytes | Cut | Hang
Script = Callable[[Request], Reply]


@dataclass
class OddServer:
    """``script`` decides each answer; ``requests`` are all that arrived."""

    url: str
    script: Script
    requests: list[Request] = field(default_factory=list)


def http(status: int, body: bytes | dict[str, object] | list[object] = b"", **headers: str) -> bytes:
    """A whole response. Underscores in header names stand for hyphens."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = "text/html" if isinstance(body, bytes) else "application/json"
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(raw)}", f"Content-Type: {kind}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


def graph_error(status: int, code: str, message: str = "", **headers: str) -> bytes:
    """An error as Graph formats it."""
    return http(
        status, {"error": {"code": code, "message": message, "innerError": {"request-id": "r"}}}, **headers
    )


@contextmanager
def odd_server(script: Script) -> Iterator[OddServer]:
    """Serve ``script`` on a free port of this machine."""
    state = OddServer("", script)
    lock = threading.Lock()
    done = threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while (request := _read(self.rfile)) is not None:
                with lock:
                    state.requests.append(request)
                reply = state.script(request)
                if isinstance(reply, Hang):
                    done.wait(60)
                    return
                if isinstance(reply, Cut):
                    self.wfile.write(reply.first)
                    if reply.reset:
                        linger = struct.pack("ii", 1, 0)
                        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                        self.connection.close()
                    return
                self.wfile.write(reply)

        def finish(self) -> None:
            if self.connection.fileno() >= 0:
                super().finish()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True
        request_queue_size = 256

        def handle_error(self, request: object, client_address: object) -> None:
            """Clients may go away."""

    server = Server(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        done.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _read(stream: BufferedIOBase) -> Request | None:
    readline, read = stream.readline, stream.read
    try:
        first = readline().decode("latin-1").split(" ")
        if len(first) < 3:
            return None
        headers: dict[str, str] = {}
        while (line := readline().decode("latin-1").strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", "0"))
        return Request(first[0], first[1], headers, read(length))
    except OSError:
        return None
