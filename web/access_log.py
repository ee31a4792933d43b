"""Log one line for each request, and add the request's id and source to every other line of it."""

import time
from uuid import uuid4

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import counters
import tracing
from web.source import source_of

log = structlog.get_logger()

_QUIET = ("/health", "/static/")  # asked every few seconds, and files
_SAME = 304  # a live part of a page: asked every two seconds, and nothing new


class AccessLog:
    """Middleware, outermost: it logs the refusals of the other middleware too. A path is logged as its route's template, without ids."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and log its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, began, status = uuid4().hex, time.monotonic(), 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        quiet = scope["path"].startswith(_QUIET)
        with (
            structlog.contextvars.bound_contextvars(request_id=request_id, source=source_of(scope)),
            tracing.NOWHERE if quiet else tracing.root(scope["method"], "server") as span,
        ):
            try:
                await self._app(scope, receive, answer)
            finally:
                route = _route(scope)
                span.note(
                    {"method": scope["method"], "route": route, "status": status},
                    name=f"{scope['method']} {route}",
                )
                seconds = time.monotonic() - began
                counters.REQUEST_SECONDS.labels(_part(scope["path"]), f"{status // 100}xx").observe(seconds)
                if (not quiet and status != _SAME) or status >= 500:
                    log.info(
                        "request_served",
                        method=scope["method"],
                        route=route,
                        status=status,
                        milliseconds=round(seconds * 1000),
                    )


def _part(path: str) -> str:
    """Return what was asked for as a label: anybody may ask for any path."""
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    return first if first in ("api", "health", "hooks", "o", "scim", "static") else "page"


def _route(scope: Scope) -> str:
    path = getattr(scope.get("route"), "path", "")
    return f"{scope.get('root_path', '')}{path}" if path else "none"
