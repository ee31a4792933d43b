"""The one way to Microsoft Graph: one HTTP client on one loop thread per process, and nothing that repeats.

Requests come from msgraph-sdk's builders and go through kiota's authentication; answers come back raw:
deserialising any SDK entity runs over a thousand imports, so the few fields we need are decoded by hand.
Plain threads call ``GraphClient.call``.
"""

import asyncio
import http.cookiejar
import os
import ssl
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, TypeVar, cast
from urllib.parse import urlsplit

import aiohttp
import httpx
from azure.core.credentials import AccessToken as AzureToken
from httpx_aiohttp import AiohttpTransport
from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_abstractions.request_information import RequestInformation
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from kiota_http.middleware.options import RedirectHandlerOption, ResponseHandlerOption, RetryHandlerOption
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_request_adapter import options as sdk_options
from msgraph.graph_service_client import GraphServiceClient
from msgraph_core import GraphClientFactory

from domain.errors import OperatorMisconfigured, ProviderError, ProviderUnavailable
from transports.base import AccessToken, TokenSource

CALL_CAP = 25.0  # seconds from the first byte to the whole answer, whatever trickles in
_TIMEOUT = httpx.Timeout(connect=5.0, write=5.0, read=20.0, pool=10.0)
# Ids that stay the same while an item moves between folders (Graph, "Obtain immutable identifiers").
_IMMUTABLE_IDS = 'IdType="ImmutableId"'
_SCOPES = ["Mail.ReadWrite", "Mail.Send", "MailboxSettings.Read"]

_NEVER_CONNECTED = aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL

Builder = Callable[[GraphServiceClient], RequestInformation]
Result = TypeVar("Result")


class UnansweredError(Exception):
    """No answer. ``left`` is false only when the request certainly never reached Graph."""

    def __init__(self, cause: BaseException, *, left: bool) -> None:
        self.left = left
        super().__init__(type(cause).__name__)


class Answer:
    """A whole answer. ``headers`` ignore case."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.body = response.content


class LoopThread:
    """An event loop on a thread of its own, for as long as the process lives."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        # Claims challenges fetch tokens off the loop; a small machine's default pool would let them queue.
        self.loop.set_default_executor(ThreadPoolExecutor(32, thread_name_prefix="graph-token"))
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
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()


