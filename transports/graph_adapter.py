"""How the SDK's requests reach Microsoft Graph: one kiota ``RequestAdapter``, over one aiohttp session, each request once.

Nothing here retries, redirects or reads what comes back: a repeated POST is the one thing this product must never do, and the SDK's
entities import 1,250 names for each answer that they take in. So every builder's method returns an ``Answer``, whatever its
annotation says (docs/decisions/0016).
"""

import asyncio
import os
import re
import ssl
import threading
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import yarl
from kiota_abstractions.request_adapter import RequestAdapter
from kiota_abstractions.request_information import RequestInformation
from kiota_abstractions.serialization import SerializationWriterFactory
from kiota_abstractions.store import BackingStoreFactory
from kiota_serialization_json.json_serialization_writer_factory import JsonSerializationWriterFactory
from multidict import CIMultiDictProxy

from transports.base import AccessToken
from transports.loop_thread import LoopThread

CALL_CAP = 25.0  # seconds from the first byte to the whole answer, whatever trickles in
_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=15.0, sock_connect=5.0, sock_read=20.0)
# What stands in the SDK's paths for the token's owner; its own middleware replaces it like this.
_OWNER, _ME = "/users/me-token-to-replace", "/me"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_NAME = re.compile(r"{([^}]+)}")
_HEADERS = {
    "User-Agent": "Onbehalf",
    # Ids that stay the same while an item moves between folders (Graph, "Obtain immutable identifiers").
    "Prefer": 'IdType="ImmutableId"',
}
_NEVER_CONNECTED = aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL

# Whose request it is: one client serves all mailboxes.
BEARER: ContextVar[AccessToken] = ContextVar("bearer")


class UnansweredError(Exception):
    """No answer. ``left`` is false only when the request certainly never reached Graph."""

    def __init__(self, cause: BaseException, *, left: bool) -> None:
        self.left = left
        super().__init__(type(cause).__name__)


class UnencryptedError(Exception):
    """The address is neither https nor this machine's own: no token is shown to it."""


class ForeignAddressError(Exception):
    """The address is not under the configured one: no token is shown to it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. ``headers`` ignore case."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes


class OnceAdapter(RequestAdapter[RequestInformation]):
    """Carries each request with the token of ``BEARER``. ``base_url``: Graph's, with its version.

    Called from plain threads: its coroutines wait for the loop thread without suspending, and end at their first step.
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
        """The ``Answer``. Raises ``UnansweredError``, and whatever else before anything has left."""
        method, (url, headers) = request_info.http_method, self._addressed(request_info)
        assert method is not None
        thread, session = self._open()
        try:
            return thread.run(
                _exchange(session, method.value, url, headers, request_info.content), CALL_CAP + 5
            )
        except Exception as error:
            raise UnansweredError(error, left=not isinstance(error, _NEVER_CONNECTED)) from error

    send_collection_async = send_async
    send_collection_of_primitive_async = send_async
    send_primitive_async = send_async
    send_no_response_content_async = send_async

    def _addressed(self, request: RequestInformation) -> tuple[yarl.URL, dict[str, str]]:
        """Where it goes, and with what. The token is shown to the configured address only, and never in the clear."""
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
                # A forked child has no loop thread: threads do not survive a fork.
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
        """What models are written with: JSON, and nothing else."""
        return self._writers

    def enable_backing_store(self, backing_store_factory: BackingStoreFactory | None) -> None:
        """Models are written whole, so nobody has to know what was changed of them."""

    async def convert_to_native_async(self, request_info: RequestInformation) -> RequestInformation:
        """The request as it is."""
        return request_info


async def _exchange(
    session: aiohttp.ClientSession, method: str, url: yarl.URL, headers: dict[str, str], body: bytes | None
) -> Answer:
    async with (
        asyncio.timeout(CALL_CAP),
        session.request(method, url, headers=headers, data=body, allow_redirects=False) as response,
    ):
        return Answer(response.status, response.headers, await response.read())


async def _session() -> aiohttp.ClientSession:
    # HTTP/1.1 only: on a shared HTTP/2 connection one reset would put every email in flight in doubt.
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


def expanded(request: RequestInformation) -> str:
    """The same as ``request.url``; where only ids vary, five times as fast: kiota reads template and ids letter by letter."""
    values, template = request.path_parameters, request.url_template
    if request.query_parameters or request.RAW_URL_KEY in values or template is None:
        return request.url
    path = template.partition("{?")[0].removeprefix("{+baseurl}")
    base: str = values["baseurl"]
    return base + _NAME.sub(lambda found: quote(str(values[found[1]]), safe=""), path)
