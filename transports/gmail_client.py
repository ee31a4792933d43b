"""The only access to Gmail: google-api-python-client builds each request, ``transports/once.py`` carries it once.

The library's own ``execute`` and its HTTP client are not used: they retry by themselves, know no time for a whole answer, and serve
one thread each. Its ``requestBuilder`` is made to be replaced, so methods return what they would have sent.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from google.api_core.client_options import ClientOptions
from googleapiclient.discovery import build

from transports.base import AccessToken, TokenSource
from transports.gmail_quota import UNITS
from transports.google import GMAIL
from transports.once import ANY_NEWER, MAX_ANSWER, Answer, Once, UnansweredError, read_token, step_back

_WHO = "https://www.googleapis.com"


@dataclass(frozen=True, slots=True)
class Built:
    """A request as the library would send it. ``name``: the method's, such as ``gmail.users.drafts.send``."""

    name: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None


class Service:
    """The library's resources, each made once, because it makes them anew at every mention. Its methods return ``Built``."""

    def __init__(self, url: str) -> None:
        """``url``: an emulator's, or empty for Google's own addresses."""
        self._options = ClientOptions(api_endpoint=f"{url}/") if url else None
        users = self._made("gmail", "v1").users()
        self.drafts: Any = users.drafts()
        self.messages: Any = users.messages()
        self.history: Any = users.history()
        self.send_as: Any = users.settings().sendAs()
        self.settings: Any = users.settings()
        self.users: Any = users

    @cached_property
    def who(self) -> Any:
        """The account that a token is of."""
        return self._made("oauth2", "v2").userinfo()

    def _made(self, name: str, version: str) -> Any:
        # The description of the API comes with the library. Nothing is asked of Google, and nothing is read from the environment.
        return build(
            name,
            version,
            http=_NoHttp(),
            requestBuilder=_built,
            static_discovery=True,
            client_options=self._options,
        )


Request = Callable[[Service], Built]


class GmailClient:
    """Shared by a process's transports, for any thread. ``url``: an emulator's, or empty for Google's own addresses."""

    def __init__(self, url: str = "") -> None:
        self._url = url.rstrip("/")
        self._once = Once("gmail", *([self._url] if url else [GMAIL, _WHO]), headers={})
        self._lock = threading.Lock()
        self._service: Service | None = None

    def call(
        self,
        tokens: TokenSource,
        request: Request,
        *,
        leave_by: float | None = None,
        most: int = MAX_ANSWER,
        spend: Callable[[int], None] | None = None,
    ) -> Answer:
        """Send one request, once. Raises ``UnansweredError``, and what ``tokens`` raises.

        ``leave_by`` (monotonic): do not send at all if fetching the token took longer. ``most``: bytes of the answer. ``spend``: hears
        what the request costs before it leaves, and may take its time. A request answered with 401 was not executed ("Resolve errors"),
        so it is sent again with a newer token.
        """
        answer = self._call(request, read_token(tokens), leave_by, most, spend)
        if answer.status == 401:
            answer = self._call(request, read_token(tokens, ANY_NEWER), leave_by, most, spend)
        return answer

    def _call(
        self,
        request: Request,
        token: AccessToken,
        leave_by: float | None,
        most: int,
        spend: Callable[[int], None] | None,
    ) -> Answer:
        step_back(leave_by)
        try:
            built = request(self._opened())
            units = UNITS[built.name]
            if spend is not None:
                spend(units)
            return self._once.carry(
                f"{built.method} {built.name.removeprefix('gmail.users.')}",
                built.method,
                built.url,
                token,
                headers=built.headers,
                body=built.body,
                most=most,
            )
        except UnansweredError:
            raise
        except Exception as error:  # ``carry`` reports everything in transit, so this happened before
            raise UnansweredError(error, left=False) from error

    def _opened(self) -> Service:
        with self._lock:
            if self._service is None:
                self._service = Service(self._url)
            return self._service

    def close(self) -> None:
        """Close connections; a later call opens them again."""
        self._once.close()


def _built(
    http: object,  # noqa: ARG001
    postproc: object,  # noqa: ARG001
    uri: str,
    method: str = "GET",
    body: str | bytes | None = None,
    headers: Mapping[str, str] | None = None,
    methodId: str = "",  # noqa: N803 - the library's name
    resumable: object = None,  # noqa: ARG001
) -> Built:
    """Take the place of ``googleapiclient.http.HttpRequest``, with its arguments. Nothing is uploaded in parts."""
    kept = {name: value for name, value in (headers or {}).items() if name in ("accept", "content-type")}
    return Built(methodId, method, uri, kept, body.encode() if isinstance(body, str) else body)


class _NoHttp:
    """Stands where the library wants an HTTP client, so that it looks for no credentials of this machine."""

    def close(self) -> None:
        """Do nothing."""
