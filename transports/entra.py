"""Microsoft Entra's token endpoint, through MSAL, without MSAL's caches.

MSAL keeps every 400 for 60 s, and every 429 for as long as it says, per process. An owner who has just signed in again
would still get the old error, and waiting belongs in our own rows. MSAL also keeps access tokens, which must not outlive
one delivery, and logs answers it cannot read, which may hold tokens. So we give it an HTTP client that checks answers
first, an HTTP cache that forgets, and a token cache that stores nothing.
"""

import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msal
import orjson

from config import PUBLIC_ENTRA_URL
from domain.errors import MailboxDisconnected, ProviderUnavailable
from transports.base import AccessToken
from transports.entra_credential import Credential
from transports.entra_errors import app_refused, failure
from transports.entra_http import TokenHttp
from transports.token_endpoint import Tokens

# The resources that tokens are for.
GRAPH = "https://graph.microsoft.com/"
OUTLOOK = "https://outlook.office.com/"
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,127}")


class Entra:
    """``TokenEndpoint``, shared by a process, for any thread. ``entra_url``: the public cloud's, or an emulator's on loopback.

    ``credential``: a client secret, or what ``transports/entra_credential.py`` returns.
    """

    shown = "Microsoft"

    def __init__(self, client_id: str, credential: Credential, entra_url: str = PUBLIC_ENTRA_URL) -> None:
        self.client_id, self._credential = client_id, credential
        emulated = urlsplit(entra_url).scheme == "http"
        self._shown_at = entra_url.rstrip("/")
        # MSAL accepts only https, so we redirect requests to an emulator below it, under Microsoft's own name.
        self.authority = PUBLIC_ENTRA_URL if emulated else entra_url.rstrip("/")
        self._http = TokenHttp(entra_url if emulated else None)
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

    def missing_scopes(self, granted: Iterable[str], asked: Iterable[str]) -> frozenset[str]:
        """The scopes asked for, as Microsoft spells them, that are not among ``granted``."""
        return missing_scopes(granted, asked)

    def app_refused(self, code: str) -> str:
        """Return the operators' message when Entra refuses the app itself."""
        return app_refused(code)

    def application(self, tenant: str) -> msal.ConfidentialClientApplication:
        """Return MSAL's application for one tenant (or ``organizations``). The sign-in flow uses it too."""
        check_tenant(tenant)
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


def check_tenant(tenant: str) -> None:
    """Raise ``MailboxDisconnected`` where this can be none: it becomes part of an address."""
    if not _TENANT.fullmatch(tenant):
        raise MailboxDisconnected(
            "The mailbox names no Microsoft tenant; connect it again.", code="no_tenant"
        )


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
