"""Render pages and their live parts: the templates' environment, the frame of every page, and the redirect after a form."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.datastructures import FormData

from db.access import first_emails, page_results
from db.access.sessions import Session
from db.core.session import Transaction
from db.views import attention, frame, incidents
from domain import moments
from domain.mailbox_state import mailbox_state
from domain.markup import is_html, tidy_html
from domain.provider_words import PROVIDER_WORDS
from domain.verification import Verdict
from web.forms import id_of
from web.navigation import Audience, navigation
from web.protection import SignInFirstError, asked_by_itself, manages, runtime_of, transaction_of
from web.turning import turned

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True, undefined=StrictUndefined
)
_TEMPLATES = Jinja2Templates(env=_ENVIRONMENT)
_STATIC = Path(__file__).with_name("static")
# What htmx asks for, by the element that it puts it into: the template that a page extends then.
_LAYOUTS = {"live": "live.html", "found": "part.html"}
_SAID_FOR = timedelta(minutes=1)  # how long a reload still shows what a form said


@dataclass(frozen=True, slots=True)
class Link:
    """A link to the page where somebody can do what a message suggests."""

    label: str
    path: str


def _time(write: Any) -> Any:
    @pass_context
    def filtered(context: Context, at: datetime, zone: str = "", *, first: bool = False) -> Markup:
        zone = zone or context["zone"]
        words = write(at, zone, context["now"])
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            at.astimezone(UTC).isoformat(timespec="seconds"),
            moments.in_full(at, zone),
            words[:1].upper() + words[1:] if first else words,
        )

    return filtered


@cache
def asset(name: str) -> str:
    """Return the path of a static file. It has a digest of its content, so that browsers keep it for ever."""
    digest = hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


def initials(name: str) -> str:
    """Return ``AN`` for Ada Novak."""
    words = [each for each in name.split() if each[0].isalnum()] or ["?"]
    return "".join(each[0] for each in ([words[0], words[-1]] if len(words) > 1 else words)).upper()


def counted(count: int, one: str, many: str) -> str:
    """Return ``1 person`` or ``2 people``."""
    return f"{count:,} {one if count == 1 else many}"


def size(count: int) -> str:
    """Return ``84 KB`` or ``1.2 MB``."""
    if count < 1000:
        return counted(count, "byte", "bytes")
    return f"{count / 1000:.0f} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def listed(names: Sequence[str], shown: int = 3) -> Markup:
    """Return ``Ada``, ``Ada and Bo`` or ``Ada, Bo, Cy and 4 others``. Names may be right to left: each is isolated."""
    first = [Markup("<bdi>{}</bdi>").format(each) for each in names[:shown]]
    more = len(names) - len(first)
    if more:
        return Markup("{} and {}").format(Markup(", ").join(first), counted(more, "other", "others"))
    return Markup(" and ").join([Markup(", ").join(first[:-1]), first[-1]] if len(first) > 1 else first)


_ENVIRONMENT.filters |= {
    "moment": _time(moments.moment),
    "stated": _time(moments.stated),
    "clock": _time(moments.clock),
    "planned": _time(moments.planned),
    "exactly": _time(moments.exactly),
    "proven": _time(moments.proven),
    "day": _time(moments.day),
    "last_day": _time(moments.last_day),
    "in_numbers": moments.in_numbers,
    "listed": listed,
}


def _formatted(text: str) -> bool:
    """Is a text HTML? What ``tidied`` makes of it is what the editor reads."""
    return is_html(text)


_ENVIRONMENT.tests |= {"formatted": _formatted}
_ENVIRONMENT.filters |= {"tidied": tidy_html}
_ENVIRONMENT.globals |= {
    "asset": asset,
    "counted": counted,
    "initials": initials,
    "mailbox_state": mailbox_state,
    "size": size,
    "turned": turned,
}
_ENVIRONMENT.globals["PROVIDER_WORDS"] = PROVIDER_WORDS
_ENVIRONMENT.globals["query"] = lambda **values: urlencode({k: v for k, v in values.items() if v})


def page(request: Request, template: str, *, status: int = 200, **values: object) -> Response:
    """Return a page with the frame of all pages or, if htmx asks for it, only its live part (docs/pages.md)."""
    request.state.form = (
        FormData()
    )  # a page acts for nobody, and the page that refuses a form is not refused itself
    around: dict[str, object] = {
        "session": None,
        "zone": "UTC",
        "now": datetime.now(UTC),
        "said": None,
        "manages": False,
        "offers_google": bool(runtime_of(request).settings.google_client_id),
        "navigation": [],
        "layout": _LAYOUTS.get(request.headers.get("hx-target", ""), "base.html"),
    }
    with suppress(SignInFirstError), transaction_of(request) as (tx, session):
        around |= _frame_of(request, tx, session)
    response = _TEMPLATES.TemplateResponse(request, template, {**around, **values}, status_code=status)
    return _unless_known(request, response) if asked_by_itself(request) else response


def _frame_of(request: Request, tx: Transaction, session: Session) -> dict[str, object]:
    member, note = session.member, id_of(request.query_params.get("note", ""))
    here, audiences = frame.around(tx, member.id), {"everybody"}
    counts = {
        "unread": here.unread,
        "messages": here.messages,
        "decisions": attention.count(tx, member.organization_id, member.id)
        + len(first_emails.waiting(tx, member.id))
        + incidents.count(tx, incidents.Viewer(member.organization_id, member.id, manages(session))),
    }
    if manages(session):
        audiences.add("admins")
    if here.operates:
        audiences.add("operators")
    if runtime_of(request).settings.emulated:
        audiences.add("demo")
    return {
        "session": session,
        "zone": here.zone,
        "now": here.now,
        "said": None if note is None else page_results.load(tx, note, member.id, within=_SAID_FOR),
        "manages": manages(session),
        "navigation": navigation(request.url.path, cast("set[Audience]", audiences), counts),
    }


def zone_of(tx: Transaction, session: Session) -> str:
    """Return the zone in which this member reads times."""
    return frame.here(tx, session.member.id).zone


def _unless_known(request: Request, response: Response) -> Response:
    """Return the part with its ``ETag``, or 304 if the browser shows it already."""
    tag = f'"{hashlib.sha256(response.body).hexdigest()[:32]}"'
    known = request.headers.get("if-none-match") == tag
    answer = Response(status_code=304) if known else response
    answer.headers["ETag"] = tag
    return answer


def bare_page(request: Request, template: str, *, status: int = 200, **values: object) -> Response:
    """Return a page without any of the product around it, for people who have nothing to do with it."""
    values = {"zone": "UTC", "now": datetime.now(UTC), **values}
    return _TEMPLATES.TemplateResponse(request, template, values, status_code=status)


def message(
    request: Request, title: str, text: str, *, status: int, back: str = "/", written: Sequence[str] = ()
) -> Response:
    """Return a page with a message and a link back. ``written``: what somebody wrote in the form that was refused."""
    return page(request, "message.html", status=status, title=title, text=text, back=back, written=written)


def form_alone(router: APIRouter, *paths: str, to: str) -> None:
    """Redirect a GET of an address that only takes a form to the form's page."""

    def lead(request: Request) -> Response:
        return RedirectResponse(to.format(**request.path_params), status_code=303)

    for path in paths:
        router.add_api_route(path, lead, methods=["GET"])


def go(request: Request, path: str, text: str = "", *links: Link) -> Response:
    """Redirect to ``path`` after a form. The page shows ``text`` once, and reloading it repeats nothing."""
    path, mark, part = path.partition("#")
    if text:
        path = f"{path}{'&' if '?' in path else '?'}note={_keep(request, {'text': text, 'links': [[each.label, each.path] for each in links]})}"
    return RedirectResponse(path + mark + part, status_code=303)


def show_verdict(request: Request, verdict: Verdict, *, back: str, warnings: Sequence[str] = ()) -> Response:
    """Redirect to a page with the result of a test or check. It can be opened again."""
    content: dict[str, object] = {
        "title": verdict.outcome.value,
        "good": verdict.good,
        "text": " ".join(part for part in (verdict.explanation, verdict.fix) if part),
        "code": verdict.code,
        "warnings": list(warnings),
        "back": back,
    }
    return RedirectResponse(f"/results/{_keep(request, content)}", status_code=303)


def _keep(request: Request, content: dict[str, object]) -> UUID:
    with transaction_of(request) as (tx, session):
        member = session.member
        return page_results.put(
            tx, member.organization_id, member.id, json.loads(json.dumps(content, default=str))
        )
