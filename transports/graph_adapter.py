"""How the SDK's requests reach Microsoft Graph: one kiota ``RequestAdapter`` over one aiohttp session, each request once.

Nothing here retries, redirects or parses answers: this product must never repeat a POST, and the SDK's entities import 1,250
names for each answer they read. So every builder method returns the raw answer, whatever its annotation says
(docs/decisions/0016).
"""

import asyncio
import os
import re
import ssl
import threading
import time
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import yarl
from kiota_abstractions.request_adapter import RequestAdapter
from kiota_abstractions.request_information import RequestInformation
from kiota_abstractions.request_option import RequestOption
from kiota_abstractions.serialization import SerializationWriterFactory
from kiota_abstractions.store import BackingStoreFactory
from kiota_serialization_json.json_serialization_writer_factory import JsonSerializationWriterFactory
from multidict import CIMultiDictProxy

import counters
from transports.base import AccessToken
from transports.loop_thread import LoopThread

MAX_ANSWER = 32 * 1024 * 1024  # bytes, where a request says nothing else
CALL_CAP = 25.0  # seconds from the first byte to the complete answer, however slowly it arrives
_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=15.0, sock_connect=5.0, sock_read=20.0)
# The placeholder for the token's owner in the SDK's paths. The SDK's own middleware replaces it the same way.
_OWNER, _ME = "/users/me-token-to-replace", "/me"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_NAME = re.compile(r"{([^}]+)}")
# Ids that stay the same when an item moves between folders (Graph, "Obtain immutable identifiers").
IMMUTABLE_IDS = 'IdType="ImmutableId"'
_HEADERS = {"User-Agent": "Onbehalf", "Prefer": IMMUTABLE_IDS}
_NEVER_CONNECTED = aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL

# The token of the current request, because one client serves all mailboxes.
BEARER: ContextVar[AccessToken] = ContextVar("bearer")


class UnansweredError(Exception):
    """No answer. ``left`` is false only when the request certainly never reached Graph."""

    def __init__(self, cause: BaseException, *, left: bool) -> None:
        self.left = left
        super().__init__(type(cause).__name__)


class UnencryptedError(Exception):
    """The address is neither https nor on this machine, so we do not send it a token."""


class ForeignAddressError(Exception):
    """The address is not under the configured one, so we do not send it a token."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer, or the beginning of one that is too long (``cut``). ``headers`` ignore case."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    cut: bool = False


@dataclass(frozen=True, slots=True)
class FirstBytes(RequestOption):
    """Read no more than this of the answer."""

    count: int

    @staticmethod
    def get_key() -> str:
        """Return the key in a request's options."""
        return "first_bytes"


class OnceAdapter(RequestAdapter[RequestInformation]):
    """Sends each request with the token of ``BEARER``. ``base_url``: Graph's, with its version.

    Called from plain threads: its coroutines wait for the loop thread without suspending, and finish in one step.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        parts = urlsplit(base_url)
        self._in_the_clear = parts.scheme != "https" and parts.hostname not in _LOOPBACK
        self._writers = JsonSerializationWriterFactory()
        self._lock = threading.Lock()
        self._owner = 0
        self._opened: tuple[LoopThread, aiohttp.ClientSession] | None = None

    async def send_async(self, request_info: RequestInformation, *_: object, **__: object) -> Any:
        """Return the raw answer. Raises ``UnansweredError``, and other errors only before anything has left."""
        method, (url, headers) = request_info.http_method, self._addressed(request_info)
        assert method is not None
        option = request_info.request_options.get(FirstBytes.get_key())
        most = option.count if isinstance(option, FirstBytes) else MAX_ANSWER
        thread, session = self._open()
        began = time.monotonic()
        status: int | None = None
        try:
            exchange = _exchange(session, method.value, url, headers, request_info.content, most)
            answer = thread.run(exchange, CALL_CAP + 5)
            status = answer.status
        except Exception as error:
            raise UnansweredError(error, left=not isinstance(error, _NEVER_CONNECTED)) from error
        finally:
            counters.answered("graph", _name(method.value, request_info), time.monotonic() - began, status)
        return answer

    send_collection_async = send_async
    send_collection_of_primitive_async = send_async
    send_primitive_async = send_async
    send_no_response_content_async = send_async

    def _addressed(self, request: RequestInformation) -> tuple[yarl.URL, dict[str, str]]:
        """Return the URL and headers. The token goes only to the configured address, and never unencrypted."""
        if self._in_the_clear:
            raise UnencryptedError
        request.path_parameters["baseurl"] = self.base_url
        url = expanded(request).replace(_OWNER, _ME, 1)
        if not url.startswith(f"{self.base_url}/"):
            raise ForeignAddressError
        headers = {**(request.request_headers or {}), "Authorization": f"Bearer {BEARER.get().value}"}
        return yarl.URL(url, encoded=True), headers

    def _open(self) -> tuple[LoopThread, aiohttp.ClientSession]:
        with self._lock:
            if self._opened is None or self._owner != os.getpid():
                # Threads do not survive a fork, so a child needs a new loop thread.
                self._owner, thread = os.getpid(), LoopThread("graph-loop")
                self._opened = thread, thread.run(_session(), CALL_CAP)
            return self._opened

    def close(self) -> None:
        """Close connections and the thread; a later request opens them again."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None and self._owner == os.getpid():
            thread, session = opened
            thread.run(session.close(), 5)
            thread.stop()

    def get_serialization_writer_factory(self) -> SerializationWriterFactory:
        """Return the only format that models are written in: JSON."""
        return self._writers

    def enable_backing_store(self, backing_store_factory: BackingStoreFactory | None) -> None:
        """Do nothing: models are written whole, so we need not track changes."""

    async def convert_to_native_async(self, request_info: RequestInformation) -> RequestInformation:
        """Return the request unchanged."""
        return request_info


def _name(method: str, request: RequestInformation) -> str:
    """Return a request's name without ids, such as ``POST messages/*/send``. There are as many as builders that we use."""
    if request.RAW_URL_KEY in request.path_parameters:
        return f"{method} by URL"
    return _name_of(method, request.url_template or "")


@lru_cache(maxsize=256)
def _name_of(method: str, template: str) -> str:
    path = template.partition("{?")[0].removeprefix("{+baseurl}/users/{user%2Did}").removeprefix("{+baseurl}")
    return f"{method} {_NAME.sub('*', path).strip('/') or 'me'}"


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


async def _session() -> aiohttp.ClientSession:
    # HTTP/1.1 only: on a shared HTTP/2 connection, one reset would put every email in flight in doubt.
    # Connections idle for at most 15 s, so that a request rarely meets one that the other side has just closed.
    connector = aiohttp.TCPConnector(
        ssl=ssl.create_default_context(), limit=256, keepalive_timeout=15, ttl_dns_cache=60
    )
    # Mailboxes share the session, so it keeps no cookies.
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=_HEADERS,
        skip_auto_headers=["Content-Type"],  # a submission has no body
        timeout=_TIMEOUT,
        trust_env=False,
    )


def expanded(request: RequestInformation) -> str:
    """Return ``request.url``, five times as fast if only ids vary: kiota scans template and ids character by character."""
    values, template = request.path_parameters, request.url_template
    if request.query_parameters or request.RAW_URL_KEY in values or template is None:
        return request.url
    path = template.partition("{?")[0].removeprefix("{+baseurl}")
    base: str = values["baseurl"]
    return base + _NAME.sub(lambda found: quote(str(values[found[1]]), safe=""), path)
