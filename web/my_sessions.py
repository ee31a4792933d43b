"""A member's sessions: where they are signed in, and how to sign out there."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from db.access import sessions
from web.pages import page
from web.protection import cookies_of, transaction_of

router = APIRouter(prefix="/settings/sessions")


@router.get("")
def show(request: Request) -> Response:
    """Show all sessions."""
    with transaction_of(request) as (tx, session):
        mine = sessions.open_sessions(tx, session.member.id)
        return page(request, "my_sessions.html", sessions=mine, current=session.id)


@router.post("/end-all")
def end_all(request: Request) -> Response:
    """Sign out in every browser, this one too."""
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
    """Return ``Firefox on Windows`` for a User-Agent. Only known names: the header may say anything, and people read this."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "A browser")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser
