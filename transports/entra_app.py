"""The application's own tokens for Microsoft Graph, one tenant at a time: azure-identity's credentials, in memory only.

An administrator of the tenant has consented to application permissions, or Exchange's RBAC for Applications grants them. No refresh
token exists, so nothing is stored and nothing can die but that consent.
"""

import base64
import logging
import threading
from collections import OrderedDict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson
import structlog
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import CertificateCredential, ClientAssertionCredential, ClientSecretCredential

from config import PUBLIC_ENTRA_URL, Settings
from domain.errors import OnbehalfError, OrganizationGone, ProviderUnavailable, TenantRefused
from transports.base import AccessToken
from transports.entra import GRAPH, check_tenant
from transports.entra_credential import client_credential
from transports.entra_errors import Meaning, failure, read
from transports.entra_http import checked, open_session
from transports.once import ANY_NEWER

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

log = structlog.get_logger()
# It tells of every token, and of every refusal, which we log ourselves.
logging.getLogger("azure.identity").setLevel(logging.ERROR)

ALL_GRANTED = GRAPH + ".default"  # application permissions are asked for as a whole
_MAX_TENANTS = 1000
_TIMEOUTS = {"connection_timeout": 3, "read_timeout": 5}
# Whose refusals pass, or are ours. All others are the tenant's: nobody has signed in.
_AS_THEY_ARE = frozenset({Meaning.OURS, Meaning.TRANSIENT, Meaning.TENANT_GONE})


class EntraApp:
    """Shared by a process, for any thread. Tokens are fetched by one thread at a time for each tenant."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        emulated = urlsplit(settings.entra_url).scheme == "http"
        self._authority = PUBLIC_ENTRA_URL if emulated else settings.entra_url.rstrip("/")
        self._session = open_session(settings.entra_url if emulated else None)
        self._tenants: OrderedDict[str, _Tenant] = OrderedDict()
        self._lock = threading.Lock()

    def token(self, tenant_id: str, claims: str | None = None, refused: str = "") -> AccessToken:
        """Return a token for the tenant's Graph. ``claims``: a challenge to meet. ``refused``: a token that Graph takes no longer.

        Raises ``TenantRefused``, ``OrganizationGone``, ``OperatorMisconfigured``, ``Throttled`` and ``ProviderUnavailable``.
        """
        check_tenant(tenant_id)
        with self._lock:
            tenant = self._tenants.setdefault(tenant_id, _Tenant())
            self._tenants.move_to_end(tenant_id)
            if len(self._tenants) > _MAX_TENANTS:
                self._tenants.popitem(last=False)
        challenge = None if claims in (None, ANY_NEWER) else claims
        with tenant.lock:
            token = self._ask(tenant, tenant_id, challenge)
            if token.value == refused:
                tenant.credential = None
                token = self._ask(tenant, tenant_id, challenge)
            return token

    def _ask(self, tenant: "_Tenant", tenant_id: str, challenge: str | None) -> AccessToken:
        if tenant.credential is None:
            tenant.credential = self._credential(tenant_id)
        try:
            got = tenant.credential.get_token(ALL_GRANTED, claims=challenge, enable_cae=True)
        except (AzureError, ValueError) as error:
            tenant.credential = None
            log.info(
                "tenant_token_refused", tenant_id=tenant_id, error=type(error.__cause__ or error).__name__
            )
            raise _meant(error) from error
        return AccessToken(got.token, datetime.fromtimestamp(got.expires_on, UTC))

    def _credential(self, tenant_id: str) -> "TokenCredential":
        proof, client_id = client_credential(self._settings), self._settings.microsoft_client_id
        options: dict[str, Any] = {
            "authority": self._authority,
            "disable_instance_discovery": True,
            "transport": RequestsTransport(
                session=self._session, session_owner=False, use_env_settings=False, **_TIMEOUTS
            ),
            "retry_total": 0,
            "raw_response_hook": _refuse,
        }
        if isinstance(proof, str):
            return ClientSecretCredential(tenant_id, client_id, proof, **options)
        if callable(assertion := proof.get("client_assertion")):
            return ClientAssertionCredential(tenant_id, client_id, assertion, **options)
        pem = str(proof["private_key"]).encode()
        return CertificateCredential(tenant_id, client_id, certificate_data=pem, **options)

    def close(self) -> None:
        """Close connections, and forget all tokens."""
        self._tenants.clear()
        self._session.close()


def roles_of(token: AccessToken) -> frozenset[str]:
    """Return the permissions that a token names. A hint for people alone: Microsoft calls these tokens opaque, and Exchange's are not in it."""
    parts = token.value.split(".")
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError):
        return frozenset()
    roles = claims.get("roles") if isinstance(claims, dict) else None
    return (
        frozenset(each for each in roles if isinstance(each, str)) if isinstance(roles, list) else frozenset()
    )


class _Tenant:
    """``credential`` holds the tenant's token. None: the next one is fetched."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.credential: TokenCredential | None = None


def _refuse(response: "PipelineResponse[Any, Any]") -> None:
    """Raise what an error answer means, before MSAL keeps it for a minute."""
    answer = response.http_response
    found = checked(answer.status_code, answer.content, answer.headers)
    if found.status_code < 400:
        return
    value: dict[str, object] = answer.json()
    code, meaning = read(value)
    if meaning in _AS_THEY_ARE:
        raise failure(value)
    raise TenantRefused(
        f"Microsoft does not let Onbehalf into this organization's mailboxes as a whole ({code}).", code=code
    )


def _meant(error: Exception) -> OnbehalfError:
    """azure-identity wraps what its parts raise."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OnbehalfError):
            return cause
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, ClientAuthenticationError) and "authority configuration" in str(error):
        return OrganizationGone("Microsoft does not know the organization any more.", code="no_discovery")
    return ProviderUnavailable("Microsoft's sign-in service did not answer.", code=type(error).__name__)
