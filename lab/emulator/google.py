"""Google's sign-in: consent with PKCE and single scopes, tokens, revocation, and who signed in.

"Using OAuth 2.0 for Web Server Applications" and "OpenID Connect" (developers.google.com/identity/protocols). Google keeps
one refresh token for good instead of replacing it, returns one only at a consent with ``access_type=offline``, and lets the
oldest one of an account and an app fall silent when there are too many.
"""

import base64
import hashlib
import html
import secrets
import time
from collections.abc import Callable
from urllib.parse import urlencode

from lab.emulator.faults import Faults, strike
from lab.emulator.google_refusals import ON_ITS_OWN_PAGE, TOKEN_REFUSALS, gmail_error, token_refusal
from lab.emulator.http import Request, Response
from lab.emulator.tokens import make_jwt
from lab.emulator.world import Mailbox, Token, World

AUDIENCE = "https://gmail.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/"
_SIGN_IN = ("openid", f"{SCOPE}userinfo.email", f"{SCOPE}userinfo.profile")  # no box to tick
DEFAULT_SCOPES = f"openid {SCOPE}userinfo.email {SCOPE}gmail.modify"
TOKEN, REVOKE = "POST /google/token", "POST /google/revoke"
_FULL_NAMES = {"email": f"{SCOPE}userinfo.email", "profile": f"{SCOPE}userinfo.profile"}
_CONSUMERS = {"gmail.com", "googlemail.com"}
_WEEK = 7 * 86400


