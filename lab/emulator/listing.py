"""``GET …/messages``: filters, order, search and pages, with Graph's rules ("List messages", "Use the $search parameter")."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from operator import eq, ge, gt, le, lt
from typing import Any
from urllib.parse import urlencode

from lab.emulator.http import Request, Response
from lab.emulator.messages import error
from lab.emulator.properties import normalise
from lab.emulator.showing import shown, text_of
from lab.emulator.world import LISTED, Mailbox, Message, World

_PROPERTY = re.compile(
    r"singleValueExtendedProperties/any\(\s*(\w+)\s*:\s*\1/id eq '((?:[^']|'')*)' and \1/value eq '((?:[^']|'')*)'\s*\)",
    re.IGNORECASE,
)
_EQUALS = re.compile(r"(internetMessageId|conversationId|isDraft|subject) eq ('((?:[^']|'')*)'|true|false)")
_RECEIVED = re.compile(r"receivedDateTime (ge|gt|le|lt|eq) ([0-9][0-9T:.+Z-]*)")
_ORDER = re.compile(r"receivedDateTime( asc| desc)?")
_COMPARE: dict[str, Callable[[float, float], bool]] = {"ge": ge, "gt": gt, "le": le, "lt": lt, "eq": eq}
_TOO_COMPLEX = "The restriction or sort order is too complex for this operation."


def list_messages(
    world: World,
    mailbox: Mailbox,
    request: Request,
    among: list[Message] | None,
    *,
    every_folder: bool = False,
) -> Response:
    """Return one page. ``among`` None: the whole mailbox, using its index if the filter names an extended property."""
    query = request.query
    condition, order, words = (query.get(name, "") for name in ("$filter", "$orderby", "$search"))
    if words and (condition or order):
        return error(400, "SearchWithFilter", "The query parameter '$search' cannot be combined with these.")
    if order and not _ORDER.fullmatch(order):
        return error(400, "BadRequest", f"The emulator cannot sort by this: {order[:80]}")
    if order and condition and not condition.lstrip("( ").startswith("receivedDateTime"):
        return error(400, "InefficientFilter", _TOO_COMPLEX)
    hidden = bool(words and world.switch(mailbox, "search_finds_hidden")) or "internetMessageId" in condition
    try:
        found = _filtered(world, mailbox, condition, among)
    except ValueError as problem:
        return error(400, "BadRequest", str(problem))
    found = [each for each in found if every_folder or each.folder in LISTED]
    found = [each for each in found if hidden or not each.hidden]
    if words:
        found = [each for each in found if _matches(each, words.strip('"'))]
    if words or order:
        found.sort(key=lambda each: each.received, reverse=bool(words) or order.endswith("desc"))
    return _page(world, mailbox, request, found)


def _page(world: World, mailbox: Mailbox, request: Request, found: list[Message]) -> Response:
    query = request.query
    top = max(1, min(int(query.get("$top", "10")), 1000))
    passed = int(query.get("$skiptoken") or query.get("$skip") or "0")
    first = (
        passed - 1 if 0 < passed < len(found) and world.switch(mailbox, "repeats_across_pages") else passed
    )
    several = bool(world.switch(mailbox, "expands_several"))
    prefer = request.headers.get("prefer", "")
    items = [shown(each, query, prefer=prefer, several=several) for each in found[first : first + top]]
    if not world.switch(mailbox, "shows_headers"):
        for each in items:
            each.pop("internetMessageHeaders", None)
    value: dict[str, Any] = {"value": items}
    if first + top < len(found) and world.switch(mailbox, "next_links"):
        token = "$skiptoken" if query.get("$search") else "$skip"
        rest = {name: each for name, each in query.items() if name not in ("$skip", "$skiptoken")}
        link = urlencode({**rest, token: first + top})
        value["@odata.nextLink"] = f"http://{request.headers.get('host', 'localhost')}{request.path}?{link}"
    return Response(200, value)


def _filtered(world: World, mailbox: Mailbox, condition: str, among: list[Message] | None) -> list[Message]:
    """Return what fits the filter. Raises ``ValueError`` that names what cannot be read of it."""
    asked = _PROPERTY.search(condition)
    # The name in the id is case-sensitive, the value is not. GUID and tag are normalized.
    name, value = ("", "") if asked is None else (normalise(asked[2]), asked[3].replace("''", "'").lower())
    if among is None and asked:
        ids = mailbox.marked.get(f"{name}={value}", {})
        among = [mailbox.messages[each] for each in ids if each in mailbox.messages]
    found = list(mailbox.messages.values()) if among is None else list(among)
    if asked:
        found = [each for each in found if each.properties.get(name, "\x00").lower() == value]
    for operator, moment in _RECEIVED.findall(condition):
        bound, compare = _seconds(moment), _COMPARE[operator]
        found = [each for each in found if compare(each.received, bound)]
        if operator == "ge" and not world.switch(mailbox, "includes_the_boundary"):
            found = [each for each in found if int(each.received) > bound]
    for equals in _EQUALS.finditer(condition):
        wanted: Any = {"true": True, "false": False}.get(equals[2], (equals[3] or "").replace("''", "'"))
        found = [each for each in found if each.data.get(equals[1]) == wanted]
    rest = _EQUALS.sub("", _RECEIVED.sub("", _PROPERTY.sub("", condition)))
    if re.sub(r"\band\b|[\s()]", "", rest):
        raise ValueError(f"The emulator cannot read this filter: {rest.strip()[:80]}")
    return found


def _seconds(moment: str) -> float:
    value = datetime.fromisoformat(moment)
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()


def _matches(message: Message, words: str) -> bool:
    """Does an item fit ``from:…``, ``subject:…`` or plain words?"""
    field, named, value = words.partition(":")
    value = value.strip().lower()
    if named and field == "from":
        author = message.data.get("from", {}).get("emailAddress", {})
        return value in f"{author.get('name', '')} {author.get('address', '')}".lower()
    if named and field == "subject":
        return value in str(message.data["subject"]).lower()
    return words.lower() in f"{message.data['subject']} {text_of(message)}".lower()
