"""POST to an address that somebody typed: over TLS, to the open internet, once, without following redirects."""

import asyncio
import socket
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from domain.errors import InvalidInput, ProviderUnavailable
from transports import trust
from transports.addresses import resolve

WITHIN = 10.0  # seconds, in total
_CONNECTING = 5.0  # to one address
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that we may call."""

    url: str
    host: str
    port: int
    path: str
    encrypted: bool


def check_url(url: str, *, anywhere: bool) -> Target:
    """Parse a webhook's URL. ``anywhere``: also allow plain http and this machine (a demo). Raises ``InvalidInput``."""

    def refuse(what: str) -> InvalidInput:
        return InvalidInput(what, where="url", fix="Write it like https://hooks.example.org/onbehalf.")

    try:
        parts: SplitResult = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise refuse("it is no URL") from error
    if len(url) > _LONGEST or not url.isascii() or any(ord(letter) <= 32 for letter in url):
        raise refuse("it is no URL")
    if parts.scheme != "https" and not (anywhere and parts.scheme == "http"):
        raise refuse("it is not https")
    if not parts.hostname or "@" in parts.netloc or parts.fragment or port == 0:
        raise refuse("it needs a host, and no user or fragment")
    encrypted = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(url, parts.hostname, port or (443 if encrypted else 80), path, encrypted)


def post(target: Target, body: bytes, headers: Mapping[str, str], *, anywhere: bool) -> int:
    """POST once and return the status. Raises ``ServerUnsafe`` (a private network) and ``ProviderUnavailable``.

    Everything, including name resolution, ends within ``WITHIN``, however slowly the receiver answers.
    """
    until = time.monotonic() + WITHIN
    addresses = _resolved(target, anywhere, until)
    try:
        return asyncio.run(_post(addresses, target, body, headers, until))
    except (aiohttp.ClientError, OSError) as error:  # a timeout is an OSError
        name = type(error).__name__
        raise ProviderUnavailable(f"The webhook's server cannot be reached ({name}).", code=name) from error


def _resolved(target: Target, anywhere: bool, until: float) -> list[str]:
    """Run ``resolve`` on a thread: it waits as long as the system's resolver does, and nothing can interrupt it."""
    answer: Future[list[str]] = Future()

    def ask() -> None:
        try:
            answer.set_result(resolve(target.host, target.port, anywhere=anywhere))
        except Exception as error:  # noqa: BLE001 - raised again where we wait for the answer
            answer.set_exception(error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        return answer.result(timeout=max(0.0, until - time.monotonic()))
    except TimeoutError as error:
        raise ProviderUnavailable(f"The name {target.host} gets no answer.", code="no_such_host") from error


class _Pinned(AbstractResolver):
    """Resolves to the addresses that we checked, whatever the name resolves to a moment later."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        del family
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """Do nothing."""


async def _post(
    addresses: list[str], target: Target, body: bytes, headers: Mapping[str, str], until: float
) -> int:
    connector = aiohttp.TCPConnector(
        resolver=_Pinned(addresses),
        ssl=trust.context() if target.encrypted else False,
        force_close=True,
        use_dns_cache=False,
    )
    left = max(0.001, until - time.monotonic())
    limit = aiohttp.ClientTimeout(total=left, sock_connect=_CONNECTING, ceil_threshold=2 * WITHIN)
    async with (
        aiohttp.ClientSession(
            connector=connector, timeout=limit, cookie_jar=aiohttp.DummyCookieJar()
        ) as session,
        session.post(
            URL(target.url, encoded=True), data=body, headers=headers, allow_redirects=False
        ) as answer,
    ):
        # Only the status matters; we do not read the body.
        answer.close()
        return answer.status
