"""Protection of every page and form: headers, cookies, the session, and checks of where a form comes from."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote, urlsplit

from fastapi import Depends, Request, Response
from starlette.datastructures import FormData, MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.runtime import Runtime
from db.access import sessions
from db.core.session import Transaction, as_tenant
from domain.errors import NotPermitted, OnbehalfError
from web.forms import written
from web.health import PATHS as HEALTH
from web.limits import warn_of_proxy
from web.place import path_of

_YEAR = 365 * 86400


class SignInFirstError(Exception):
    """The page is for members who have signed in."""


class AnotherMemberError(OnbehalfError):
    """The form was on the page of a member who is no longer signed in here. ``written``: the texts in it."""

    def __init__(self, name: str, written: list[str]) -> None:
        super().__init__(f"You are signed in as {name} now. Nothing was changed.")
        self.written = written


class Headers:
    """Middleware: security headers on every answer (OWASP Secure Headers). ``sign_in_urls``: the other hosts that forms may redirect to."""

    def __init__(self, app: ASGIApp, *, public_url: str, sign_in_urls: Sequence[str]) -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": _policy(sign_in_urls),
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }
        if public_url.startswith("https:"):
            self._headers["Strict-Transport-Security"] = f"max-age={_YEAR}; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers. No cache may keep a page."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        warn_of_proxy(Request(scope))

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message["headers"]))
                for name, value in self._headers.items():
                    headers.setdefault(name, value)  # a page may have stricter ones of its own
                if not path.startswith("/static/"):
                    headers["Cache-Control"] = "no-store"
                elif scope["query_string"].startswith(b"v=") and message["status"] in (200, 304):
                    headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"  # named by its content
                message = {**message, "headers": headers.raw}
            await send(message)

        app = self._app
        # No page is called that, and Postgres takes no NUL. The API answers for itself.
        if "\0" in unquote(path + scope["query_string"].decode("latin-1")) and not path.startswith(
            ("/api/", "/scim/")
        ):
            app = PlainTextResponse("There is no such page.", status_code=404)
        await app(scope, receive, protected)


def _policy(sign_in_urls: Sequence[str]) -> str:
    # Browsers hold the redirect that follows a form against form-action too.
    parts = [urlsplit(each) for each in sign_in_urls]
    hosts = " ".join(dict.fromkeys(f"{each.scheme}://{each.netloc}" for each in parts))
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none';"
        f" form-action 'self' {hosts}; frame-ancestors 'none'"
    )


class Hosts(TrustedHostMiddleware):
    """Starlette's check of the Host header, except for health checks: load balancers may not know our name."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request for another host."""
        if scope["type"] == "http" and scope["path"] in HEALTH:
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Cookies:
    """Our two cookies. Over https the prefix ``__Host-`` binds them to this host (RFC 6265bis).

    Below a path, other applications may share the host: the cookies are for that path, which ``__Host-`` does not allow.
    """

    secure: bool
    path: str = ""

    @property
    def _prefix(self) -> str:
        if not self.secure:
            return ""
        return "__Secure-" if self.path else "__Host-"

    @property
    def session(self) -> str:
        """The cookie with the session's token."""
        return f"{self._prefix}onbehalf"

    @property
    def browser(self) -> str:
        """The cookie with a secret of this browser, during a sign-in."""
        return f"{self._prefix}onbehalf-sign-in"

    def set(self, response: Response, name: str, value: str, seconds: int | None = None) -> None:
        """Set a cookie that scripts cannot read, and that comes back with the redirect from Microsoft."""
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path=self.path or "/",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    def drop(self, response: Response, name: str) -> None:
        """Delete a cookie."""
        response.delete_cookie(name, path=self.path or "/", secure=self.secure, httponly=True, samesite="lax")


def runtime_of(request: Request) -> Runtime:
    """Return this process's runtime."""
    runtime: Runtime = request.app.state.runtime
    return runtime


def cookies_of(request: Request) -> Cookies:
    """Return how cookies are set here."""
    public_url = runtime_of(request).settings.public_url
    return Cookies(secure=public_url.startswith("https:"), path=path_of(public_url))


