"""Asks an application without a network, one request after another."""

import asyncio
from typing import Any

import httpx


class Asking:
    """Follows no redirects."""

    def __init__(self, app: Any, base_url: str = "http://testserver") -> None:
        self._app, self._base_url = app, base_url

    def get(self, path: str, **more: Any) -> httpx.Response:
        """GET it."""
        return self.request("GET", path, **more)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer."""

        async def ask() -> httpx.Response:
            wire = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=wire, base_url=self._base_url) as client:
                return await client.request(method, path, **more)

        return asyncio.run(ask())
