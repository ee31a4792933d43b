"""One request and one answer, whatever carries them: an aiohttp server (sockets) or ASGI (in process)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson
from aiohttp import web

_MAX_BODY = 256 * 1024 * 1024  # the largest email that Exchange takes, in JSON


class Reset(Exception):
    """Breaks the connection without an answer."""


@dataclass(slots=True)
class Request:
    """A request. ``segments`` are the path's parts, each decoded after splitting (ids may hold slashes)."""

    method: str
    target: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def path(self) -> str:
        """The path without the query, not decoded."""
        return urlsplit(self.target).path

    @property
    def segments(self) -> list[str]:
        """The path's parts, decoded."""
        return [unquote(part) for part in self.path.split("/") if part]

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters; the last of each name counts."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    def json(self) -> Any:
        """Parse the body as JSON; an empty one is an empty object. Raises ``orjson.JSONDecodeError``."""
        return orjson.loads(self.body) if self.body.strip() else {}

    def form(self) -> dict[str, str]:
        """Parse the body as a form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass(slots=True)
class Response:
    """An answer. ``value`` is sent as JSON unless ``body`` is given."""

    status: int
    value: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"

    def encoded(self) -> bytes:
        """Return the body's bytes."""
        if self.body is not None:
            return self.body
        return b"" if self.value is None else orjson.dumps(self.value)


Handler = Callable[[Request], Awaitable[Response]]


def aiohttp_handler(handle: Handler) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
    """Wrap ``handle`` for aiohttp's low-level server. ``Reset`` aborts the connection (TCP RST)."""

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if (request.content_length or 0) > request.client_max_size:
            request = request.clone(client_max_size=_MAX_BODY)
        try:
            answer = await handle(Request(request.method, request.raw_path, headers, await request.read()))
        except Reset:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        return web.Response(
            status=answer.status,
            body=answer.encoded(),
            headers=answer.headers,
            content_type=answer.content_type,
        )

    return serve


def asgi_app(handle: Handler) -> Callable[..., Awaitable[None]]:
    """Wrap ``handle`` as an ASGI application for clients in the same process. ``Reset`` raises in the client."""

    async def app(scope: Mapping[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"the emulator serves http, not {scope['type']}")
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        raw = scope.get("raw_path") or scope["path"].encode()
        query = scope["query_string"].decode()
        target = raw.decode().partition("?")[0] + (f"?{query}" if query else "")
        try:
            answer = await handle(Request(scope["method"], target, headers, body))
        except Reset:
            raise ConnectionResetError("the emulator broke the connection") from None
        encoded = answer.encoded()
        sent = {"content-type": answer.content_type, "content-length": str(len(encoded)), **answer.headers}
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            }
        )
        await send({"type": "http.response.body", "body": encoded})

    return app
