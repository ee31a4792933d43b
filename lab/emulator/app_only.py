"""What an application may do in a tenant without anybody signed in: consent, its withdrawal, Exchange's RBAC for Applications.

Permissions of the two add up: what Entra grants holds for all mailboxes, what Exchange grants for those in its scope ("Role Based
Access Control for Applications in Exchange Online"). Only Entra's are named in the token.
"""

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from lab.emulator.entra_refusals import REFUSALS
from lab.emulator.http import Request, Response
from lab.emulator.messages import error
from lab.emulator.tokens import make_jwt
from lab.emulator.world import Mailbox, Token, World

PERMISSIONS = ("Mail.ReadWrite", "Mail.Send", "MailboxSettings.Read")  # those of the app's registration
_GRAPH = "https://graph.microsoft.com"
_NEEDS = {"GET /me/mailboxSettings": "mailboxsettings.read", "POST /me/messages/{id}/send": "mail.send"}
_DENIED = error(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


@dataclass(slots=True)
class Access:
    """``consented``: Entra's permissions. ``scoped``: Exchange's, and the addresses in its scope. ``refusal``: an AADSTS code."""

    known: bool = False  # the app has a service principal there
    consented: set[str] = field(default_factory=set)
    scoped: dict[str, set[str]] = field(default_factory=dict)
    refusal: str = ""


class AppOnly:
    """The application's access to tenants. One per world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def consent(self, tenant: str) -> None:
        """An administrator consents to all that the app's registration asks for. What kept the app out is over."""
        access = self._of(tenant)
        access.known, access.consented, access.refusal = True, {*PERMISSIONS}, ""

    def configure(self, tenant: str, values: dict[str, Any]) -> None:
        """Change ``consented``, ``scoped`` or ``refusal``; a scope is {permission: [addresses]}. Raises ``ValueError``."""
        access = self._of(tenant)
        if unknown := set(values) - {"consented", "scoped", "refusal"}:
            raise ValueError(f"a tenant's access has no {min(unknown)}")
        if values.get("refusal") and values["refusal"] not in REFUSALS:
            raise ValueError(f"no such refusal: {values['refusal']}")
        access.known = True
        if "consented" in values:
            access.consented = set(values["consented"])
        if "scoped" in values:
            access.scoped = {name: set(addresses) for name, addresses in values["scoped"].items()}
        access.refusal = values.get("refusal", access.refusal)

    def refused(self, tenant: str) -> str:
        """Return the AADSTS code that refuses a token of the app's own; empty: there is one."""
        access = self._of(tenant)
        return access.refusal or ("" if access.known else "700016")

    def issue(self, tenant: str, client_id: str) -> Response:
        """Return a token of the app's own. It names what Entra grants, and nothing of Exchange's."""
        lifetime = int(self._world.switches["access_token_lifetime"])
        roles = sorted(self._of(tenant).consented)
        claims = {
            "tid": tenant,
            "appid": client_id,
            "aud": _GRAPH,
            "idtyp": "app",
            "jti": secrets.token_hex(8),
        }
        value = make_jwt({**claims, **({"roles": roles} if roles else {})})
        now = time.monotonic()
        self._world.access[value] = Token("", " ".join(roles), now + lifetime, _GRAPH, tenant=tenant)
        self._world.changed = True
        return Response(200, {"token_type": "Bearer", "expires_in": lifetime, "access_token": value})

    def whose(self, token: Token, segments: list[str], request: Request) -> Mailbox | Response:
        """Return the mailbox that a request on such a token is for, or why there is none."""
        named = segments[1] if segments[:1] == ["users"] and len(segments) > 1 else ""
        if segments[:1] == ["subscriptions"] and request.method == "POST":
            parts = str(request.json().get("resource", "")).strip("/").split("/")
            named = parts[1] if len(parts) > 1 and parts[0].lower() == "users" else ""
        if segments[:1] == ["me"] or not named:
            return error(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
        for mailbox in self._world.mailboxes.values():
            names = (mailbox.user_id, mailbox.address, mailbox.sign_in_name.lower())
            if mailbox.tenant_id == token.tenant and named.lower() in names and mailbox.enabled:
                return mailbox
        return error(404, "ErrorInvalidUser", f"The requested user '{named}' is invalid.")

    def denied(self, token: Token, mailbox: Mailbox, route: str) -> Response | None:
        """Return Exchange's refusal for this mailbox, or None. What was granted when the token was issued does not count."""
        if route in ("GET /me", "GET /organization"):
            return error(
                403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
            )
        access, wanted = self._of(token.tenant), _NEEDS.get(route, "mail.readwrite")
        granted = {each.lower() for each in access.consented}
        granted |= {name.lower() for name, inside in access.scoped.items() if mailbox.address in inside}
        return None if wanted in granted else _DENIED

    def _of(self, tenant: str) -> Access:
        held: Access = self._world.app_access.setdefault(tenant.lower(), Access())
        return held
