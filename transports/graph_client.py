"""The one way to Microsoft Graph: one HTTP session on one loop thread per process, and nothing that repeats.

Requests (``transports/graph_requests.py``) are ``Written`` out, or built by the SDK, which then also gives them their token. They
go out, and answers come back, by aiohttp itself: on their way through the SDK's adapter, its eight middlewares and httpx they
cost four times as much (docs/decisions/0013), and middlewares that redirect and retry are not there to be switched off.
Plain threads call ``GraphClient.call``.
"""

import asyncio
import base64
import binascii
import os
import re
import ssl
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
import httpx
import yarl
from azure.core.credentials import AccessToken as AzureToken
from kiota_abstractions.authentication import AnonymousAuthenticationProvider
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from kiota_authentication_azure.azure_identity_access_token_provider import AzureIdentityAccessTokenProvider
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient
from multidict import CIMultiDictProxy

from domain.errors import OperatorMisconfigured, ProviderError, ProviderUnavailable
from transports.base import AccessToken, TokenSource

CALL_CAP = 25.0  # seconds from the first byte to the whole answer, whatever trickles in
_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=15.0, sock_connect=5.0, sock_read=20.0)
_SCOPES = ["Mail.ReadWrite", "Mail.Send", "MailboxSettings.Read"]
# "Any token newer than the refused one", for a 401 that names no claims.
_ANY_NEWER = "{}"
# What stands in the SDK's paths for the token's owner; its own middleware replaces it like this.
_OWNER, _ME = "/users/me-token-to-replace", "/me"
_LOOPBACK = AzureIdentityAccessTokenProvider.LOCALHOST_STRINGS  # where the SDK shows a token without TLS
_HEADERS = {
    "User-Agent": "Onbehalf",
    # Ids that stay the same while an item moves between folders (Graph, "Obtain immutable identifiers").
    "Prefer": 'IdType="ImmutableId"',
}

_NEVER_CONNECTED = aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL

Builder = Callable[[GraphServiceClient], RequestInformation]


@dataclass(frozen=True, slots=True)
class Written:
    """A request as Microsoft's documentation shows it. ``path``: after the version; ``content``: JSON, or none."""

    method: str
    path: str
    content: bytes | None = None


Request = Written | Builder
Result = TypeVar("Result")


class UnansweredError(Exception):
    """No answer. ``left`` is false only when the request certainly never reached Graph."""

    def __init__(self, cause: BaseException, *, left: bool) -> None:
        self.left = left
        super().__init__(type(cause).__name__)


class UnencryptedError(Exception):
    """The address is neither https nor this machine's own: no token is shown to it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. ``headers`` ignore case."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes


class LoopThread:
    """An event loop on a thread of its own, for as long as the process lives."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="graph-loop", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def run(self, coroutine: Coroutine[Any, Any, Result], timeout: float) -> Result:
        """Run it there and wait. ``TimeoutError`` when the loop itself does not answer in time."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        try:
            return future.result(timeout)
        finally:
            future.cancel()

    def stop(self) -> None:
        """End the thread; what still runs on it is abandoned."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        if not self._thread.is_alive():
            self.loop.close()


class _Held:
    """azure-core's ``TokenCredential``: the token in hand. Asking for another one is ``GraphClient.call``'s business."""

    def __init__(self, token: AccessToken) -> None:
        self._token = token

    def get_token(self, *_scopes: str, **_: object) -> AzureToken:
        return AzureToken(self._token.value, int(self._token.expires_at.timestamp()))


