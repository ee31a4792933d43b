"""The inbox process's server on loopback, in a thread of its own, and raw SMTP to speak with it."""

import asyncio
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from db.core.crypto import Seal
from db.core.session import Database
from inbox.__main__ import Server
from inbox.settings import InboxSettings
from lab.embedded import free_port
from lab.factories import World

NAME = "inbox.onbehalf.example"


@dataclass(frozen=True)
class Inbox:
    """A running one."""

    port: int
    server: Server
    loop: asyncio.AbstractEventLoop
    opened: list[Callable[[], None]] = field(default_factory=list)

    def client(self, *, tls: bool = False) -> smtplib.SMTP:
        """A client that has said EHLO."""
        opened = smtplib.SMTP("127.0.0.1", self.port, local_hostname="mx.example.org", timeout=20)
        self.opened.append(opened.close)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            opened.starttls(context=context)
        opened.ehlo()
        return opened

    def raw(self) -> "Wire":
        """A connection to write bytes on."""
        wire = Wire(socket.create_connection(("127.0.0.1", self.port), timeout=20))
        self.opened.append(wire.close)
        return wire


class Wire:
    """Bytes out, lines in."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._file = connection.makefile("rb")

    def say(self, *lines: bytes) -> None:
        """Send lines, each with CR LF, in one write."""
        self.connection.sendall(b"".join(line + b"\r\n" for line in lines))

    def hear(self) -> bytes:
        """One reply, its last line."""
        while True:
            line = self._file.readline()
            if line[3:4] != b"-":
                return line.rstrip(b"\r\n")

    def ask(self, line: bytes) -> bytes:
        """Say a line and hear the reply."""
        self.say(line)
        return self.hear()

    def close(self, *, reset: bool = False) -> None:
        """Close; with ``reset`` as a host that has died."""
        if reset and self.connection.fileno() >= 0:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self._file.close()
        self.connection.close()


@contextmanager
def running_inbox(
    database: Database, world: World, *, certificate: Path | None = None, max_size: int = 1024 * 1024
) -> Iterator[Inbox]:
    """Start one, stop it at the end. ``certificate``: key and certificate, PEM."""
    settings = InboxSettings("127.0.0.1", free_port(), NAME, max_size=max_size)
    if certificate is not None:
        settings = replace(settings, certificate=str(certificate))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def started() -> Server:
        opened = Server(settings, database, Seal(world.keys.public_key))
        await opened.start()
        return opened

    server = asyncio.run_coroutine_threadsafe(started(), loop).result(20)
    try:
        inbox = Inbox(settings.port, server, loop)
        yield inbox
        for each in inbox.opened:
            each()
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()
