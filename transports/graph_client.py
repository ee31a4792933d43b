"""The one way to Microsoft Graph: one SDK client and one loop thread per process. Plain threads call ``GraphClient.call``."""

import asyncio
import base64
import binascii
import os
import re
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, cast

from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from domain.errors import OperatorMisconfigured, ProviderError, ProviderUnavailable
from transports.base import AccessToken, TokenSource
from transports.graph_adapter import BEARER, CALL_CAP, Answer, OnceAdapter, UnansweredError

# "Any token newer than the refused one", for a 401 that names no claims.
_ANY_NEWER = "{}"

Request = Callable[[GraphServiceClient], Awaitable[object]]
"""One call of the SDK: ``lambda client: client.me.mailbox_settings.get()``. It ends in an ``Answer``."""
Result = TypeVar("Result")


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


class GraphClient:
    """Shared by a process's transports. ``graph_url``: ``https://graph.microsoft.com`` or an emulator's."""

    def __init__(self, graph_url: str) -> None:
        self.base_url = f"{graph_url.rstrip('/')}/v1.0"
        self._adapter = OnceAdapter(self.base_url)
        # Its annotation names the SDK's own adapter; any of kiota's will do.
        self._sdk = GraphServiceClient(request_adapter=cast("GraphRequestAdapter", self._adapter))
        self._lock = threading.Lock()
        self._owner = 0
        self._thread: LoopThread | None = None

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
        try:
            thread = self._open()
        except Exception as error:
            raise UnansweredError(error, left=False) from error
        try:
            return thread.run(self._ask(request, token), CALL_CAP + 5)
        except UnansweredError:
            raise
        except Exception as error:  # the loop itself: what had become of the request, it cannot say
            raise UnansweredError(error, left=True) from error

    async def _ask(self, request: Request, token: AccessToken) -> Answer:
        BEARER.set(token)
        try:
            answer = await request(self._sdk)
        except UnansweredError:
            raise
        except Exception as error:  # the adapter reports all that happens on the way; this was before it
            raise UnansweredError(error, left=False) from error
        assert isinstance(answer, Answer)
        return answer

    def _open(self) -> LoopThread:
        with self._lock:
            if self._thread is None or self._owner != os.getpid():
                # A forked child has no loop thread: threads do not survive a fork.
                self._owner = os.getpid()
                thread = LoopThread()
                thread.run(self._adapter.open(), CALL_CAP)
                self._thread = thread
            return self._thread

    def close(self) -> None:
        """Close connections and the thread; a later call opens them again."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is None or self._owner != os.getpid():
            return
        thread.run(self._adapter.close(), 5)
        thread.stop()


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
