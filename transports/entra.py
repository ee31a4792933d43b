"""Microsoft Entra's token endpoint, through MSAL, without MSAL's caches.

MSAL keeps every 400 for 60 s, and every 429 for as long as it says, per process. An owner who has just signed in again
would still get the old error, and waiting belongs in our own rows. MSAL also keeps access tokens, which must not outlive
one delivery, and logs answers it cannot read, which may hold tokens. So we give it an HTTP client that checks answers
first, an HTTP cache that forgets, and a token cache that stores nothing.
"""

import re
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import msal
import orjson
import requests
from requests.adapters import HTTPAdapter

import counters
from config import PUBLIC_ENTRA_URL
from domain.errors import MailboxDisconnected, ProviderUnavailable, Throttled
from transports.base import AccessToken
from transports.entra_credential import Credential
from transports.entra_errors import failure
from transports.retry_after import retry_after

# The resources that tokens are for.
GRAPH = "https://graph.microsoft.com/"
OUTLOOK = "https://outlook.office.com/"
CAP = 8.0  # seconds for one refresh: it must end well within the lock's transaction
_MAX_ANSWER = 256 * 1024
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,127}")


@dataclass(frozen=True, slots=True)
class Tokens:
    """The result of a refresh. ``scopes`` are those granted, normalized by ``normalise_scope``."""

    access_token: AccessToken
    refresh_token: str = field(repr=False)
    scopes: frozenset[str]


class Entra:
    """Shared by a process, for any thread. ``entra_url``: the public cloud's, or an emulator's on loopback.

    ``credential``: a client secret, or what ``transports/entra_credential.py`` returns.
    """

    def __init__(self, client_id: str, credential: Credential, entra_url: str = PUBLIC_ENTRA_URL) -> None:
        self.client_id, self._credential = client_id, credential
        emulated = urlsplit(entra_url).scheme == "http"
        self._shown_at = entra_url.rstrip("/")
        # MSAL accepts only https, so we redirect requests to an emulator below it, under Microsoft's own name.
        self.authority = PUBLIC_ENTRA_URL if emulated else entra_url.rstrip("/")
        self._http = _TokenHttp(entra_url if emulated else None)
        self._applications: dict[str, msal.ConfidentialClientApplication] = {}
        self._lock = threading.Lock()

    def refresh(
        self,
        refresh_token: str,
        tenant_id: str,
        *,
        scopes: Sequence[str],
        claims: str | None = None,
    ) -> Tokens:
        """Exchange a refresh token for new tokens. ``claims``: the JSON text of a claims challenge to meet.

        Raises ``MailboxDisconnected``, ``ConsentMissing``, ``AdminApprovalRequired``, ``PolicyBlocked``,
        ``OperatorMisconfigured``, ``Throttled`` and ``ProviderUnavailable``.
        """
        application = self.application(tenant_id)
        asked_at = datetime.now(UTC)
        # MSAL sends neither capabilities nor claims with a foreign refresh token. Its ``data`` lets us add them.
        answer: Mapping[str, object] = application.acquire_token_by_refresh_token(
            refresh_token, list(scopes), data={"claims": _with_capabilities(claims)}
        )
        if "error" in answer:
            raise failure(answer)
        return read_tokens(answer, asked_at, old_refresh_token=refresh_token)

    def application(self, tenant: str) -> msal.ConfidentialClientApplication:
        """Return MSAL's application for one tenant (or ``organizations``). The sign-in flow uses it too."""
        if not _TENANT.fullmatch(tenant):
            raise MailboxDisconnected(
                "The mailbox names no Microsoft tenant; connect it again.", code="no_tenant"
            )
        with self._lock:
            known = self._applications.get(tenant)
        if known is not None:
            return known
        try:
            made = msal.ConfidentialClientApplication(
                self.client_id,
                client_credential=self._credential,
                authority=f"{self.authority}/{tenant}",
                client_capabilities=["CP1"],
                token_cache=_NoTokenCache(),
                http_client=self._http,
                http_cache=_Forgetful(),
                instance_discovery=False,
            )
        except ValueError as error:
            # The tenant has no discovery document: the tenant is gone, or the address is not Entra's.
            raise ProviderUnavailable(
                "Microsoft Entra does not know the tenant.", code="no_discovery"
            ) from error
        with self._lock:
            if len(self._applications) >= 1000:
                self._applications.clear()
            return self._applications.setdefault(tenant, made)

    def for_browsers(self, url: str) -> str:
        """Return the URL of an Entra page for browsers, which reach an emulator at a different address."""
        return self._shown_at + url.removeprefix(self.authority)

    def close(self) -> None:
        """Close connections."""
        self._http.close()


