"""My sessions: where I am signed in, and signing out there."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from db.access import sessions
from web.pages import page
from web.protection import cookies_of, transaction_of

router = APIRouter(prefix="/settings/sessions")


@router.get("")
def show(request: Request) -> Response:
    """All of them."""
    with transaction_of(request) as (tx, session):
        mine = sessions.open_sessions(tx, session.member.id)
        return page(request, "my_sessions.html", sessions=mine, current=session.id)


@router.post("/end-all")
def end_all(request: Request) -> Response:
    """Sign out everywhere, here too."""
    with transaction_of(request) as (tx, session):
        sessions.end_all(tx, session.member.id)
    response = RedirectResponse("/sign-in", status_code=303)
    cookies = cookies_of(request)
    cookies.drop(response, cookies.session)
    return response


@router.post("/{one}/end")
def end(request: Request, one: UUID) -> Response:
    """Sign out in one browser."""
    with transaction_of(request) as (tx, session):
        sessions.end_session(tx, session.member.id, one)
    return RedirectResponse("/settings/sessions", status_code=303)


_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")),
    *(("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
)


def in_words(user_agent: str) -> str:
    """``Firefox on Windows``. Only known words: what a browser says of itself is shown to people."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "A browser")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser
