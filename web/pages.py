"""Render pages: the templates' environment, what every page shows, and the redirect after a form."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.datastructures import FormData

from db.access import page_results
from db.views import attention, my_settings
from domain import moments
from domain.verification import Verdict
from web.forms import id_of
from web.protection import SignInFirstError, manages, transaction_of

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True, undefined=StrictUndefined
)
_TEMPLATES = Jinja2Templates(env=_ENVIRONMENT)
_SAID_FOR = timedelta(minutes=1)  # how long a reload still shows what a form said


@dataclass(frozen=True, slots=True)
class Link:
    """A link to the page where somebody can do what a message suggests."""

    label: str
    path: str


def _time(write: Any) -> Any:
    @pass_context
    def filtered(context: Context, at: datetime, zone: str = "") -> Markup:
        words = write(at, zone or context["zone"], context["now"])
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            at.astimezone(UTC).isoformat(timespec="seconds"), moments.in_utc(at), words
        )

    return filtered


def counted(count: int, one: str, many: str) -> str:
    """Return ``1 person`` or ``2 people``."""
    return f"{count:,} {one if count == 1 else many}"


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
    "planned": _time(moments.planned),
    "exactly": _time(moments.exactly),
    "day": _time(moments.day),
    "last_day": _time(moments.last_day),
    "listed": listed,
}
_ENVIRONMENT.globals["counted"] = counted
_ENVIRONMENT.globals["query"] = lambda **values: urlencode({k: v for k, v in values.items() if v})


def page(request: Request, template: str, *, status: int = 200, **values: object) -> Response:
    """Return a page with the header of all pages."""
    request.state.form = (
        FormData()
    )  # a page acts for nobody, and the page that refuses a form is not refused itself
    frame: dict[str, object] = {
        "session": None,
        "unread": 0,
        "decisions": 0,
        "zone": "UTC",
        "now": datetime.now(UTC),
        "said": None,
        "manages": False,
    }
    with suppress(SignInFirstError), transaction_of(request) as (tx, session):
        member, note = session.member, id_of(request.query_params.get("note", ""))
        around = my_settings.around(tx, member.id)
        frame |= {
            "session": session,
            "unread": around.unread,
            "decisions": attention.count(tx, member.organization_id, member.id),
            "zone": around.zone,
            "now": around.now,
            "said": None if note is None else page_results.load(tx, note, member.id, within=_SAID_FOR),
            "manages": manages(session),
        }
    return _TEMPLATES.TemplateResponse(request, template, {**frame, **values}, status_code=status)


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
    if text:
        path = f"{path}{'&' if '?' in path else '?'}note={_keep(request, {'text': text, 'links': [[each.label, each.path] for each in links]})}"
    return RedirectResponse(path, status_code=303)


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
