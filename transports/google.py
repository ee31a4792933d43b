"""Google's token endpoint, through google-auth, at the place where it wants an HTTP client.

google-auth asks up to three times by itself, and its errors keep whole answers, which may hold tokens. So the client that we
give it answers only with what it can read, and raises our own errors for everything else, before it counts anything.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlencode

import orjson
import requests
from google.auth import transport
from google.oauth2 import reauth
from oauthlib.oauth2 import WebApplicationClient
from requests.adapters import HTTPAdapter

import counters
from config import PUBLIC_GOOGLE_URL
from domain.errors import ProviderUnavailable, Throttled
from transports.base import AccessToken
from transports.google_errors import app_refused, failure
from transports.retry_after import retry_after
from transports.token_endpoint import Tokens

SCOPE = "https://www.googleapis.com/auth/"
MODIFY = f"{SCOPE}gmail.modify"  # drafts, sending, reading, and reading settings; not deleting for good, not changing settings
# Google's own spellings of what an app asks for in other words ("OAuth 2.0 Scopes").
_SPELLED = {"email": f"{SCOPE}userinfo.email", "profile": f"{SCOPE}userinfo.profile"}
CAP = 8.0  # seconds for one refresh: it must end well within the lock's transaction
_TOKENS = "https://oauth2.googleapis.com"
GMAIL = "https://gmail.googleapis.com"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_LONGEST = timedelta(days=1)
_MAX_ANSWER = 256 * 1024


class Google:
    """``TokenEndpoint``, shared by a process, for any thread. ``url``: an emulator's on loopback, or empty for Google's own addresses."""

    shown = "Google"

    def __init__(self, client_id: str, client_secret: str, url: str = "") -> None:
        self.client_id, self._secret = client_id, client_secret
        self._emulator = url.rstrip("/")
        self._token_uri = f"{self._emulator or _TOKENS}/token"
        self._revoke_uri = f"{self._emulator or _TOKENS}/revoke"
        self._http = GoogleHttp()

    def for_browsers(self, page: str) -> str:
        """Return the URL of Google's consent page for browsers: the emulator's, if there is one."""
        return page if not self._emulator else self._emulator + page.removeprefix(PUBLIC_GOOGLE_URL)

    def refresh(
        self,
        refresh_token: str,
        tenant_id: str,
        *,
        scopes: Sequence[str],
        claims: str | None = None,
    ) -> Tokens:
        """Exchange a refresh token for an access token, which is a new one at every call; the refresh token stays.

        ``tenant_id``, ``scopes`` and ``claims`` are as at Entra, and unused: a token of Google's has all that was consented to, and
        the answer names it. Raises ``MailboxDisconnected``, ``ConsentMissing``, ``AdminApprovalRequired``, ``PolicyBlocked``,
        ``OperatorMisconfigured``, ``Throttled`` and ``ProviderUnavailable``.
        """
        asked_at = datetime.now(UTC)
        access, kept, expiry, answer, _ = reauth.refresh_grant(  # type: ignore[no-untyped-call]
            self._http, self._token_uri, refresh_token, self.client_id, self._secret
        )
        if not access or expiry is None:
            raise ProviderUnavailable("Google's answer lacks a token.", code="unreadable_answer")
        lifetime = min(expiry.replace(tzinfo=UTC) - asked_at, _LONGEST)
        return Tokens(AccessToken(access, asked_at + lifetime), kept, _scopes(answer.get("scope")))

    def redeem(
        self, code: str, verifier: str, *, redirect_uri: str, asked_at: datetime
    ) -> tuple[Tokens, str]:
        """Exchange the code of a consent for tokens and the ID token. Raises what ``refresh`` raises."""
        body = WebApplicationClient(self.client_id).prepare_request_body(
            code=code, redirect_uri=redirect_uri, code_verifier=verifier, client_secret=self._secret
        )
        response = self._http(self._token_uri, "POST", body.encode(), _FORM)
        answer = orjson.loads(response.data)
        refresh_token, id_token = answer.get("refresh_token"), answer.get("id_token")
        if not isinstance(refresh_token, str) or not refresh_token or not isinstance(id_token, str):
            raise ProviderUnavailable("Google's answer lacks a token.", code="unreadable_answer")
        lifetime = min(timedelta(seconds=int(answer["expires_in"])), _LONGEST)
        access = AccessToken(answer["access_token"], asked_at + lifetime)
        return Tokens(access, refresh_token, _scopes(answer.get("scope"))), id_token

    def revoke(self, token: str) -> bool:
        """End the whole grant that the token belongs to. Returns False where Google says that it had ended before.

        "Revoking a token" ("Using OAuth 2.0 for Web Server Applications"). Raises ``ProviderUnavailable``, ``Throttled``.
        """
        body = urlencode({"token": token}).encode()
        status, _, headers = self._http.ask(self._revoke_uri, "POST", body, _FORM)
        if status == 200:
            return True
        if status == 400:
            return False
        _check_status(status, headers)
        raise ProviderUnavailable("Google did not end our access.", code=f"google_{status}")

    def missing_scopes(self, granted: Iterable[str], asked: Iterable[str]) -> frozenset[str]:
        """The scopes asked for that are not among ``granted``."""
        return missing_scopes(granted, asked)

    def app_refused(self, code: str) -> str:
        """Return the operators' message when Google refuses the app itself."""
        return app_refused(code)

    def close(self) -> None:
        """Close connections."""
        self._http.close()


