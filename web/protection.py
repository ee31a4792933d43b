"""What every answer and every form is protected by: headers, cookies, the session, and where a form comes from."""

from collections.abc import Iterator
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
    """A form was on another member's page than who is signed in now. ``written``: what was written in it."""

    def __init__(self, name: str, written: list[str]) -> None:
        super().__init__(f"You are signed in as {name} now. Nothing was changed.")
        self.written = written


class Headers:
    """Middleware: security headers on every answer (OWASP Secure Headers). ``sign_in_url``: where a form may lead to, beside us."""

    def __init__(self, app: ASGIApp, *, public_url: str, sign_in_url: str) -> None:
        self._app = app
        entra = urlsplit(sign_in_url)
        self._headers = {
            # Browsers hold the redirect that follows a form against form-action too.
            "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none';"
            f" form-action 'self' {entra.scheme}://{entra.netloc}; frame-ancestors 'none'",
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
        """Add them; pages are never kept by anybody in between."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        warn_of_proxy(Request(scope))

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message["headers"]))
                for name, value in self._headers.items():
                    headers[name] = value
                if not path.startswith("/static/"):
                    headers["Cache-Control"] = "no-store"
                message = {**message, "headers": headers.raw}
            await send(message)

        app = self._app
        # No page is called that, and Postgres takes no NUL. The API answers for itself.
        if "\0" in unquote(path + scope["query_string"].decode("latin-1")) and not path.startswith("/api/"):
            app = PlainTextResponse("There is no such page.", status_code=404)
        await app(scope, receive, protected)


class Hosts(TrustedHostMiddleware):
    """Starlette's, except where load balancers ask: they know no name."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what was asked of another host."""
        if scope["type"] == "http" and scope["path"] in HEALTH:
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Cookies:
    """Names and ways of our two cookies. Over https their names bind them to this host (RFC 6265bis, ``__Host-``).

    Below a path other applications may share the host: the cookies are for that path, which that prefix does not allow.
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
        """Holds the session's token."""
        return f"{self._prefix}onbehalf"

    @property
    def browser(self) -> str:
        """Holds a secret of this browser's while somebody signs in."""
        return f"{self._prefix}onbehalf-sign-in"

    def set(self, response: Response, name: str, value: str, seconds: int | None = None) -> None:
        """Not readable by scripts, and sent along when Microsoft's page leads back to us."""
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
        """Forget it."""
        response.delete_cookie(name, path=self.path or "/", secure=self.secure, httponly=True, samesite="lax")


def runtime_of(request: Request) -> Runtime:
    """What this process works with."""
    runtime: Runtime = request.app.state.runtime
    return runtime


def cookies_of(request: Request) -> Cookies:
    """How cookies are set here."""
    public_url = runtime_of(request).settings.public_url
    return Cookies(secure=public_url.startswith("https:"), path=path_of(public_url))


def session_of(request: Request) -> sessions.Session | None:
    """This browser's session, if it has one; read once for each request. Raises ``AnotherMemberError``."""
    if not hasattr(request.state, "session"):
        request.state.session = None
        if token := _token(request):
            with runtime_of(request).database.transaction() as tx:
                _read_session(request, tx, token)
    session: sessions.Session | None = request.state.session
    return session


def _read_session(request: Request, tx: Transaction, token: str) -> sessions.Session | None:
    """Read it, and refuse a form of a page of somebody else's. That guards against mistakes, not against attacks."""
    session = request.state.session = sessions.session_of(tx, token)
    form: FormData = getattr(request.state, "form", FormData())
    if session is not None and form.get("member", str(session.member.id)) != str(session.member.id):
        raise AnotherMemberError(session.member.name, written(form))
    return session


def _token(request: Request) -> str:
    token = request.cookies.get(cookies_of(request).session, "")
    return token if len(token) <= 256 else ""


@contextmanager
def transaction_of(request: Request) -> Iterator[tuple[Transaction, sessions.Session]]:
    """The one transaction in which a page is read: whose session it is, then only rows of their organization.

    Within another one it is that one. No dependency hands an open one to its endpoint: it would hold a connection while it
    waits for a thread, and threads wait for connections. Raises ``SignInFirstError``, ``AnotherMemberError``.
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
    """What this process works with; for a member who is signed in, of the database their organization's rows only."""
    session = session_of(request)
    whole = runtime_of(request)
    return whole if session is None else whole.for_tenant(session.member.organization_id)


def signed_in(request: Request) -> sessions.Session:
    """This browser's session. Raises ``SignInFirstError``."""
    session = session_of(request)
    if session is None:
        raise SignInFirstError
    return session


def manages(session: sessions.Session) -> bool:
    """Does this member look after the organization (its owners and admins do)?"""
    return session.member.role in ("owner", "admin")


def administrator(request: Request) -> sessions.Session:
    """The session of somebody who looks after the organization. Raises ``SignInFirstError``, ``NotPermitted``."""
    session = signed_in(request)
    if not manages(session):
        raise NotPermitted("This page is for your organization's owners and admins.")
    return session


async def same_origin(request: Request) -> None:
    """Refuse a form that another site sends, or that does not say where it comes from, as every browser does."""
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
    """Read a form, so that whoever reads the session learns whose page it was on."""
    if request.method not in ("GET", "HEAD"):
        request.state.form = await request.form()


Runtimed = Annotated[Runtime, Depends(own_runtime)]
Whole = Annotated[Runtime, Depends(runtime_of)]  # before anybody is known: signing in, approving
SignedIn = Annotated[sessions.Session, Depends(signed_in)]
Administrator = Annotated[sessions.Session, Depends(administrator)]
