"""How requests reach Microsoft Entra: each once, within a cap, and only answers that MSAL can read get to it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter

import counters
from config import PUBLIC_ENTRA_URL
from domain.errors import ProviderUnavailable, Throttled
from transports.entra_errors import failure
from transports.retry_after import retry_after

CAP = 8.0  # seconds for one refresh: it must end well within the lock's transaction
_MAX_ANSWER = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Response:
    """The four parts of an answer that MSAL reads."""

    status_code: int
    text: str
    headers: Mapping[str, str]

    def raise_for_status(self) -> None:
        """Do nothing: an error status has already raised."""


def open_session(emulator_url: str | None) -> requests.Session:
    """Return a session for Entra: no proxies or certificates from the environment, no cookies. ``emulator_url``: who answers instead."""
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.mount("https://", HTTPAdapter(pool_connections=4, pool_maxsize=32, max_retries=0))
    if emulator_url is not None:
        session.mount(f"{PUBLIC_ENTRA_URL}/", _EmulatorAdapter(emulator_url))
    return session


class TokenHttp:
    """The HTTP client for MSAL. It follows no redirects."""

    def __init__(self, emulator_url: str | None) -> None:
        self._session = open_session(emulator_url)

    def post(  # noqa: D102 - as MSAL asks for it
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> _Response:
        return self._exchange("POST", url, params, data, headers)

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> _Response:
        """GET the discovery document. A refusal raises its meaning: a deleted tenant has no document any more."""
        found = self._exchange("GET", url, params, None, headers)
        if found.status_code >= 400:
            raise failure(orjson.loads(found.text))
        return found

    def _exchange(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        data: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> _Response:
        began = time.monotonic()
        ends_at = began + CAP
        status: int | None = None
        try:
            with self._session.request(
                method, url, params=params, data=data, headers=headers,
                timeout=(3.0, CAP - 3.0), allow_redirects=False, stream=True,
            ) as response:  # fmt: skip
                body = bytearray()
                for chunk in response.iter_content(8192):
                    body += chunk
                    if len(body) > _MAX_ANSWER or time.monotonic() > ends_at:
                        raise ProviderUnavailable(
                            "Microsoft Entra's answer is endless or too slow.", code="unreadable_answer"
                        )
                status, answer_headers = response.status_code, dict(response.headers)
        except (requests.RequestException, OSError) as error:
            raise ProviderUnavailable(
                "Microsoft's sign-in service did not answer.", code=type(error).__name__
            ) from error
        finally:
            request = "token" if method == "POST" else "discovery"
            counters.answered("entra", request, time.monotonic() - began, status)
        return checked(status, bytes(body), answer_headers)

    def close(self) -> None:
        """Close connections."""
        self._session.close()


def checked(status: int, body: bytes, headers: Mapping[str, str]) -> _Response:
    """Pass on only answers that MSAL can read. It would log the others in full. Raises ``Throttled``, ``ProviderUnavailable``."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = None
    asked = next((value for name, value in headers.items() if name.lower() == "retry-after"), None)
    if status == 429 or (status == 503 and asked is not None):
        # No token, so no email: nothing was certainly submitted with it.
        raise Throttled(
            "Microsoft's sign-in service asks us to wait a moment.",
            retry_after=retry_after(asked),
            code=f"entra_{status}",
            untaken=True,
        )
    if status >= 500:
        raise ProviderUnavailable("Microsoft's sign-in service is having trouble.", code=f"entra_{status}")
    if not isinstance(answer, dict) or 300 <= status < 400:
        raise ProviderUnavailable(
            "The answer of Microsoft's sign-in service was cut off, or Onbehalf does not know its form.",
            code="unreadable_answer",
        )
    if status >= 400 and not isinstance(answer.get("error"), str):
        raise ProviderUnavailable(
            "Microsoft's sign-in service refused without giving a reason.", code=f"entra_{status}"
        )
    return _Response(status, body.decode("utf-8", "replace"), headers)


class _EmulatorAdapter(HTTPAdapter):
    """Sends requests for Microsoft's host to an emulator, naming the intended host in a header."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        super().__init__(pool_connections=4, pool_maxsize=32, max_retries=0)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = self._url + (request.url or "").removeprefix(PUBLIC_ENTRA_URL)
        request.headers["X-Emulated-Host"] = urlsplit(PUBLIC_ENTRA_URL).hostname or ""
        return super().send(request, *args, **kwargs)
