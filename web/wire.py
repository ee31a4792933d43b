"""What ``python -m web`` gives uvicorn as ``--http``: time limits for a request's first line and headers, and for whoever reads the answer.

uvicorn has none. ``web/intake.py`` limits the body.
"""

import asyncio

from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEADERS_WITHIN = 10.0  # seconds
READS_WITHIN = 60.0  # seconds in which somebody takes at least something of what waits for them


class Patient(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # uvicorn chooses the class when it is imported
    """uvicorn's protocol, which closes a connection whose headers do not end, and one whose answer nobody reads."""

    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Start the time limit of the first request."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(0)  # so that we hear of everything that is not read
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take more of a request, or the beginning of the next one on the connection."""
        if self._deadline is None and self._idle:
            self._wait()
        super().data_received(data)
        if not self._idle:
            self._stop()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the time limits."""
        self._stop()
        self._is_read()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait until somebody reads what was sent."""
        super().pause_writing()
        self._watch(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Send more."""
        self._is_read()
        super().resume_writing()

    @property
    def _idle(self) -> bool:
        """Is no request being answered?"""
        return self.cycle is None or self.cycle.response_complete

    def _wait(self) -> None:
        self._deadline = asyncio.get_running_loop().call_later(HEADERS_WITHIN, self._give_up)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _watch(self, waits: int) -> None:
        self._is_read()
        self._unread = asyncio.get_running_loop().call_later(READS_WITHIN, self._measure, waits)

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _measure(self, waited: int) -> None:
        """Cut off whoever has read nothing since ``waited`` bytes waited for them."""
        waits = self.transport.get_write_buffer_size()
        if waits < waited:
            self._watch(waits)
        else:
            self.transport.abort()

    def _give_up(self) -> None:
        self._deadline = None
        if self._idle and not self.transport.is_closing():
            self.transport.write(
                b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            )
            self.transport.close()