def session_of(request: Request) -> sessions.Session | None:
    """Return this browser's session, if any; read once for each request. Raises ``AnotherMemberError``."""
    if not hasattr(request.state, "session"):
        request.state.session = None
        if token := _token(request):
            with runtime_of(request).database.transaction() as tx:
                _read_session(request, tx, token)
    session: sessions.Session | None = request.state.session
    return session


def _read_session(request: Request, tx: Transaction, token: str) -> sessions.Session | None:
    """Read the session, and refuse a form of another member's page. That prevents mistakes, not attacks."""
    by_itself = asked_by_itself(request)
    session = request.state.session = sessions.session_of(tx, token, touch=not by_itself)
    form: FormData = getattr(request.state, "form", FormData())
    if session is not None and form.get("member", str(session.member.id)) != str(session.member.id):
        raise AnotherMemberError(session.member.name, written(form))
    return session


def asked_by_itself(request: Request) -> bool:
    """Does an open page ask for its live part? Nobody need be there: it keeps no session alive."""
    return request.method == "GET" and request.headers.get("hx-target") == "live"


def _token(request: Request) -> str:
    token = request.cookies.get(cookies_of(request).session, "")
    return token if len(token) <= 256 else ""


@contextmanager
def transaction_of(request: Request) -> Iterator[tuple[Transaction, sessions.Session]]:
    """The one transaction of a page: it reads the session, and then sees the rows of that organization only.

    A nested call returns the open transaction. No dependency may pass an open one to its endpoint: it would hold a connection
    while waiting for a thread, and threads wait for connections. Raises ``SignInFirstError``, ``AnotherMemberError``.
    """
    if (open_one := getattr(request.state, "transaction", None)) is not None:
        yield open_one
        return
    token, is_read = _token(request), hasattr(request.state, "session")
    if not token or (is_read and request.state.session is None):
        raise SignInFirstError
    with runtime_of(request).database.transaction() as tx:
        session = request.state.session if is_read else _read_session(request, tx, token)
        if session is None:
            raise SignInFirstError
        as_tenant(tx, session.member.organization_id)
        request.state.transaction = (tx, session)
        try:
            yield tx, session
        finally:
            request.state.transaction = None


def own_runtime(request: Request) -> Runtime:
    """Return this process's runtime; for a member who is signed in, it sees only their organization's rows."""
    session = session_of(request)
    whole = runtime_of(request)
    return whole if session is None else whole.for_tenant(session.member.organization_id)


def signed_in(request: Request) -> sessions.Session:
    """Return this browser's session. Raises ``SignInFirstError``, ``AnotherMemberError``."""
    session = session_of(request)
    if session is None:
        raise SignInFirstError
    return session


def manages(session: sessions.Session) -> bool:
    """Is this member an owner or admin of the organization?"""
    return session.member.role in ("owner", "admin")


def administrator(request: Request) -> sessions.Session:
    """Return the session of an owner or admin. Raises ``SignInFirstError``, ``NotPermitted``."""
    session = signed_in(request)
    if not manages(session):
        raise NotPermitted("This page is for your organization's owners and admins.")
    return session


async def same_origin(request: Request) -> None:
    """Refuse a form that comes from another site, or does not say where it comes from; every current browser does."""
    if request.method in ("GET", "HEAD"):
        return
    public = urlsplit(runtime_of(request).settings.public_url)
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if (
        origin not in (None, f"{public.scheme}://{public.netloc}")
        or site not in (None, "same-origin", "none")
        or origin is site is None
    ):
        raise NotPermitted("That form was sent from another site. Nothing was changed.")


async def whose_form(request: Request) -> None:
    """Keep the form that was sent, so that reading the session checks whose page it was on."""
    if request.method not in ("GET", "HEAD"):
        request.state.form = await request.form()


Runtimed = Annotated[Runtime, Depends(own_runtime)]
Whole = Annotated[Runtime, Depends(runtime_of)]  # before anybody is known: signing in, approving
SignedIn = Annotated[sessions.Session, Depends(signed_in)]
Administrator = Annotated[sessions.Session, Depends(administrator)]
