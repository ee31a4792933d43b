"""Sign in at Microsoft: OAuth's authorization code with PKCE, through MSAL, and the identity it returns.

MSAL creates and checks ``state``, ``nonce`` and the code verifier; since 1.38 it leaves the ID token's claims to us. The
token comes over TLS directly from the token endpoint, which replaces checking its signature (OpenID Connect Core 1.0,
3.1.3.7).
"""

import secrets
import time
import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from domain.errors import NotPermitted, ProviderUnavailable
from transports.entra import GRAPH, Entra, read_tokens
from transports.entra_errors import failure
from transports.token_endpoint import Identity, SignedIn

# MSAL prefers the answer as a form. But browsers send no SameSite=Lax cookie with a form from another site, and that cookie
# ties the answer to its browser. The code in the address works only once, with the verifier that only we have.
warnings.filterwarnings("ignore", "response_mode='form_post' is recommended", UserWarning)

CONSUMERS = (
    "9188040d-6c67-4c5b-b112-36a304b66dad"  # the tenant of personal accounts (Entra, "ID token claims")
)
# Signing in: ``/me`` tells which addresses the account has, for a member who is not listed by their sign-in name.
WHO = (GRAPH + "User.Read",)
# ``organizations`` keeps personal accounts out of the sign-in page; the claims are checked all the same.
_AUTHORITY = "organizations"
_SKEW = 300


def begin(
    entra: Entra,
    *,
    redirect_uri: str,
    scopes: Sequence[str] = (),
    login_hint: str = "",
    fresh: bool = False,
) -> dict[str, Any]:
    """Return a flow to store privately until the answer comes. ``auth_uri``: where to send the browser; ``state``: its name.

    ``scopes``: ``WHO`` to sign in, a provider's to connect a mailbox. ``fresh``: Microsoft asks for the password again, whatever
    session it has. Raises ``ProviderUnavailable``.
    """
    flow: dict[str, Any] = entra.application(_AUTHORITY).initiate_auth_code_flow(
        list(scopes),
        redirect_uri=redirect_uri,
        login_hint=login_hint or None,
        prompt="login" if fresh else "select_account",
    )
    flow["auth_uri"] = entra.for_browsers(str(flow["auth_uri"]))
    return flow


def finish(
    entra: Entra, flow: Mapping[str, Any], answer: Mapping[str, str], *, with_mail: bool = False
) -> SignedIn:
    """Redeem the code that came back. ``answer``: the callback's query.

    A refusal raises its meaning (``ConsentMissing``, ``AdminApprovalRequired``, ``PolicyBlocked``, …). Raises
    ``NotPermitted`` for accounts we do not accept, and ``ProviderUnavailable``.
    """
    if "error" in answer:
        raise failure(answer)
    asked_at = datetime.now(UTC)
    try:
        result: Mapping[str, Any] = entra.application(_AUTHORITY).acquire_token_by_auth_code_flow(
            dict(flow), dict(answer)
        )
    except (ValueError, RuntimeError) as error:  # MSAL's words for a foreign state or nonce
        raise NotPermitted("The answer does not belong to a sign-in that began here. Start again.") from error
    if "error" in result:
        raise failure(result)
    identity = _identity(entra, result.get("id_token_claims"))
    return SignedIn(identity, read_tokens(result, asked_at) if with_mail else None)


def begin_approval(
    entra: Entra, *, tenant_id: str | None, redirect_uri: str, scopes: Sequence[str]
) -> dict[str, Any]:
    """As ``begin``, for the page on which an administrator consents for the whole tenant (Entra, "v2-admin-consent")."""
    state = secrets.token_urlsafe(24)
    query = {
        "client_id": entra.client_id,
        "scope": " ".join(scopes),
        "redirect_uri": redirect_uri,
        "state": state,
    }
    page = f"{entra.authority}/{tenant_id or _AUTHORITY}/v2.0/adminconsent?{urlencode(query)}"
    return {"state": state, "auth_uri": entra.for_browsers(page)}


def finish_approval(answer: Mapping[str, str]) -> str:
    """Return the tenant that consented. This is not authenticated; only the next connection can prove it.

    A refusal raises its meaning. Raises ``NotPermitted``.
    """
    if "error" in answer:
        raise failure(answer)
    if answer.get("admin_consent", "").lower() != "true" or not answer.get("tenant"):
        raise NotPermitted("Microsoft did not say that the app was approved. Start again.")
    try:
        return str(UUID(answer["tenant"]))
    except ValueError:
        raise NotPermitted("Microsoft's answer names no organization. Start again.") from None


def _identity(entra: Entra, claims: object) -> Identity:
    if not isinstance(claims, dict):
        raise ProviderUnavailable("Microsoft Entra's answer does not say who signed in.", code="no_identity")

    def text(name: str) -> str:
        value = claims.get(name)
        return value if isinstance(value, str) else ""

    tenant, account, address = text("tid"), text("oid"), text("preferred_username").strip().lower()
    expires = claims.get("exp")
    fits = text("aud") == entra.client_id and text("iss").endswith(f"/{tenant}/v2.0")
    if not (fits and tenant and account and isinstance(expires, int) and expires > time.time() - _SKEW):
        raise ProviderUnavailable("Microsoft Entra's answer is about somebody else.", code="foreign_identity")
    if tenant == CONSUMERS:
        raise NotPermitted(f"{address} is a personal Microsoft account. Sign in with your work account.")
    # ``acct`` is 1 for guests ("optional claims"); ``idp`` names the organization that they come from.
    if (text("idp") and text("idp") != text("iss")) or claims.get("acct") == 1 or "#ext#" in address:
        raise NotPermitted(f"{address} is a guest in that organization. Sign in with an account of its own.")
    if "@" not in address:
        raise NotPermitted("That account has no address. Sign in with your work account.")
    return Identity(tenant, account, address, text("name") or address)
