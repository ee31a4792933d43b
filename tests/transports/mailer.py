"""A mail server that answers each command as scripted, over plain sockets or TLS."""

import queue
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.transports.certificates import self_signed


@dataclass
class Mailer:
    """A mail server with a reply for each command. ``None`` hangs up instead; ``dot`` is the last reply.

    ``letters`` ended with a dot; those whose client hung up before it are in ``unfinished``.
    """

    port: int = 0
    replies: dict[str, str | None] = field(default_factory=dict)
    extensions: tuple[str, ...] = ("AUTH PLAIN LOGIN",)
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    commands: list[str] = field(default_factory=list)
    letters: list[bytes] = field(default_factory=list)
    unfinished: queue.Queue[bytes] = field(default_factory=queue.Queue)


@contextmanager
def serving(mailer: Mailer) -> Iterator[Mailer]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            if mailer.implicit and mailer.tls is not None:
                self._wrap()
            if not self._say("banner", "220 hello"):
                return
            while line := self.rfile.readline().decode():
                verb = line.split(" ")[0].split("\r")[0].upper()
                mailer.commands.append(line.strip())
                if verb == "EHLO":
                    lines = ["mail.example", *mailer.extensions]
                    default = "\r\n".join(
                        f"250{'-' if n < len(lines) - 1 else ' '}{x}" for n, x in enumerate(lines)
                    )
                elif verb == "AUTH":
                    default = "235 welcome"
                elif verb == "DATA":
                    default = "354 go on"
                else:
                    default = "220 ready" if verb == "STARTTLS" else "250 ok"
                if not self._say(verb, default):
                    return
                if verb == "STARTTLS" and "STARTTLS" not in mailer.replies:
                    self._wrap()
                if verb == "DATA" and "DATA" not in mailer.replies and not self._letter():
                    return

        def _letter(self) -> bool:
            letter = b""
            while (line := self.rfile.readline()) != b".\r\n":
                if not line:
                    mailer.unfinished.put(letter)
                    return False
                letter += line.removeprefix(b".")
            mailer.letters.append(letter)
            return self._say("dot", "250 queued")

        def _say(self, verb: str, default: str) -> bool:
            reply = mailer.replies.get(verb, default)
            if reply is not None:
                self.wfile.write(reply.encode() + b"\r\n")
            return reply is not None

        def _wrap(self) -> None:
            assert mailer.tls is not None
            self.request = mailer.tls.wrap_socket(self.request, server_side=True)
            self.setup()

        def finish(self) -> None:
            super().finish()
            self.request.close()  # the server closes only the socket it knows, not the one wrapped around it

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that refuses our certificate hangs up, and that is what is tested."""

    server = Server(("127.0.0.1", 0), Handler)
    mailer.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield mailer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def make_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that clients trust only if configured to."""
    key = ec.generate_private_key(ec.SECP256R1())
    path = folder / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + self_signed(key)
    )
    return path


def encrypted(certificate: Path, *, implicit: bool) -> Mailer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return Mailer(tls=context, implicit=implicit, extensions=("STARTTLS", "AUTH PLAIN"))
