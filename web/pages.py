"""Rendering: one environment for all templates, with what every page shows."""

from datetime import UTC, datetime
from pathlib import Path

from fastapi import Request, Response
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from db import my_settings
from web.protection import looks_after, own_runtime, session_of

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True, undefined=StrictUndefined
)
_TEMPLATES = Jinja2Templates(env=_ENVIRONMENT)


def moment(at: datetime) -> str:
    """A point in time for people: 21 Nov 2026, 14:02 UTC."""
    return f"{at.astimezone(UTC):%-d %b %Y, %H:%M} UTC"


def exactly(at: datetime) -> str:
    """To the second: 21 Nov 2026, 14:02:11 UTC."""
    return f"{at.astimezone(UTC):%-d %b %Y, %H:%M:%S} UTC"


def counted(count: int, one: str, many: str) -> str:
    """1 person, 2 people."""
    return f"{count:,} {one if count == 1 else many}"


_ENVIRONMENT.filters |= {"moment": moment, "exactly": exactly}
_ENVIRONMENT.globals["counted"] = counted


def page(request: Request, template: str, *, status: int = 200, **values: object) -> Response:
    """A page in the frame that all pages have."""
    session = session_of(request)
    unread = 0
    if session is not None:
        with own_runtime(request).database.transaction() as tx:
            unread = my_settings.unread(tx, session.member.id)
    frame = {
        "session": session,
        "unread": unread,
        "looks_after": session is not None and looks_after(session),
    }
    return _TEMPLATES.TemplateResponse(request, template, {**frame, **values}, status_code=status)


def message(request: Request, title: str, text: str, *, status: int, back: str = "/") -> Response:
    """One sentence and the way on."""
    return page(request, "message.html", status=status, title=title, text=text, back=back)