def read_tokens(answer: Mapping[str, object], asked_at: datetime, *, old_refresh_token: str = "") -> Tokens:
    """Read tokens from a successful answer. If Entra leaves out the refresh token, the old one stays valid."""
    access, expires_in = answer.get("access_token"), answer.get("expires_in")
    refresh = answer.get("refresh_token") or old_refresh_token
    scope = answer.get("scope")
    try:
        seconds = int(expires_in) if isinstance(expires_in, int | str) else 0
    except ValueError:
        seconds = 0
    if not (
        isinstance(access, str) and access and isinstance(refresh, str) and refresh and 0 < seconds < 10**7
    ):
        raise ProviderUnavailable("Microsoft Entra's answer lacks a token.", code="unreadable_answer")
    granted = scope.split() if isinstance(scope, str) else []
    token = AccessToken(access, asked_at + timedelta(seconds=seconds))
    return Tokens(token, refresh, frozenset(normalise_scope(name) for name in granted))


def normalise_scope(scope: str) -> str:
    """Normalize a scope: ``https://graph.microsoft.com/Mail.Send`` and ``mail.send`` are both ``mail.send``."""
    lowered = scope.strip().lower()
    return lowered.removeprefix(GRAPH).removeprefix(OUTLOOK)


def missing_scopes(granted: Iterable[str], asked: Iterable[str]) -> frozenset[str]:
    """The scopes asked for, as Microsoft spells them, that are not among ``granted``."""
    have = {normalise_scope(scope) for scope in granted}
    return frozenset(scope.rpartition("/")[2] for scope in asked if normalise_scope(scope) not in have)


def _with_capabilities(claims: str | None) -> str:
    """Merge our ability to meet claims challenges ("CP1") into the challenge to meet."""
    try:
        wanted = orjson.loads(claims) if claims else {}
    except orjson.JSONDecodeError:
        wanted = {}
    wanted = wanted if isinstance(wanted, dict) else {}
    access = wanted.get("access_token")
    wanted["access_token"] = {**(access if isinstance(access, dict) else {}), "xms_cc": {"values": ["CP1"]}}
    return orjson.dumps(wanted).decode()


class _NoTokenCache(msal.TokenCache):  # type: ignore[misc]  # msal has no types
    """Stores nothing: tokens live in our encrypted rows and, during one delivery, in memory."""

    def add(self, event: object, now: object = None) -> None:
        """Store nothing."""


class _Forgetful(dict[str, Any]):
    """An HTTP cache for MSAL that is always empty."""

    def __setitem__(self, key: str, value: object) -> None:
        """Store nothing."""


@dataclass(frozen=True, slots=True)
class _Response:
    """The four parts of an answer that MSAL reads."""

    status_code: int
    text: str
    headers: Mapping[str, str]

    def raise_for_status(self) -> None:
        """Do nothing: an error status has already raised."""


class _TokenHttp:
    """The HTTP client for MSAL: no proxies or certificates from the environment, no redirects, no cookies."""

    def __init__(self, emulator_url: str | None) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.mount("https://", HTTPAdapter(pool_connections=4, pool_maxsize=32, max_retries=0))
        if emulator_url is not None:
            self._session.mount(f"{PUBLIC_ENTRA_URL}/", _EmulatorAdapter(emulator_url))

    def post(
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
        return _checked(status, bytes(body), answer_headers)

    def close(self) -> None:
        self._session.close()


def _checked(status: int, body: bytes, headers: Mapping[str, str]) -> _Response:
    """Pass on only answers that MSAL can read. It would log the others in full."""
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
