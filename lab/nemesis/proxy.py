"""A TCP proxy that can be slow, silent, or refuse and break connections.

One ``Link`` per pair; runs in its own thread.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any


class Link:
    """One listening port in front of one server.

    ``distance``: seconds that every piece always takes. ``delay``: seconds added to every piece, both ways.
    ``silent``: nothing passes and nothing is closed (half open); what waits passes late, when it ends.
    ``refusing``: new connections are reset. ``cut_replies``: the next replies never arrive, after the server has
    acted. ``cut_requests``: half of the next request arrives, then the connection breaks. ``at_most``: the most
    connections at once (None: any number); others get ``turned_away`` and no more. ``target`` may change;
    existing connections stay where they are.
    """

    def __init__(self, name: str, target: int) -> None:
        self.name, self.target = name, target
        self.port = 0
        self.distance = 0.0
        self.delay = 0.0
        self.refusing = False
        self.cut_replies = 0
        self.cut_requests = 0
        self.at_most: int | None = None
        self.turned_away = b""
        self._speaks = asyncio.Event()
        self._speaks.set()
        self._writers: set[asyncio.StreamWriter] = set()

    def heal(self) -> None:
        """End all trouble; connections survive."""
        self.delay, self.refusing, self.cut_replies, self.cut_requests, self.at_most = 0.0, False, 0, 0, None
        self._speaks.set()

    def fall_silent(self) -> None:
        """Stay half open until ``heal``."""
        self._speaks.clear()

    def reset_all(self) -> None:
        """Break every connection now."""
        for writer in list(self._writers):
            _reset(writer)

    async def accept(self, recipient: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side ends it."""
        if self.refusing:
            _reset(writer)
            return
        if self.at_most is not None and len(self._writers) >= 2 * self.at_most:
            with contextlib.suppress(OSError):
                writer.write(self.turned_away)
                await writer.drain()
            writer.close()
            return
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            _reset(writer)
            return
        for each in (writer, server_writer):
            each.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ends = {writer, server_writer}
        self._writers |= ends
        try:
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._pump(recipient, server_writer, ends, requests=True))
                pumps.create_task(self._pump(server_reader, writer, ends, requests=False))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            self._writers -= ends
            for each in ends:
                each.close()

    async def _pump(
        self,
        recipient: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        ends: set[asyncio.StreamWriter],
        *,
        requests: bool,
    ) -> None:
        while piece := await recipient.read(65536):
            if self.delay or self.distance:
                await asyncio.sleep(self.delay + self.distance)
            await self._speaks.wait()
            if requests and self.cut_requests:
                self.cut_requests -= 1
                writer.write(piece[: len(piece) // 2])
                await writer.drain()
                raise _break(ends)
            if not requests and self.cut_replies:
                self.cut_replies -= 1
                raise _break(ends)
            writer.write(piece)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()
        raise ConnectionResetError  # one side has ended; none of ours half-closes


class Proxy:
    """All links of one run."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._servers: list[asyncio.Server] = []
        self._links: list[Link] = []
        self._thread.start()

    def link(self, name: str, target: int) -> Link:
        """Listen in front of the server at ``target`` on loopback."""

        async def make() -> Link:
            made = Link(name, target)
            server = await asyncio.start_server(made.accept, "127.0.0.1", 0)
            made.port = server.sockets[0].getsockname()[1]
            self._servers.append(server)
            self._links.append(made)
            return made

        return asyncio.run_coroutine_threadsafe(make(), self._loop).result(10)

    def ask(self, what: Callable[[], Any]) -> None:
        """Run ``what``, a method of a link, in the links' thread."""
        done = threading.Event()

        def act() -> None:
            what()
            done.set()

        self._loop.call_soon_threadsafe(act)
        done.wait(10)

    def close(self) -> None:
        """Stop listening, break all connections (so nobody waits for an answer of ours), end the thread."""

        async def end() -> None:
            for server in self._servers:
                server.close()
            for link in self._links:
                link.reset_all()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
            await asyncio.sleep(0.05)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _break(ends: set[asyncio.StreamWriter]) -> ConnectionResetError:
    for each in ends:
        _reset(each)
    return ConnectionResetError()
