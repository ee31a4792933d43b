"""Turning the pages of a list: a page knows where the next one begins, and its address says where those before it began."""

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request

_BEGINS = ("after", "before")  # what lists call the place at which a page begins
_CAME_BY = "via"  # in an address: the places of the pages before it
_FIRST = "-"  # the place of the first page, which has none
_MOST = 20  # places that an address keeps; further back there is the first page


@dataclass(frozen=True, slots=True)
class Turn:
    """Where one turns from a page. Empty: nowhere."""

    next: str
    back: str
    first: str


def turned(request: Request, next_page: str = "", first: str = "") -> Turn:
    """Return the ways from a page. ``next_page``, ``first``: the addresses that the list gives."""
    asked = request.query_params.multi_items()
    name, here = next(((name, value) for name, value in asked if name in _BEGINS and value), ("", ""))
    came_by = [value[:400] for name, value in asked if name == _CAME_BY][-_MOST:]
    kept = [(key, value) for key, value in asked if key not in (*_BEGINS, _CAME_BY, "note", "done")]
    onwards = [(_CAME_BY, each) for each in [*came_by, here or _FIRST][-_MOST:]]
    back = ""
    if here and came_by:
        place = [] if came_by[-1] == _FIRST else [(name, came_by[-1])]
        back = _address(request, [*kept, *place, *((_CAME_BY, each) for each in came_by[:-1])])
    if here and not first:
        first = _address(request, kept)
    joined = "&" if "?" in next_page else "?"
    # A list that gives an address within its page (#…) turns none.
    further = next_page if not next_page or "#" in next_page else f"{next_page}{joined}{urlencode(onwards)}"
    return Turn(further, back, first)


def _address(request: Request, values: list[tuple[str, str]]) -> str:
    path = request.url.path
    return f"{path}?{urlencode(values)}" if values else path
