"""Microsoft Entra's sign-in and token endpoints, with PKCE, consent and every class of refusal."""

import base64
import hashlib
import html
import secrets
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import orjson

from lab.emulator.app_only import AppOnly
from lab.emulator.entra_refusals import REFUSALS
from lab.emulator.faults import Faults, strike
from lab.emulator.http import Request, Response
from lab.emulator.identity import Identities
from lab.emulator.tokens import make_jwt
from lab.emulator.world import Mailbox, Token, World

_PUBLIC = "https://login.microsoftonline.com"
_GRAPH = "https://graph.microsoft.com"
_OUTLOOK = "https://outlook.office.com"

_UNTIL_APPROVED = {"90094", "90095"}
_TENANT_GONE = "90002"  # a deleted tenant has no discovery document either
_WITH_CLAIMS = {"50076", "50079"}


class Entra:
    """Answers for login.microsoftonline.com. One per world."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self.identities = Identities(world)
        self.app_only = AppOnly(world)

    async def handle(self, request: Request) -> Response | None:
        """Return an answer, or None if the path is not Entra's."""
        segments = request.segments
        tenant, rest = segments[0] if segments else "", "/".join(segments[1:])
        match rest:
            case "identity/oauth2/token" if tenant == "metadata":
                return self.identities.metadata(request)
            case "v2.0/.well-known/openid-configuration":
                return self._discovery(request, tenant)
            case "discovery/v2.0/keys":
                return Response(200, {"keys": []})
            case "oauth2/v2.0/authorize":
                return self._authorize(request, tenant)
            case "v2.0/adminconsent":
                return self._admin_consent(request, tenant)
            case "oauth2/v2.0/token":
                return await self._token_route(request, tenant)
        return None

    def issue_refresh_token(self, address: str, scopes: str, client_id: str) -> str:
        """Issue a refresh token, as after a sign-in."""
        value = "0.A" + secrets.token_urlsafe(48)
        self._world.refresh[value] = Token(
            address.lower(),
            scopes,
            time.monotonic() + 90 * 86400,
            family=secrets.token_hex(8),
            client_id=client_id,
        )
        self._world.changed = True
        return value

    def _discovery(self, request: Request, tenant: str) -> Response:
        if self.app_only.refused(tenant) == _TENANT_GONE or any(
            each.tenant_id == tenant and each.refusal == _TENANT_GONE
            for each in self._world.mailboxes.values()
        ):
            return Response(400, {**refusal(_TENANT_GONE).value, "error": "invalid_tenant"})
        host = request.headers.get("x-emulated-host") or request.headers.get("host", "")
        base = _PUBLIC if host == "login.microsoftonline.com" else f"http://{host}"
        issuer = "{tenantid}" if tenant in ("common", "organizations") else tenant
        return Response(
            200,
            {
                "token_endpoint": f"{base}/{tenant}/oauth2/v2.0/token",
                "authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/authorize",
                "device_authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/devicecode",
                "jwks_uri": f"{base}/{tenant}/discovery/v2.0/keys",
                "issuer": f"{base}/{issuer}/v2.0",
                "response_types_supported": ["code", "id_token"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
            },
        )

    def _authorize(self, request: Request, tenant: str) -> Response:
        query = request.query
        for name in ("client_id", "redirect_uri", "scope"):
            if not query.get(name):
                return Response(
                    400,
                    {"error": "invalid_request", "error_description": f"AADSTS900144: {name} is missing."},
                )
        mailbox = self._world.account_of(query.get("login_hint", ""))
        if mailbox is None or "approve" not in query:
            people = "".join(
                f"<li><a href='?{html.escape(urlencode({**query, 'login_hint': each, 'approve': 'yes'}))}'>{html.escape(each)}</a>"
                for each in sorted(self._world.mailboxes)
            )
            nobody = "<p>Nobody has an account yet. Whoever you import gets one: <code>onbehalf import FILE</code>, then reload.</p>"
            page = f"<!doctype html><title>Sign in</title><h1>Sign in to your account</h1>{f'<ul>{people}</ul>' if people else nobody}"
            return Response(200, body=page.encode(), content_type="text/html")
        answer = {"state": query.get("state", "")}
        if mailbox.refusal in REFUSALS:
            answer |= {
                "error": "access_denied",
                "error_description": f"AADSTS{mailbox.refusal}: {REFUSALS[mailbox.refusal][3]}",
            }
        else:
            code = secrets.token_urlsafe(32)
            self._world.codes[code] = {
                **query,
                "address": mailbox.address,
                "expires_at": time.monotonic() + 600,
            }
            answer["code"] = code
        separator = "&" if "?" in query["redirect_uri"] else "?"
        return Response(302, headers={"Location": query["redirect_uri"] + separator + urlencode(answer)})

    def _admin_consent(self, request: Request, tenant: str) -> Response:
        query = request.query
        if "approve" not in query:
            link = f"?{html.escape(urlencode({**query, 'approve': 'yes'}))}"
            page = f"<!doctype html><title>Approve</title><h1>Approve for your organization</h1><p><a href='{link}'>Accept</a></p>"
            return Response(200, body=page.encode(), content_type="text/html")
        if query.get("scope", "").endswith("/.default"):
            self.app_only.consent(tenant)
        else:
            self.approve(tenant, query.get("scope", ""))
        answer = {
            "admin_consent": "True",
            "tenant": tenant,
            "state": query.get("state", ""),
            "scope": query.get("scope", ""),
        }
        return Response(302, headers={"Location": query.get("redirect_uri", "/") + "?" + urlencode(answer)})

    def approve(self, tenant: str, scopes: str) -> None:
        """Apply an administrator's consent, given on an app's page or in Entra's own portal."""
        for mailbox in self._world.mailboxes.values():
            if mailbox.tenant_id == tenant:
                mailbox.consented = " ".join({*mailbox.consented.split(), *scopes.split()})
                if mailbox.refusal in _UNTIL_APPROVED:
                    mailbox.refusal = ""

    async def _token_route(self, request: Request, tenant: str) -> Response:
        form = request.form()
        grant = self._world.refresh.get(form.get("refresh_token", ""))
        code = self._world.codes.get(form.get("code", ""))
        address = grant.address if grant else code["address"] if code else ""
        self._world.requests["POST /token"] = self._world.requests.get("POST /token", 0) + 1
        fault = self._faults.take("POST /token", address)
        if fault is not None and fault.when == "before":
            struck = await strike(fault)
            if struck is not None:
                return struck
        answer = self._token(form, tenant, address)
        if fault is not None and fault.when == "after":
            return await strike(fault) or answer
        return answer

    def _token(self, form: dict[str, str], tenant: str, address: str) -> Response:
        if form.get("grant_type") == "client_credentials":
            if form.get("scope", "") != f"{_GRAPH}/.default":
                return self.identities.for_host(form) or refusal("700213")
            no = self.identities.refused(form, tenant) or self.app_only.refused(tenant)
            return refusal(no) if no else self.app_only.issue(tenant, form.get("client_id", ""))
        if refused := self.identities.refused(form, tenant):
            return refusal(refused)
        mailbox = self._world.mailboxes.get(address)
        if mailbox is None:
            return refusal("70000")
        if not mailbox.enabled:
            return refusal("50057")
        if mailbox.refusal:
            return refusal(mailbox.refusal)
        match form.get("grant_type"):
            case "refresh_token":
                return self._refresh(form, mailbox)
            case "authorization_code":
                return self._redeem(form, mailbox)
        return Response(
            400, {"error": "unsupported_grant_type", "error_description": "AADSTS70003: Not supported."}
        )

    def _refresh(self, form: dict[str, str], mailbox: Mailbox) -> Response:
        grant = self._world.refresh[form["refresh_token"]]
        if grant.revoked:
            return refusal("50173")
        if grant.expires_at < time.monotonic():
            return refusal("700082")
        if grant.used and self._world.switch(mailbox, "strict_refresh_tokens"):
            for each in self._world.refresh.values():
                each.revoked = each.revoked or each.family == grant.family
            return refusal("50173")
        grant.used = True
        # A refresh token is bound to user and app, not to scopes ("refresh tokens"): it yields whatever was consented to.
        asked = {*form.get("scope", "").split()} & {*mailbox.consented.split()}
        granted = " ".join(dict.fromkeys([*grant.scopes.split(), *sorted(asked)]))
        return self._issue(mailbox, granted, form, grant.family, form.get("client_id", ""))

    def _redeem(self, form: dict[str, str], mailbox: Mailbox) -> Response:
        code = self._world.codes.pop(form["code"])
        if code["expires_at"] < time.monotonic() or code["redirect_uri"] != form.get("redirect_uri"):
            return refusal("70008")
        digest = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if code.get("code_challenge") and code["code_challenge"] != digest.rstrip(b"=").decode():
            text = "AADSTS501481: The Code_Verifier does not match the code_challenge."
            return Response(
                400, {"error": "invalid_grant", "error_description": text, "error_codes": [501481]}
            )
        granted = mailbox.granted if mailbox.granted is not None else code["scope"]
        return self._issue(mailbox, granted, form, secrets.token_hex(8), form["client_id"], code.get("nonce"))

    def _issue(
        self,
        mailbox: Mailbox,
        granted: str,
        form: dict[str, str],
        family: str,
        client_id: str,
        nonce: str | None = None,
    ) -> Response:
        asked = form.get("scope", "").split()
        audience = _OUTLOOK if any(scope.startswith(_OUTLOOK) for scope in asked) else _GRAPH
        if mailbox.granted is not None:
            granted = mailbox.granted  # consent given or withdrawn since the sign-in
        names = [scope.removeprefix(f"{_GRAPH}/") for scope in granted.split()]
        names = [name for name in names if (name.startswith(_OUTLOOK)) == (audience == _OUTLOOK)]
        lifetime = int(self._world.switch(mailbox, "access_token_lifetime"))
        access = make_jwt(
            {"tid": mailbox.tenant_id, "oid": mailbox.user_id, "aud": audience, "jti": secrets.token_hex(8)}
        )
        refresh = "0.A" + secrets.token_urlsafe(48)
        now = time.monotonic()
        self._world.access[access] = Token(
            mailbox.address, " ".join(names), now + lifetime, audience, family=family
        )
        self._world.refresh[refresh] = Token(
            mailbox.address, granted, now + 90 * 86400, family=family, client_id=client_id
        )
        if len(self._world.access) > 20_000:
            self._world.access = {k: t for k, t in self._world.access.items() if t.expires_at > now}
        self._world.changed = True
        shown = [name if name.startswith("http") else f"{_GRAPH}/{name}" for name in names]
        value: dict[str, Any] = {
            "token_type": "Bearer",
            "scope": " ".join(shown),
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": access,
            "refresh_token": refresh,
        }
        if nonce is not None or form.get("grant_type") == "authorization_code":
            value["id_token"] = make_jwt(
                {
                    "iss": f"{_PUBLIC}/{mailbox.tenant_id}/v2.0",
                    "aud": client_id,
                    "tid": mailbox.tenant_id,
                    "oid": mailbox.user_id,
                    "sub": mailbox.user_id,
                    "name": mailbox.name,
                    "preferred_username": mailbox.sign_in_name,
                    **({"idp": mailbox.guest_of} if mailbox.guest_of else {}),
                    "nonce": nonce or "",
                    "iat": int(time.time()),
                    "exp": int(time.time()) + 3600,
                }
            )
            uid = orjson.dumps({"uid": mailbox.user_id, "utid": mailbox.tenant_id})
            value["client_info"] = base64.urlsafe_b64encode(uid).rstrip(b"=").decode()
        return Response(200, value)


def refusal(code: str) -> Response:
    """Return a token endpoint error, shaped like Entra's."""
    kind, status, suberror, text = REFUSALS.get(code, ("invalid_grant", 400, "", "Refused."))
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    trace, correlation = secrets.token_hex(16), secrets.token_hex(16)
    value: dict[str, Any] = {
        "error": kind,
        "error_description": f"AADSTS{code}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}",
        "error_codes": [int(code)],
        "timestamp": now,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"{_PUBLIC}/error?code={code}",
    }
    if suberror:
        value["suberror"] = suberror
    if code in _WITH_CLAIMS:
        value["claims"] = orjson.dumps(
            {"access_token": {"polids": {"essential": True, "Values": ["policy"]}}}
        ).decode()
    return Response(status, value)
