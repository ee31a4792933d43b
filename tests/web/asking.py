"""Sends requests to an application without a network, one after another."""

import asyncio
from typing import Any

import httpx


class Asking:
    """A client that follows no redirects."""

    def __init__(self, app: Any, base_url: str = "http://testserver") -> None:
        self._app, self._base_url = app, base_url

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Send a GET."""
        return self.request("GET", path, **more)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request and return the response."""

        async def ask() -> httpx.Response:
            wire = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=wire, base_url=self._base_url) as client:
                return await client.request(method, path, **more)

        return asyncio.run(ask())
