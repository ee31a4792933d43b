"""How apps and hosts authenticate to Entra: secrets, certificates, federated tokens, Azure's metadata endpoint (IMDS)."""

import base64
import time
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from lab.emulator.http import Request, Response
from lab.emulator.tokens import make_jwt
from lab.emulator.world import World

EXCHANGE = "api://AzureADTokenExchange"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFETIME = 86_399


class Identities:
    """What the app's registration trusts, and the host identities that can get tokens."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.clear()

    def clear(self) -> None:
        """Reset: only the app's secret is valid."""
        self._certificates: list[x509.Certificate] = []
        self._trusted: set[str] = set()  # Kubernetes tokens, and object ids of managed identities
        self._hosts: dict[str, str] = {}  # client id -> object id; "" is the system-assigned identity
        self._kubernetes: dict[str, str] = {}  # service account token -> the client id that trusts it
        self._issued: dict[tuple[str, str], str] = {}

    def configure(self, values: dict[str, Any]) -> None:
        """Add ``certificates`` (PEM) and ``trusted`` for the app; ``hosts`` and ``kubernetes`` as in ``clear``."""
        self._certificates += [
            x509.load_pem_x509_certificate(pem.encode()) for pem in values.get("certificates", [])
        ]
        self._trusted |= set(values.get("trusted", []))
        self._hosts |= values.get("hosts", {})
        self._kubernetes |= values.get("kubernetes", {})

    def refused(self, form: dict[str, str], tenant: str) -> str:
        """Return the AADSTS number that refuses a token request not authenticated as the app's; empty if it is."""
        if form.get("client_assertion_type") != _ASSERTION:
            return "" if form.get("client_secret") == self._world.secret else "7000215"
        assertion = form.get("client_assertion", "")
        if assertion in self._trusted:
            return ""
        try:
            claims = jwt.decode(assertion, options={"verify_signature": False})
            header = jwt.get_unverified_header(assertion)
        except jwt.InvalidTokenError:
            return "50027"
        if assertion in self._issued.values():
            if claims["aud"] != EXCHANGE or claims["oid"] not in self._trusted:
                return "700213"
            # "Token obtained using another federated identity credential may not be used as federated identity credential."
            return "700231" if claims["federated"] else ""
        for certificate in self._certificates:
            # MSAL names it by SHA-256, azure-identity by SHA-1. Entra takes both ("Certificate credentials").
            named = {
                "x5t#S256": certificate.fingerprint(hashes.SHA256()),
                "x5t": certificate.fingerprint(hashes.SHA1()),
            }
            if any(
                str(header.get(name)).rstrip("=") == base64.urlsafe_b64encode(print_).rstrip(b"=").decode()
                for name, print_ in named.items()
            ):
                return self._signed(assertion, certificate, form.get("client_id", ""), tenant)
        return "700027"

    def _signed(self, assertion: str, certificate: x509.Certificate, client_id: str, tenant: str) -> str:
        audience = f"https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
        key: Any = certificate.public_key()
        try:
            claims = jwt.decode(assertion, key, algorithms=["PS256", "RS256"], audience=audience)
        except jwt.InvalidTokenError:
            return "700027"
        return "" if claims["iss"] == claims["sub"] == client_id else "700027"

    def metadata(self, request: Request) -> Response:
        """IMDS: issue a token for the host's managed identity ("How to use managed identities to acquire an access token")."""
        if request.headers.get("metadata", "").lower() != "true" or "resource" not in request.query:
            return Response(400, {"error": "invalid_request", "error_description": "Metadata or resource."})
        client_id, resource = request.query.get("client_id", ""), request.query["resource"]
        if client_id not in self._hosts:
            return Response(400, {"error": "invalid_request", "error_description": "Identity not found"})
        token = self._token(client_id, self._hosts[client_id], resource, federated=False)
        return Response(
            200,
            {
                "access_token": token,
                "client_id": client_id,
                "expires_in": str(_LIFETIME),
                "expires_on": str(int(time.time()) + _LIFETIME),
                "resource": resource,
                "token_type": "Bearer",
            },
        )

    def for_host(self, form: dict[str, str]) -> Response | None:
        """Workload identity: issue a token for the client that trusts the service account; None if it is not trusted."""
        client_id = self._kubernetes.get(form.get("client_assertion", ""))
        if client_id is None or client_id != form.get("client_id"):
            return None
        resource = form.get("scope", "").split()[0].removesuffix("/.default")
        token = self._token(client_id, self._hosts[client_id], resource, federated=True)
        return Response(200, {"token_type": "Bearer", "expires_in": _LIFETIME, "access_token": token})

    def _token(self, client_id: str, object_id: str, resource: str, *, federated: bool) -> str:
        """Return the same token again during its lifetime, like Azure's cache."""
        key = (client_id, resource)
        if key not in self._issued:
            claims = {"aud": resource, "appid": client_id, "oid": object_id, "federated": federated}
            self._issued[key] = make_jwt(claims)
        return self._issued[key]