class Google:
    """Answers for accounts.google.com, oauth2.googleapis.com and www.googleapis.com/oauth2. One per world."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world, self._faults = world, faults

    async def handle(self, request: Request) -> Response | None:
        """Return an answer, or None if the path is not one of these."""
        match request.method, request.path:
            case "GET", "/o/oauth2/v2/auth":
                return self._authorize(request)
            case "POST", "/token":
                return await self._token_route(request)
            case "POST", "/revoke":
                return await self._revoke_route(request)
            case "GET", "/oauth2/v2/userinfo":
                return self._userinfo(request)
        return None

    def issue_refresh_token(self, address: str, scopes: str, client_id: str) -> str:
        """Issue a refresh token, as after a sign-in. The oldest one beyond the limit stops working, silently."""
        mailbox = self._world.mailboxes[address.lower()]
        lifetime = _WEEK if self._world.switch(mailbox, "google_testing") else 180 * 86400
        value = "1//0" + secrets.token_urlsafe(48)
        self._world.refresh[value] = Token(
            mailbox.address, scopes, time.monotonic() + lifetime, AUDIENCE, client_id=client_id
        )
        held = [each for each in self._world.refresh.values() if self._same_grant(each, mailbox, client_id)]
        for each in held[: -self._world.switch(mailbox, "google_refresh_tokens")]:
            each.revoked = True
        self._world.changed = True
        return value

    def _authorize(self, request: Request) -> Response:
        query = request.query
        for name in ("client_id", "redirect_uri", "scope"):
            if not query.get(name):
                text = f"Missing required parameter: {name}"
                return Response(400, {"error": "invalid_request", "error_description": text})
        mailbox = self._world.account_of(query.get("login_hint", ""))
        if mailbox is None or not mailbox.google or "approve" not in query:
            return self._choose(query)
        if mailbox.refusal in ON_ITS_OWN_PAGE:
            status, error, text, _ = TOKEN_REFUSALS[mailbox.refusal]
            page = (
                f"<!doctype html><title>Access blocked</title><h1>Error {status}: {error}</h1><p>{text}</p>"
            )
            return Response(status, body=page.encode(), content_type="text/html")
        answer = {"state": query.get("state", "")}
        if mailbox.refusal == "google_denied":
            answer["error"] = "access_denied"
        else:
            code = f"4/0{secrets.token_urlsafe(32)}"
            scopes = self._granted(mailbox, query["scope"])
            held = {**query, "address": mailbox.address, "expires_at": time.monotonic() + 600}
            self._world.codes[code] = {**held, "granted": scopes}
            answer |= {"code": code, "scope": scopes, "authuser": "0", "prompt": query.get("prompt", "none")}
            if domain := hosted_domain(mailbox):
                answer["hd"] = domain
        separator = "&" if "?" in query["redirect_uri"] else "?"
        return Response(302, headers={"Location": query["redirect_uri"] + separator + urlencode(answer)})

    def _choose(self, query: dict[str, str]) -> Response:
        people = "".join(
            f"<li><a href='?{html.escape(urlencode({**query, 'login_hint': each.address, 'approve': 'yes'}))}'>{html.escape(each.address)}</a>"
            for each in self._world.mailboxes.values()
            if each.google
        )
        page = f"<!doctype html><title>Sign in</title><h1>Choose an account</h1><ul>{people}</ul>"
        return Response(200, body=page.encode(), content_type="text/html")

    def _granted(self, mailbox: Mailbox, asked: str) -> str:
        """Return what the person ticks. Each scope but those of sign-in has a box of its own."""
        wanted = [_FULL_NAMES.get(each, each) for each in asked.split()]
        if mailbox.granted is not None:
            wanted = [each for each in wanted if each in (*mailbox.granted.split(), *_SIGN_IN)]
        return " ".join(dict.fromkeys(wanted))

    async def _token_route(self, request: Request) -> Response:
        form = request.form()
        grant = self._world.refresh.get(form.get("refresh_token", ""))
        code = self._world.codes.get(form.get("code", ""))
        address = grant.address if grant else code["address"] if code else ""
        return await self._under_faults(TOKEN, address, lambda: self._token(form, address))

    async def _revoke_route(self, request: Request) -> Response:
        name = request.form().get("token") or request.query.get("token", "")
        token = self._world.refresh.get(name) or self._world.access.get(name)
        address = token.address if token else ""
        return await self._under_faults(REVOKE, address, lambda: self._revoke(token))

    async def _under_faults(self, route: str, address: str, answer: Callable[[], Response]) -> Response:
        self._world.requests[route] = self._world.requests.get(route, 0) + 1
        fault = self._faults.take(route, address)
        if fault is not None and fault.when == "before":
            struck = await strike(fault)
            if struck is not None:
                return struck
        given = answer()
        if fault is not None and fault.when == "after":
            return await strike(fault) or given
        return given

    def _token(self, form: dict[str, str], address: str) -> Response:
        if form.get("client_secret") != self._world.secret:
            return token_refusal("google_wrong_secret")
        mailbox = self._world.mailboxes.get(address)
        if mailbox is None or not mailbox.google:
            return token_refusal("google_bad_grant")
        if not mailbox.enabled:
            return token_refusal("google_deleted")
        if mailbox.refusal in TOKEN_REFUSALS:
            return token_refusal(mailbox.refusal)
        match form.get("grant_type"):
            case "refresh_token":
                return self._refresh(form, mailbox)
            case "authorization_code":
                return self._redeem(form, mailbox)
        return Response(400, {"error": "unsupported_grant_type", "error_description": "Invalid grant_type"})

    def _refresh(self, form: dict[str, str], mailbox: Mailbox) -> Response:
        grant = self._world.refresh[form["refresh_token"]]
        if grant.client_id != form.get("client_id"):
            return token_refusal("google_wrong_kind")
        if grant.revoked or grant.expires_at < time.monotonic():
            return token_refusal("google_revoked")
        return Response(200, self._issue(mailbox, grant.scopes, grant.client_id))

    def _redeem(self, form: dict[str, str], mailbox: Mailbox) -> Response:
        code = self._world.codes.pop(form["code"])
        fits = code["redirect_uri"] == form.get("redirect_uri") and code["client_id"] == form.get("client_id")
        digest = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        verified = code.get("code_challenge", "") in ("", digest.rstrip(b"=").decode())
        if code["expires_at"] < time.monotonic() or not fits or not verified:
            return token_refusal("google_bad_grant")
        client_id = code["client_id"]
        value = self._issue(mailbox, code["granted"], client_id, code.get("nonce", ""))
        known = any(
            self._same_grant(each, mailbox, client_id) for each in self._world.refresh.values()
        )  # then there is no second refresh token without a new consent
        if code.get("access_type") == "offline" and (not known or "consent" in code.get("prompt", "")):
            value["refresh_token"] = self.issue_refresh_token(mailbox.address, code["granted"], client_id)
            if self._world.switch(mailbox, "google_testing"):
                value["refresh_token_expires_in"] = _WEEK - 1
        return Response(200, value)

    def _issue(self, mailbox: Mailbox, scopes: str, client_id: str, nonce: str = "") -> dict[str, object]:
        lifetime = int(self._world.switch(mailbox, "access_token_lifetime"))
        access = "ya29." + secrets.token_urlsafe(48)
        self._world.access[access] = Token(
            mailbox.address, scopes, time.monotonic() + lifetime, AUDIENCE, client_id=client_id
        )
        self._world.changed = True
        value: dict[str, object] = {
            "access_token": access,
            "expires_in": lifetime,
            "scope": scopes,
            "token_type": "Bearer",
        }
        if "openid" in scopes.split():
            now = int(time.time())
            claims: dict[str, object] = {"iss": "https://accounts.google.com", "azp": client_id}
            claims |= {
                "aud": client_id,
                **_who(mailbox),
                "sub": subject(mailbox),
                "iat": now,
                "exp": now + 3600,
            }
            value["id_token"] = make_jwt({**claims, **({"nonce": nonce} if nonce else {})})
        return value

    def _revoke(self, token: Token | None) -> Response:
        """End the whole grant of an account to an app, whichever of its tokens is named."""
        if token is None or token.revoked or token.audience != AUDIENCE:
            text = "Token expired or revoked"
            return Response(400, {"error": "invalid_token", "error_description": text})
        mailbox = self._world.mailboxes[token.address]
        for each in (*self._world.refresh.values(), *self._world.access.values()):
            each.revoked |= self._same_grant(each, mailbox, token.client_id)
        self._world.changed = True
        return Response(200, {})

    def _userinfo(self, request: Request) -> Response:
        token = valid_token(self._world, request)
        if token is None:
            return gmail_error(401, "authError", "Invalid Credentials")
        mailbox = self._world.mailboxes[token.address]
        if f"{SCOPE}userinfo.email" not in token.scopes.split():
            return Response(200, {"id": subject(mailbox), "picture": ""})
        who = _who(mailbox)
        verified = who.pop("email_verified")
        return Response(200, {**who, "id": subject(mailbox), "verified_email": verified})

    @staticmethod
    def _same_grant(token: Token, mailbox: Mailbox, client_id: str) -> bool:
        same = (token.address, token.audience, token.client_id) == (mailbox.address, AUDIENCE, client_id)
        return same and not token.revoked


def valid_token(world: World, request: Request) -> Token | None:
    """Return the request's access token, if it is one of Google's that still holds."""
    token = world.access.get(request.headers.get("authorization", "").removeprefix("Bearer "))
    if token is None or token.revoked or token.expires_at < time.monotonic() or token.audience != AUDIENCE:
        return None
    return token


def hosted_domain(mailbox: Mailbox) -> str:
    """Return the Workspace domain of an account; empty for a consumer's."""
    domain = mailbox.address.rpartition("@")[2]
    return "" if domain in _CONSUMERS else domain


def subject(mailbox: Mailbox) -> str:
    """Return the account's id, which never changes: 21 digits."""
    return str(10**20 + int(mailbox.user_id.replace("-", ""), 16) % 10**20)


def _who(mailbox: Mailbox) -> dict[str, object]:
    domain = hosted_domain(mailbox)
    value: dict[str, object] = {"email": mailbox.address, "email_verified": True, "name": mailbox.name}
    return value | ({"hd": domain} if domain else {})
