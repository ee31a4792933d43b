"""Audit: who changed what, for owners and admins; how the chain stands, and all of it as a file."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response

from actions import audit_trail
from db.audit import audit_heads
from db.views import audit_list, frame
from db.views.audit_list import Wanted
from domain.audit_words import GROUPS, SENTENCES, sentence
from web.downloads import download
from web.forms import id_of
from web.pages import form_alone, go, page
from web.protection import Administrator, Runtimed, administrator, transaction_of
from web.rooms import waits_for_others

router = APIRouter(prefix="/settings/audit")

_HERE = "/settings/audit"
KINDS = {
    "api_key": "by an API key",
    "operator": "operator",
    "provider": "mail provider",
    "system": "by itself",
}
_LONGEST = 300  # characters of a detail

form_alone(router, "/check", to=_HERE)


@router.get("")
def show(request: Request) -> Response:
    """Show the trail, newest first, 50 at a time; filtered by who acted, what they did, about whom or which sequence, and when."""
    asked = request.query_params
    who, what, about = (
        asked.get("who", "")[:100].strip(),
        asked.get("what", ""),
        asked.get("about", "")[:100].strip(),
    )
    since, until = _day(asked.get("since", "")), _day(asked.get("until", ""))
    with transaction_of(request) as (tx, session):
        administrator(request)
        member = session.member
        wanted = Wanted(
            who,
            _actions(what),
            since,
            until,
            frame.here(tx, member.id).zone,
            before_of(asked.get("before", "")),
            about,
        )
        found = audit_list.page(tx, member.organization_id, wanted, limit=audit_list.PER_PAGE + 1)
        shown = found[: audit_list.PER_PAGE]
        return page(
            request,
            "audit.html",
            entries=shown,
            next=shown[-1].place if len(found) > len(shown) else "",
            state=audit_list.state(tx, member.organization_id),
            groups=GROUPS,
            sentence=sentence,
            kinds=KINDS,
            details=details,
            who=who,
            what=what if wanted.actions is not None else "",
            about=about,
            since="" if since is None else since.isoformat(),
            until="" if until is None else until.isoformat(),
            first=wanted.before != "",
        )


@router.post("/check")
@waits_for_others
def check(request: Request, session: Administrator, runtime: Runtimed) -> Response:
    """Have every seal checked, by a worker."""
    member = session.member
    found = audit_trail.verify(runtime, member.organization_id, actor=member.name)
    return go(
        request, _HERE, "The check takes longer than usual. Its result appears here." if found is None else ""
    )


@router.get("/export.jsonl")
def export(session: Administrator, runtime: Runtimed) -> Response:
    """Return the chain as ``onbehalf audit export`` prints it."""
    member = session.member
    lines = (
        audit_heads.as_line({**line, "organization": member.organization})
        for line in audit_heads.export(runtime.database, member.organization_id)
    )
    kind = "application/jsonl; charset=utf-8"
    return download(runtime, member.organization_id, lines, name="audit.jsonl", kind=kind)


def before_of(text: str) -> str:
    """Return where a page begins: an entry's position, or its id while it waits for its seal. Empty for anything else."""
    if text.isascii() and text.isdigit() and len(text) < 19:
        return text
    found = id_of(text)
    return "" if found is None else str(found)


def details(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What an entry holds besides, as a person reads it."""
    return [
        (
            name.replace("_", " ").capitalize(),
            (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:_LONGEST],
        )
        for name, value in data.items()
        if value not in (None, "", [], {})
    ]


def _actions(what: str) -> tuple[str, ...] | None:
    if what in GROUPS:
        return tuple(GROUPS[what])
    return (what,) if what in SENTENCES else None


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year < 2199 else None
