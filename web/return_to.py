"""Signing in returns to the page that somebody wanted, and says so if their session had ended."""

from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from db.access import sessions
from web.pages import page
from web.protection import asked_by_itself, cookies_of, runtime_of, signed_in

_LONGEST = 1000
_NOT_BACK = ("/sign-in", "/sign-out", "/api/", "/scim/", "/static/", "/hooks/", "/approve/")


class SignInAgainError(Exception):
    """The request needs a recent sign-in. ``wanted``: the page to return to."""

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted


def safe(wanted: str) -> str:
    """Return ``wanted`` if it is a page of ours to return to, else an empty text: never another site, or a page that only redirects."""
    return "" if wanted.startswith(_NOT_BACK) or wanted == "/" or not _is_ours(wanted) else wanted


def _is_ours(path: str) -> bool:
    """Does the path stay on our site, wherever a URL is built from it?"""
    if not path.startswith("/") or len(path) > _LONGEST or not path.isascii() or not path.isprintable():
        return False
    # Browsers take "//" and "\" for the beginning of another host's name.
    return not (
        path.startswith("//") or "\\" in path or " " in path or "/../" in f"{path.partition('?')[0]}/"
    )


def sign_in_first(request: Request, _error: Exception) -> Response:
    """Redirect to the sign-in page, which leads back. It says so if a form was lost with an ended session."""
    if asked_by_itself(request):
        return Response(
            status_code=401, headers={"HX-Refresh": "true"}
        )  # the page itself leads to the sign-in
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
    """Return our page that a form was on; an empty text if that is not known."""
    before, public = request.headers.get("referer", ""), runtime_of(request).settings.public_url
    path = before.removeprefix(public).partition("#")[0]
    return path if before.startswith(f"{public}/") and _is_ours(path) else ""


def freshly_signed_in(request: Request, wanted: str) -> sessions.Session:
    """Return the session of a recent sign-in. Raises ``SignInAgainError``, which leads to ``wanted`` after another sign-in."""
    session = signed_in(request)
    if not session.fresh:
        raise SignInAgainError(wanted)
    return session


def sign_in_again(request: Request, error: Exception) -> Response:
    """Ask for another sign-in. Nothing was changed yet."""
    wanted = error.wanted if isinstance(error, SignInAgainError) else ""
    return page(request, "sign_in_again.html", status=403, wanted=safe(wanted))
