"""Consent at Google: OAuth's authorization code with PKCE, built by oauthlib, and the identity that the answer states.

"Using OAuth 2.0 for Web Server Applications" and "OpenID Connect" (developers.google.com/identity/protocols). The ID token comes
over TLS directly from the token endpoint, which replaces checking its signature (OpenID Connect Core 1.0, 3.1.3.7).
"""

import hmac
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from google.auth import jwt
from google.auth.exceptions import GoogleAuthError
from oauthlib.oauth2 import WebApplicationClient

from config import PUBLIC_GOOGLE_URL
from domain.errors import NotPermitted, ProviderUnavailable
from transports.google import Google
from transports.google_errors import failure
from transports.token_endpoint import Identity, SignedIn

_CONSENT = f"{PUBLIC_GOOGLE_URL}/o/oauth2/v2/auth"
_ISSUERS = {PUBLIC_GOOGLE_URL, "accounts.google.com"}
_SKEW = 300


def begin(
    google: Google, *, redirect_uri: str, scopes: Sequence[str], login_hint: str = ""
) -> dict[str, Any]:
    """Return a flow to store privately until the answer comes. ``auth_uri``: where to send the browser; ``state``: its name.

    Google gives a refresh token only with ``access_type=offline``, and another one only where it asks for consent again.
    """
    client = WebApplicationClient(google.client_id)
    state, nonce, verifier = (
        secrets.token_urlsafe(24),
        secrets.token_urlsafe(24),
        client.create_code_verifier(96),
    )
    page = client.prepare_request_uri(
        _CONSENT,
        redirect_uri=redirect_uri,
        scope=list(scopes),
        state=state,
        code_challenge=client.create_code_challenge(verifier, "S256"),
        code_challenge_method="S256",
        nonce=nonce,
        access_type="offline",
        prompt="consent",
        login_hint=login_hint,
    )
    return {
        "state": state,
        "nonce": nonce,
        "code_verifier": verifier,
        "redirect_uri": redirect_uri,
        "auth_uri": google.for_browsers(page),
    }


def finish(google: Google, flow: Mapping[str, Any], answer: Mapping[str, str]) -> SignedIn:
    """Redeem the code that came back. ``answer``: the callback's query.

    A refusal raises its meaning (``ConsentMissing``, ``AdminApprovalRequired``, ``PolicyBlocked``, …). Raises ``NotPermitted`` for
    an answer to something else, and ``ProviderUnavailable``.
    """
    if not hmac.compare_digest(answer.get("state", "").encode(), str(flow["state"]).encode()):
        raise NotPermitted("The answer does not belong to a sign-in that began here. Start again.")
    if "error" in answer:
        raise failure(answer)
    asked_at = datetime.now(UTC)
    tokens, id_token = google.redeem(
        answer.get("code", ""),
        str(flow["code_verifier"]),
        redirect_uri=str(flow["redirect_uri"]),
        asked_at=asked_at,
    )
    return SignedIn(_identity(google, _claims(id_token), str(flow["nonce"])), tokens)


def _claims(id_token: str) -> Mapping[str, object]:
    try:
        claims: Mapping[str, object] = jwt.decode(id_token, verify=False)  # type: ignore[no-untyped-call]
    except (GoogleAuthError, ValueError) as error:
        raise ProviderUnavailable(
            "Google's answer does not say who signed in.", code="no_identity"
        ) from error
    return claims


def _identity(google: Google, claims: Mapping[str, object], nonce: str) -> Identity:
    def text(name: str) -> str:
        value = claims.get(name)
        return value if isinstance(value, str) else ""

    expires = claims.get("exp")
    lasts = isinstance(expires, int) and expires > time.time() - _SKEW
    ours = text("aud") == google.client_id and text("iss") in _ISSUERS
    if not (ours and lasts and text("sub") and hmac.compare_digest(text("nonce").encode(), nonce.encode())):
        raise ProviderUnavailable("Google's answer is about somebody else.", code="foreign_identity")
    address = text("email").strip().lower()
    if "@" not in address or claims.get("email_verified") is not True:
        raise NotPermitted(
            "Google has not verified the address of that account. Sign in with your work account."
        )
    return Identity(text("hd").lower(), text("sub"), address, text("name") or address)
