"""Signing in leads back to where somebody was: the page that they wanted, and what they read when a session has ended."""

from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from db.access import sessions
from web.pages import page
from web.protection import cookies_of, runtime_of, signed_in

_LONGEST = 1000
_NOT_BACK = ("/sign-in", "/sign-out", "/api/", "/static/", "/hooks/", "/approve/")


class SignInAgainError(Exception):
    """What was asked for needs a sign-in of a few minutes ago. ``wanted``: the page to come back to."""

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted


def safe(wanted: str) -> str:
    """A path of our own to lead somebody to, or nothing: never another site, and never a page that only redirects."""
    if (
        not wanted.startswith("/")
        or len(wanted) > _LONGEST
        or not wanted.isascii()
        or not wanted.isprintable()
    ):
        return ""
    # Browsers take "//" and "\" for the beginning of another host's name, wherever a URL is built from it.
    if wanted.startswith("//") or "\\" in wanted or " " in wanted or "/../" in f"{wanted.partition('?')[0]}/":
        return ""
    return "" if wanted.startswith(_NOT_BACK) or wanted == "/" else wanted


def sign_in_first(request: Request, _error: Exception) -> Response:
    """Off to the sign-in page, which leads back. What was sent with an ended session is lost, and it says so."""
    said: dict[str, str] = {}
    asked = request.method in ("GET", "HEAD")
    query = f"?{request.url.query}" if request.url.query else ""
    if wanted := safe(f"{request.url.path}{query}" if asked else page_before(request)):
        said["next"] = wanted
    if not asked:
        said["lost"] = "form"
    elif request.cookies.get(cookies_of(request).session):
        said["lost"] = "session"
    return RedirectResponse(f"/sign-in?{urlencode(said)}" if said else "/sign-in", status_code=303)


def page_before(request: Request) -> str:
    """The page of ours that a form was on; nothing where that is not known."""
    before, public = request.headers.get("referer", ""), runtime_of(request).settings.public_url
    if not before.startswith(f"{public}/"):
        return ""
    return safe(before.removeprefix(public).partition("#")[0])


def freshly_signed_in(request: Request, wanted: str) -> sessions.Session:
    """The session, begun a few minutes ago. Raises ``SignInAgainError``, which leads to ``wanted`` after another sign-in."""
    session = signed_in(request)
    if not session.fresh:
        raise SignInAgainError(wanted)
    return session


def sign_in_again(request: Request, error: Exception) -> Response:
    """Nothing was done yet: first Microsoft has to ask who this is."""
    wanted = error.wanted if isinstance(error, SignInAgainError) else ""
    return page(request, "sign_in_again.html", status=403, wanted=safe(wanted))