def _scopes(granted: object) -> frozenset[str]:
    return (
        frozenset(normalise_scope(each) for each in granted.split())
        if isinstance(granted, str)
        else frozenset()
    )


def normalise_scope(scope: str) -> str:
    """Normalize a scope: ``https://www.googleapis.com/auth/gmail.modify`` and ``gmail.modify`` are both ``gmail.modify``."""
    lowered = scope.strip().lower()
    return _SPELLED.get(lowered, lowered).removeprefix(SCOPE)


def missing_scopes(granted: Iterable[str], asked: Iterable[str]) -> frozenset[str]:
    """The scopes asked for that are not among ``granted``: each has a box of its own on Google's page ("granular permissions")."""
    have = {normalise_scope(each) for each in granted}
    return frozenset(normalise_scope(each) for each in asked) - have


class HttpResponse(transport.Response):
    """An answer that google-auth can read."""

    def __init__(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self._status, self._headers, self._data = status, headers, data

    @property
    def status(self) -> int:
        """The answer's status."""
        return self._status

    @property
    def headers(self) -> Mapping[str, str]:
        """The answer's headers."""
        return self._headers

    @property
    def data(self) -> bytes:
        """The answer's body."""
        return self._data


class GoogleHttp(transport.Request):
    """The HTTP client for google-auth: no proxies or certificates from the environment, no redirects, no cookies, no second try."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=32, max_retries=0))

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: object,
    ) -> HttpResponse:
        """Send one request about tokens. Raises our own errors for everything that is none."""
        return _checked(*self.ask(url, method, body, headers))

    def ask(
        self, url: str, method: str, body: bytes | None, headers: Mapping[str, str] | None
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """Send one request; returns the answer's status, body and headers. Raises ``ProviderUnavailable``."""
        began = time.monotonic()
        ends_at = began + CAP
        status: int | None = None
        try:
            with self._session.request(
                method, url, data=body, headers=dict(headers or {}), timeout=(3.0, CAP - 3.0),
                allow_redirects=False, stream=True,
            ) as response:  # fmt: skip
                read = bytearray()
                for chunk in response.iter_content(8192):
                    read += chunk
                    if len(read) > _MAX_ANSWER or time.monotonic() > ends_at:
                        raise ProviderUnavailable(
                            "Google's answer is endless or too slow.", code="unreadable_answer"
                        )
                status, answered = response.status_code, dict(response.headers)
        except (requests.RequestException, OSError) as error:
            raise ProviderUnavailable(
                "Google's sign-in service did not answer.", code=type(error).__name__
            ) from error
        finally:
            counters.answered("google", "token", time.monotonic() - began, status)
        return status, bytes(read), answered

    def close(self) -> None:
        """Close connections."""
        self._session.close()


def _check_status(status: int, headers: Mapping[str, str]) -> None:
    asked = next((value for name, value in headers.items() if name.lower() == "retry-after"), None)
    if status == 429 or (status == 503 and asked is not None):
        # No token, so no email: nothing was certainly submitted with it.
        raise Throttled(
            "Google's sign-in service asks us to wait a moment.",
            retry_after=retry_after(asked),
            code=f"google_{status}",
            untaken=True,
        )
    if status >= 500:
        raise ProviderUnavailable("Google's sign-in service is having trouble.", code=f"google_{status}")


def _checked(status: int, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
    """Pass on only tokens. What google-auth cannot read would end in the text of its error."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = None
    _check_status(status, headers)
    if not isinstance(answer, dict) or 300 <= status < 400:
        raise ProviderUnavailable(
            "The answer of Google's sign-in service was cut off, or Onbehalf does not know its form.",
            code="unreadable_answer",
        )
    if status >= 400 and not isinstance(answer.get("error"), str):
        raise ProviderUnavailable(
            "Google's sign-in service refused without giving a reason.", code=f"google_{status}"
        )
    if status >= 400:
        raise failure(answer)
    expires_in = answer.get("expires_in")
    readable = isinstance(expires_in, int | str) and str(expires_in).isdigit() and int(expires_in) > 0
    if not isinstance(answer.get("access_token"), str) or not readable:
        raise ProviderUnavailable("Google's answer lacks a token.", code="unreadable_answer")
    return HttpResponse(status, headers, body)
