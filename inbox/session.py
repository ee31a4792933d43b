"""One SMTP connection: aiosmtpd's protocol, with what a server that faces the internet needs besides.

aiosmtpd 1.4.6 keeps every line of DATA as an object of its own (25 MB of empty lines take a gigabyte), refuses lines of
1,001 bytes, answers without enhanced status codes, shares the limits of command lines between connections, and offers AUTH
once there is TLS. Only CR LF . CR LF ends a message, there and here.
"""

import asyncio
import ssl
import time
from typing import Any

from aiosmtpd.smtp import SMTP

import counters

MAX_RECIPIENTS = 100  # RFC 5321, section 4.5.3.1.8, asks for no fewer
MAX_COMMAND_SECONDS = 300  # RFC 5321, section 4.5.3.2.7
MAX_DATA_SECONDS = 600
MAX_SECONDS = 1800  # of a connection
_MAX_LINE = 64 * 1024  # bytes kept in one piece; longer lines are read in several
_MAX_COMMAND = 1024  # bytes; an address takes 254, and parameters the rest
LINGERS = 5.0  # seconds that a peer has to read the last reply
_MAX_CALLS = {"*": 20, "MAIL": 100, "RCPT": 1000, "DATA": 100, "RSET": 100, "NOOP": 100}
TOO_LARGE = "552 5.3.4 The message is larger than this server takes"
_BUSY = "452 4.3.1 Too much mail at once; try again"


class Memory:
    """The bytes that all connections together may hold."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, size: int) -> bool:
        """Take it, or return False if that is too much."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def give_back(self, size: int) -> None:
        """Let others have it."""
        self._left += size


class SmtpSession(SMTP):
    """``hosts``: the open connections of all peers, to which this one adds itself (``Hosts``)."""

    line_length_limit = _MAX_LINE
    # As they are while a client is connected; aiosmtpd types them for before and after.
    transport: Any
    envelope: Any

    def __init__(
        self,
        handler: Any,
        *,
        name: str,
        tls: ssl.SSLContext | None,
        max_size: int,
        memory: Memory,
        hosts: "Hosts",
    ) -> None:
        super().__init__(
            handler,
            data_size_limit=None,  # ours: below, and in the handler's MAIL
            enable_SMTPUTF8=True,
            hostname=name,
            ident="ESMTP",
            tls_context=tls,
            timeout=MAX_COMMAND_SECONDS,
            command_call_limit=_MAX_CALLS,
            loop=asyncio.get_running_loop(),
        )
        self.command_size_limit = _MAX_COMMAND
        self.command_size_limits = _Same(_MAX_COMMAND)
        self._max_size, self._memory, self._hosts = max_size, memory, hosts
        self._ends_at = time.monotonic() + MAX_SECONDS
        self.idle = asyncio.Event()  # not between a message's end and its answer
        self.idle.set()
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it, unless it is the same connection under TLS."""
        if self.transport is None:
            self._refused = self._hosts.add(self, str(transport.get_extra_info("peername")[0]))
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget it."""
        self._hosts.remove(self)
        self.closed.set()
        super().connection_lost(error)

    async def _handle_client(self) -> None:
        if self._refused is None:
            await super()._handle_client()
        else:
            self.say_goodbye(self._refused)

    def _reset_timeout(self, duration: float | None = None) -> None:
        left = self._ends_at - time.monotonic()
        super()._reset_timeout(max(0.001, min(duration or MAX_COMMAND_SECONDS, left)))

    def _timeout_cb(self) -> None:
        self.say_goodbye("421 4.4.2 This takes too long; try again")

    def say_goodbye(self, reply: str) -> None:
        """Close the connection with a last reply; by force if it is not read."""
        if self.transport is not None:
            self._writer.write(f"{reply}\r\n".encode())
            self.transport.close()
            self.loop.call_later(LINGERS, self.transport.abort)

    async def smtp_AUTH(self, _arg: str | None) -> None:  # noqa: N802 - aiosmtpd's naming
        """Nobody signs in here."""
        await self.push("502 5.5.1 This server takes mail for its own addresses; nobody signs in")

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's naming
        """Read a message up to CR LF . CR LF, and have the handler answer."""
        if await self.check_helo_needed():
            return
        if not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 Name a recipient first")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        self._reset_timeout(MAX_DATA_SECONDS)
        kept = bytearray()
        try:
            refused = await self._read_message(kept)
            self._reset_timeout()
            if refused is None:
                self.envelope.content = bytes(kept)
                self.idle.clear()
                refused = await self._call_handler_hook("DATA")
        finally:
            self.idle.set()
            self._memory.give_back(len(kept))
            self._set_post_data_state()  # type: ignore[no-untyped-call]
        counters.INBOX_MESSAGES.labels(refused[:3]).inc()
        await self.push(refused)

    async def _read_message(self, kept: bytearray) -> str | None:
        """Read into ``kept``, with dots unstuffed (RFC 5321, section 4.5.2). Returns the reply that refuses it, or None.

        What is refused is read to its end, so that the server that sends it reads the reply; but not for ever.
        """
        refused, size, begins = None, 0, True
        while True:
            try:
                line = await self._reader.readuntil(b"\r\n")
            except asyncio.LimitOverrunError as error:
                line = await self._reader.read(error.consumed)
            ends = line.endswith(b"\r\n")
            if begins and line == b".\r\n":
                return refused
            size += len(line)
            if size > 4 * self._max_size:
                self.say_goodbye(TOO_LARGE)
                await asyncio.Event().wait()  # until the connection is lost, which ends this task
            if begins and line.startswith(b"."):
                line = line[1:]
            begins = ends
            if refused is None:
                if len(kept) + len(line) > self._max_size:
                    refused = TOO_LARGE
                elif not self._memory.take(len(line)):
                    refused = _BUSY
                else:
                    kept += line
            if refused is not None and kept:
                self._memory.give_back(len(kept))
                kept.clear()


class Hosts:
    """The open connections. One host may hold a few, all together some more."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most, self._most_of_one = most, most_of_one
        self._open: dict[SmtpSession, str] = {}

    def add(self, session: SmtpSession, peer: str) -> str | None:
        """Count a connection. Returns the reply for one too many, or None."""
        self._open[session] = peer
        if len(self._open) > self._most:
            return "421 4.3.2 Too many connections; try again"
        if sum(each == peer for each in self._open.values()) > self._most_of_one:
            return "421 4.7.0 Too many connections from your host; try again"
        return None

    def remove(self, session: SmtpSession) -> None:
        """Count it no more."""
        self._open.pop(session, None)

    def open(self) -> list[SmtpSession]:
        """All that are open."""
        return list(self._open)


class _Same(dict[str, int]):
    """One limit for every command; aiosmtpd's own adds to it at every EHLO, for all connections."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def __getitem__(self, _command: str) -> int:
        return self._limit

    def __setitem__(self, _command: str, _limit: int) -> None:
        return

    def values(self) -> Any:
        return [self._limit]
