"""How requests with a mailbox's token reach a provider: by one aiohttp session on one loop thread, each request once.

Nothing here retries, redirects or parses answers: this product must never repeat a POST. The provider's own library builds
the requests (docs/decisions/0016).
"""

import asyncio
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
import yarl
from multidict import CIMultiDictProxy

import counters
from domain.errors import OperatorMisconfigured, ProviderError, ProviderUnavailable
from transports import trust
from transports.base import AccessToken, TokenSource
from transports.loop_thread import LoopThread

MAX_ANSWER = 32 * 1024 * 1024  # bytes, where a request says nothing else
_OPEN_CAP = 25.0  # seconds to read the host's certificates
CALL_CAP = 25.0  # seconds from the first byte to the complete answer, however slowly it arrives
# Asks for any token newer than the refused one, after a 401 that asks for no claims.
ANY_NEWER = "{}"
_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=15.0, sock_connect=5.0, sock_read=20.0)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_NEVER_CONNECTED = aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL


class UnansweredError(Exception):
    """No answer. ``left`` is false only when the request certainly never reached the provider."""

    def __init__(self, cause: BaseException, *, left: bool) -> None:
        self.left = left
        super().__init__(type(cause).__name__)


class UnencryptedError(Exception):
    """The address is neither https nor on this machine, so we do not send it a token."""


class ForeignAddressError(Exception):
    """The address is not under a configured one, so we do not send it a token."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer, or the beginning of one that is too long (``cut``). ``headers`` ignore case."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    cut: bool = False


class Once:
    """Shared by a process's transports of one provider. ``base_urls``: the only addresses that get a token.

    Called from plain threads, which wait for the loop thread.
    """

    def __init__(self, provider: str, *base_urls: str, headers: Mapping[str, str]) -> None:
        """``provider``: its name in metrics. ``headers``: of every request."""
        self._provider, self._base_urls = provider, base_urls
        self._headers = {"User-Agent": "Onbehalf", **headers}
        parts = [urlsplit(each) for each in base_urls]
        self._in_the_clear = any(each.scheme != "https" and each.hostname not in _LOOPBACK for each in parts)
        self._lock = threading.Lock()
        self._owner = 0
        self._opened: tuple[LoopThread, aiohttp.ClientSession] | None = None

    def carry(
        self,
        name: str,
        method: str,
        url: str,
        token: AccessToken,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        most: int = MAX_ANSWER,
    ) -> Answer:
        """Send one request, once, within ``CALL_CAP``, and return the raw answer, at most ``most`` bytes of it.

        ``name``: one of few, for metrics. Raises ``UnansweredError``, and other errors only before anything has left.
        """
        self._check(url)
        target = yarl.URL(url, encoded=True)
        sent = {**headers, "Authorization": f"Bearer {token.value}"}
        thread, session = self._open()
        began = time.monotonic()
        status: int | None = None
        try:
            exchange = _exchange(session, method, target, sent, body, most)
            answer = thread.run(exchange, CALL_CAP + 5)
            status = answer.status
        except Exception as error:
            raise UnansweredError(error, left=not isinstance(error, _NEVER_CONNECTED)) from error
        finally:
            counters.answered(self._provider, name, time.monotonic() - began, status)
        return answer

    def _check(self, url: str) -> None:
        """The token goes only to the configured addresses, and never unencrypted."""
        if self._in_the_clear:
            raise UnencryptedError
        if not any(url.startswith(f"{each}/") for each in self._base_urls):
            raise ForeignAddressError

    def _open(self) -> tuple[LoopThread, aiohttp.ClientSession]:
        with self._lock:
            if self._opened is None or self._owner != os.getpid():
                # Threads do not survive a fork, so a child needs a new loop thread.
                self._owner, thread = os.getpid(), LoopThread(f"{self._provider}-loop")
                self._opened = thread, thread.run(_session(self._headers), _OPEN_CAP)
            return self._opened

    def close(self) -> None:
        """Close connections and the thread; a later request opens them again."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None and self._owner == os.getpid():
            thread, session = opened
            thread.run(session.close(), 5)
            thread.stop()


async def _exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: yarl.URL,
    headers: dict[str, str],
    body: bytes | None,
    most: int,
) -> Answer:
    async with (
        asyncio.timeout(CALL_CAP),
        session.request(method, url, headers=headers, data=body, allow_redirects=False) as response,
    ):
        chunks, size = [], 0
        async for chunk in response.content.iter_any():
            chunks.append(chunk)
            size += len(chunk)
            if size > most:
                response.close()
                break
        return Answer(response.status, response.headers, b"".join(chunks)[:most], cut=size > most)


async def _session(headers: dict[str, str]) -> aiohttp.ClientSession:
    # HTTP/1.1 only: on a shared HTTP/2 connection, one reset would put every email in flight in doubt.
    # Connections idle for at most 15 s, so that a request rarely meets one that the other side has just closed.
    connector = aiohttp.TCPConnector(ssl=trust.context(), limit=256, keepalive_timeout=15, ttl_dns_cache=60)
    # Mailboxes share the session, so it keeps no cookies.
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=headers,
        skip_auto_headers=["Content-Type"],  # a submission may have no body
        timeout=_TIMEOUT,
        trust_env=False,
    )


def read_token(tokens: TokenSource, claims: str | None = None) -> AccessToken:
    """Return the source's token. Whatever fails here, no request has left with it."""
    try:
        return tokens.token(claims)
    except (ProviderError, OperatorMisconfigured):
        raise
    except Exception as error:
        raise ProviderUnavailable(
            f"The mailbox's token could not be read ({type(error).__name__}).", code="token_unreadable"
        ) from error


def step_back(leave_by: float | None) -> None:
    """Raise ``ProviderUnavailable`` if ``leave_by`` (monotonic) has passed: the permission to send is too old by now."""
    if leave_by is not None and time.monotonic() > leave_by:
        raise ProviderUnavailable(
            "Renewing the token took so long that the permission to send grew stale.", code="stepped_back"
        )
