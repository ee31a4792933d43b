"""The page People: everybody whom the member may see, where each of them stands, and the start of an import."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import get_args
from uuid import UUID

from fastapi import APIRouter, Request, Response

from db.access.sessions import Session
from db.views import people
from db.views.messages import Viewer
from web.downloads import as_csv, download
from web.forms import id_of
from web.messages import viewer_of
from web.pages import page
from web.protection import Runtimed, SignedIn, manages, transaction_of

router = APIRouter(prefix="/people")

_NONE = "none"  # instead of a sequence's id
_SORTS: Mapping[str, people.Sort] = {each: each for each in get_args(people.Sort)}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the list is filtered by."""

    viewer: Viewer
    whole: bool
    state: str
    words: str
    sequence: UUID | None
    in_none: bool
    sort: people.Sort


def _asked(request: Request, session: Session) -> _Asked:
    asked = request.query_params
    whole = manages(session) and asked.get("whose") == "all"
    state = asked.get("state", "")
    return _Asked(
        viewer_of(session, everything=whole),
        whole,
        state if state in people.STATES else "",
        asked.get("q", "")[:100].strip(),
        id_of(asked.get("sequence", "")),
        asked.get("sequence") == _NONE,
        _SORTS.get(asked.get("sort", ""), "newest"),
    )


@router.get("")
def show(request: Request) -> Response:
    """Show people, the newest first or by name: the member's own or, for owners and admins, everybody; filtered by state and sequence."""
    with transaction_of(request) as (tx, session):
        asked = _asked(request, session)
        found = people.page(
            tx,
            asked.viewer,
            state=asked.state,
            words=asked.words,
            sequence=asked.sequence,
            in_none=asked.in_none,
            sort=asked.sort,
            before=id_of(request.query_params.get("before", "")),
        )
        return page(
            request,
            "people.html",
            people=found.listed,
            before=found.before,
            more=found.more,
            state=asked.state,
            words=asked.words,
            whole=asked.whole,
            sequences=people.sequences(tx, asked.viewer),
            sort="" if asked.sort == "newest" else asked.sort,
            sequence=_NONE if asked.in_none else str(asked.sequence or ""),
        )


@router.get("/export.csv")
def export(request: Request, session: SignedIn, runtime: Runtimed) -> Response:
    """Return the list, as it is filtered, as a file."""
    asked = _asked(request, session)
    rows = people.export(
        runtime.database,
        asked.viewer,
        state=asked.state,
        words=asked.words,
        sequence=asked.sequence,
        in_none=asked.in_none,
        sort=asked.sort,
    )
    lines = as_csv(chain([people.COLUMNS], rows))
    kind = "text/csv; charset=utf-8"
    return download(runtime, session.member.organization_id, lines, name="people.csv", kind=kind)
