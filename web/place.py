"""Serve Onbehalf at a host's root or, if ``PUBLIC_URL`` has a path, below that path behind any proxy.

Routes and links do not contain the path. It is removed from requests, unless the proxy has done so, and added to links
and redirects.
"""

import re
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Values in attributes are escaped, so that no text of a page looks like this.
_LINKS = re.compile(rb'(\s(?:href|src|action|formaction|hx-(?:get|post|put|delete))=")/(?!/)')


def path_of(public_url: str) -> str:
    """Return ``/onbehalf`` for ``https://tools.acme.example/onbehalf``; empty at a host's root."""
    return urlsplit(public_url).path.rstrip("/")


class Below:
    """Middleware for a path that is not empty."""

    def __init__(self, app: ASGIApp, *, path: str) -> None:
        self._app, self._path = app, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Remove the path, unless the proxy did, and add it to links and redirects."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = scope["path"]
        if asked == self._path or asked.startswith(f"{self._path}/"):
            inner = asked[len(self._path) :] or "/"
            scope = {**scope, "path": inner, "raw_path": inner.encode()}
        await self._app(scope, receive, _Outgoing(send, self._path))


class _Outgoing:
    """Sends an answer with the path in its links. Only pages are held until they are complete."""

    def __init__(self, send: Send, path: str) -> None:
        self._send, self._path = send, path
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message["headers"]))
            where = headers.get("location", "")
            if where.startswith("/") and not where.startswith("//"):
                headers["location"] = self._path + where
            again = headers.get("refresh", "")
            if "; url=/" in again:
                headers["refresh"] = again.replace("; url=/", f"; url={self._path}/", 1)
            message = {**message, "headers": headers.raw}
            if headers.get("content-type", "").startswith("text/html"):
                self._start = message
                return
        elif self._start is not None:
            self._body += message.get("body", b"")
            if message.get("more_body", False):
                return
            page = _LINKS.sub(rb"\g<1>" + self._path.encode() + b"/", bytes(self._body))
            start, self._start = self._start, None
            if "content-length" in (headers := MutableHeaders(raw=list(start["headers"]))):
                headers["content-length"] = str(len(page))
            await self._send({**start, "headers": headers.raw})
            message = {"type": "http.response.body", "body": page}
        await self._send(message)