class _Credential:
    """azure-core's ``AsyncTokenCredential`` over our source: the token in hand, or a newer one if challenged."""

    def __init__(self, held: AccessToken, tokens: TokenSource) -> None:
        self._held, self._tokens = held, tokens

    async def get_token(self, *_scopes: str, claims: str | None = None, **_: object) -> AzureToken:
        token = self._held
        if claims is not None:
            token = await asyncio.to_thread(read_token, self._tokens, claims)
        return AzureToken(token.value, int(token.expires_at.timestamp()))

    async def close(self) -> None:
        """Nothing is held open."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


class GraphClient:
    """Shared by a process's transports. ``graph_url``: ``https://graph.microsoft.com`` or an emulator's."""

    def __init__(self, graph_url: str) -> None:
        self.base_url = f"{graph_url.rstrip('/')}/v1.0"
        self._host = urlsplit(graph_url).hostname or ""
        self._lock = threading.Lock()
        self._owner = 0
        self._thread: LoopThread | None = None
        self._http: httpx.AsyncClient | None = None
        self._wire: AiohttpTransport | None = None

    def call(self, tokens: TokenSource, build: Builder, *, leave_by: float | None = None) -> Answer:
        """Send one request, once, within ``CALL_CAP``. Raises ``UnansweredError``, and what ``tokens`` raises.

        ``leave_by`` (monotonic): it does not leave at all when fetching the token took longer than that.
        The one repetition in here is kiota's answer to a claims challenge: a 401 was not executed.
        """
        credential = _Credential(read_token(tokens), tokens)
        if leave_by is not None and time.monotonic() > leave_by:
            raise ProviderUnavailable(
                "Renewing the token took so long that the permission to send grew stale.", code="stepped_back"
            )
        thread, client = self._open()
        try:
            response = thread.run(self._send(client, credential, build), CALL_CAP + 5)
        except (ProviderError, OperatorMisconfigured):
            raise  # of the token, after a 401
        except Exception as error:
            raise UnansweredError(error, left=not certainly_unsent(error)) from error
        return Answer(response)

    async def _send(
        self, client: httpx.AsyncClient, credential: _Credential, build: Builder
    ) -> httpx.Response:
        authentication = AzureIdentityAuthenticationProvider(
            credential, scopes=_SCOPES, allowed_hosts=[self._host]
        )
        adapter = GraphRequestAdapter(authentication, client)
        adapter.base_url = self.base_url
        request = build(GraphServiceClient(request_adapter=adapter))
        # Settled once: kiota expands the URL's template anew each time it looks at it, four times per request.
        request.path_parameters["baseurl"] = self.base_url
        request.url = request.url
        request.headers.add("Prefer", _IMMUTABLE_IDS)
        request.add_request_options([ResponseHandlerOption(NativeResponseHandler())])
        async with asyncio.timeout(CALL_CAP):
            return cast("httpx.Response", await adapter.send_primitive_async(request, "bytes", {}))

    def _open(self) -> tuple[LoopThread, httpx.AsyncClient]:
        with self._lock:
            if self._thread is None or self._http is None or self._owner != os.getpid():
                # A forked child has no loop thread: threads do not survive a fork.
                self._owner = os.getpid()
                self._thread = LoopThread()
                self._wire = AiohttpTransport(client=_session)
                self._http = _http_client(self._wire)
            return self._thread, self._http

    def close(self) -> None:
        """Close connections and the thread; a later call opens them again."""
        with self._lock:
            thread, wire, self._thread, self._http = self._thread, self._wire, None, None
        if thread is None or wire is None or self._owner != os.getpid():
            return
        # Not through the client: the SDK's wrapper around the transport does not pass closing on.
        thread.run(wire.aclose(), 5)
        thread.stop()


def _http_client(wire: AiohttpTransport) -> httpx.AsyncClient:
    no_retries = RetryHandlerOption(max_retries=0, should_retry=False)
    no_redirects = RedirectHandlerOption(max_redirect=0, should_redirect=False)
    options = {**sdk_options, no_retries.get_key(): no_retries, no_redirects.get_key(): no_redirects}
    # Mailboxes share this client, so it keeps no cookies of any of them.
    no_cookies = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    client = httpx.AsyncClient(
        transport=wire,
        timeout=_TIMEOUT,
        follow_redirects=False,
        trust_env=False,
        cookies=no_cookies,
    )
    return cast(
        "httpx.AsyncClient", GraphClientFactory.create_with_default_middleware(client=client, options=options)
    )


def _session() -> aiohttp.ClientSession:
    # HTTP/1.1 only: on a shared HTTP/2 connection one reset would make every email in flight doubtful.
    # Connections rest for 15 s at most, so that a request seldom meets one the other side has just closed.
    connector = aiohttp.TCPConnector(
        ssl=ssl.create_default_context(), limit=256, keepalive_timeout=15, ttl_dns_cache=60
    )
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False
    )


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


def certainly_unsent(error: BaseException) -> bool:
    """Whether the connection was never made.

    ``httpx-aiohttp`` turns *every* lost connection, also one that broke after the whole request was out, into
    ``httpx.ConnectTimeout``. So aiohttp's own exception underneath decides, not httpx's name for it.
    """
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__
    native = [one for one in chain if isinstance(one, aiohttp.ClientError)]
    if native:
        return any(isinstance(one, _NEVER_CONNECTED) for one in native)
    return any(isinstance(one, httpx.ConnectError | httpx.UnsupportedProtocol) for one in chain)