class GraphClient:
    """Shared by a process's transports. ``graph_url``: ``https://graph.microsoft.com`` or an emulator's."""

    def __init__(self, graph_url: str) -> None:
        self.base_url = f"{graph_url.rstrip('/')}/v1.0"
        parts = urlsplit(graph_url)
        self._host = parts.hostname or ""
        self._in_the_clear = parts.scheme != "https" and self._host not in _LOOPBACK
        # The SDK's builders want an adapter to write bodies with. This one reaches nothing.
        self._writer = GraphRequestAdapter(
            AnonymousAuthenticationProvider(), httpx.AsyncClient(transport=httpx.AsyncBaseTransport())
        )
        self._writer.base_url = self.base_url
        self._lock = threading.Lock()
        self._owner = 0
        self._thread: LoopThread | None = None
        self._session: aiohttp.ClientSession | None = None

    def call(self, tokens: TokenSource, request: Request, *, leave_by: float | None = None) -> Answer:
        """Send one request, once, within ``CALL_CAP``. Raises ``UnansweredError``, and what ``tokens`` raises.

        ``leave_by`` (monotonic): it does not leave at all when fetching the token took longer than that.
        A request answered 401 was not executed. It is made again with a newer token, and once more with one that has the claims
        which that answer asks for.
        """
        answer = self._call(request, read_token(tokens), leave_by)
        if answer.status == 401:
            answer = self._call(request, read_token(tokens, _claims(answer) or _ANY_NEWER), leave_by)
        if answer.status == 401 and (claims := _claims(answer)):
            answer = self._call(request, read_token(tokens, claims), leave_by)
        return answer

    def _call(self, request: Request, token: AccessToken, leave_by: float | None) -> Answer:
        if leave_by is not None and time.monotonic() > leave_by:
            raise ProviderUnavailable(
                "Renewing the token took so long that the permission to send grew stale.", code="stepped_back"
            )
        if self._in_the_clear:
            raise UnansweredError(UnencryptedError(), left=False)
        try:
            thread, session = self._open()
        except Exception as error:
            raise UnansweredError(error, left=False) from error
        try:
            return thread.run(self._send(session, request, token), CALL_CAP + 5)
        except UnansweredError:
            raise
        except Exception as error:
            raise UnansweredError(error, left=not isinstance(error, _NEVER_CONNECTED)) from error

    async def _send(self, session: aiohttp.ClientSession, request: Request, token: AccessToken) -> Answer:
        try:
            if isinstance(request, Written):
                method, url, content = request.method, self.base_url + request.path, request.content
                headers = _headers(request, token)
            else:
                built = await self._build(request, token)
                method, url = (built.http_method or Method.GET).value, built.url
                headers, content = built.request_headers or {}, built.content
        except Exception as error:
            raise UnansweredError(error, left=False) from error
        async with (
            asyncio.timeout(CALL_CAP),
            session.request(
                method, yarl.URL(url, encoded=True), headers=headers, data=content, allow_redirects=False
            ) as response,
        ):
            return Answer(response.status, response.headers, await response.read())

    async def _build(self, build: Builder, token: AccessToken) -> RequestInformation:
        # A client of its own for every request: they share the dictionary of their paths' parameters.
        request = build(GraphServiceClient(request_adapter=self._writer))
        request.path_parameters["baseurl"] = self.base_url
        # Settled once: kiota expands a URL's template anew each time it looks at it.
        request.url = request.url.replace(_OWNER, _ME, 1)
        await AzureIdentityAuthenticationProvider(
            _Held(token), scopes=_SCOPES, allowed_hosts=[self._host]
        ).authenticate_request(request)
        return request

    def _open(self) -> tuple[LoopThread, aiohttp.ClientSession]:
        with self._lock:
            if self._thread is None or self._session is None or self._owner != os.getpid():
                # A forked child has no loop thread: threads do not survive a fork.
                self._owner = os.getpid()
                thread = LoopThread()
                self._session, self._thread = thread.run(_session(), CALL_CAP), thread
            return self._thread, self._session

    def close(self) -> None:
        """Close connections and the thread; a later call opens them again."""
        with self._lock:
            thread, session, self._thread, self._session = self._thread, self._session, None, None
        if thread is None or session is None or self._owner != os.getpid():
            return
        thread.run(session.close(), 5)
        thread.stop()


async def _session() -> aiohttp.ClientSession:
    # HTTP/1.1 only: on a shared HTTP/2 connection one reset would make every email in flight doubtful.
    # Connections rest for 15 s at most, so that a request seldom meets one the other side has just closed.
    connector = aiohttp.TCPConnector(
        ssl=ssl.create_default_context(), limit=256, keepalive_timeout=15, ttl_dns_cache=60
    )
    # Mailboxes share it, so it keeps no cookies of any of them.
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=_HEADERS,
        skip_auto_headers=["Content-Type"],  # a submission has no body to speak of
        timeout=_TIMEOUT,
        trust_env=False,
    )


def _headers(request: Written, token: AccessToken) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {token.value}", "Accept": "application/json"}
    return headers if request.content is None else {**headers, "Content-Type": "application/json"}


def _claims(answer: Answer) -> str:
    """The claims that a 401 asks for (Entra, "Claims challenges and claims requests"), or nothing."""
    named = re.search(r'\bclaims="([^"]+)"', ", ".join(answer.headers.getall("WWW-Authenticate", [])))
    try:
        return "" if named is None else base64.b64decode(f"{named[1]}==", altchars="-_").decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def read_token(tokens: TokenSource, claims: str | None = None) -> AccessToken:
    """The source's token. Whatever goes wrong in there, no request has left with it."""
    try:
        return tokens.token(claims)
    except (ProviderError, OperatorMisconfigured):
        raise
    except Exception as error:
        raise ProviderUnavailable(
            f"The mailbox's token could not be read ({type(error).__name__}).", code="token_unreadable"
        ) from error
