"""Read a request's whole body first, chunked or not, within limits of size and time."""

import asyncio
from collections import Counter

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.api_call import API, SCIM, problem
from web.scim_call import scim_error
from web.source import source_of

HOOKS = "/hooks/"
_CLOSE = {"Connection": "close"}
_TOO_LARGE = 413, "The request is too large."
UPLOADS = (
    "/people/import",
    "/api/v1/people/imports",
)  # read their bodies themselves, once they know who sends them
MAX_FORM = 64 * 1024
MAX_NOTIFICATIONS = 256 * 1024  # Graph puts many notifications into one request
READ_WITHIN = 15.0  # seconds; the slowest line that people fill forms on is done long before
_MAX_HELD = 32 * 1024 * 1024  # of all requests that are being read at the same time
_MAX_HELD_OF_ONE = 8 * 1024 * 1024  # of those that come from one address


class Intake:
    """Middleware: 413 for a body that is too large for a form or for notifications, 408 for one that does not end in time."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._held: Counter[str] = Counter()  # bytes, by where they come from

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, then pass it on in one piece."""
        headers = Headers(scope=scope) if scope["type"] == "http" else None
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in UPLOADS:
            await self._app(scope, receive, send)
            return
        if headers is None or not ({"content-length", "transfer-encoding"} & set(headers.keys())):
            await self._app(scope, receive, send)
            return
        most = MAX_NOTIFICATIONS if scope["path"].startswith(HOOKS) else MAX_FORM
        declared = headers.get("content-length", "0")
        if not (declared.isascii() and declared.isdigit()) or int(declared[:20]) > most:
            await _answer(scope, _TOO_LARGE)(scope, receive, send)
            return
        body, source = bytearray(), source_of(scope)
        try:
            async with asyncio.timeout(READ_WITHIN):
                refused = await self._read(receive, body, most, source)
        except TimeoutError:
            refused = 408, "The request did not arrive in time."
        finally:
            self._held -= Counter({source: len(body)})  # and forgets sources that hold nothing
        if refused is None:
            await self._app(scope, _Replay(bytes(body), receive), send)
        else:
            await _answer(scope, refused)(scope, receive, send)

    async def _read(
        self, receive: Receive, body: bytearray, most: int, source: str
    ) -> tuple[int, str] | None:
        """Fill ``body``. Return the refusal's status and text if that fails."""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return 400, "The request was cut off."
            chunk = message.get("body", b"")
            body += chunk
            self._held[source] += len(chunk)
            if len(body) > most:
                return _TOO_LARGE
            if self._held[source] > _MAX_HELD_OF_ONE or self._held.total() > _MAX_HELD:
                return 503, "Onbehalf is busy. Try again in a moment."
            if not message.get("more_body", False):
                return None


class _Replay:
    """Receive the body first, then what the client sends."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._message: Message | None = {"type": "http.request", "body": body, "more_body": False}
        self._receive = receive

    async def __call__(self) -> Message:
        message, self._message = self._message, None
        return await self._receive() if message is None else message


def _answer(scope: Scope, refused: tuple[int, str]) -> Response:
    # What was not read is still on its way: nothing else can be asked over this connection.
    status, text = refused
    if scope["path"].startswith(API):
        return problem(status, text, headers=_CLOSE)
    if scope["path"].startswith(SCIM):
        return scim_error(status, text, headers=_CLOSE)
    return PlainTextResponse(text, status, headers=_CLOSE)
