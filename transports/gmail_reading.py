"""Reading a mailbox at Gmail: everything that came, oldest first, and what single items say.

Lists are Gmail's search by time ("Search and filter messages": ``after:`` takes seconds since 1970), in all places, also Spam and
Trash. Search may be a little behind the mailbox, which is one reason why each reading begins before the last one ended.
"""

import base64
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import getaddresses
from urllib.parse import unquote

from domain.errors import ProviderUnavailable
from transports.base import MAX_RAW, Attachment, Content, Header
from transports.gmail_answers import Json, id_of, labels_of, list_of, text_of, unreadable
from transports.gmail_client import Request
from transports.gmail_message import CORRELATION_HEADER, decoded
from transports.html import sanitise_received, to_text

MAX_TEXT = 4 * 1024 * 1024  # bytes of an answer with a body; the web shows no more of an email
RAW_ANSWER = MAX_RAW // 3 * 4 + 1024  # bytes of an answer that has MAX_RAW in base64
HEADER_FIELDS = "id,threadId,labelIds,internalDate,payload/headers"
_LISTED = 500  # ids in a page; the most that Gmail gives
_AT_ONCE = 50  # headers in a page of ours
_MAX_PAGES = 200
_MAX_PASSES = 5
_MESSAGE_ID = re.compile(r"<([^<>]+)>")
_RAW = re.compile(rb'"raw"\s*:\s*"([A-Za-z0-9_=-]*)')

Ask = Callable[[Request], Json]
Look = Callable[[str], Json | None]  # None: it is gone


def pages(ask: Ask, look: Look, since: datetime) -> Iterator[Sequence[Header]]:
    """Yield what was received at ``since`` or later, oldest first. ``look``: asks for one message by id, with ``HEADER_FIELDS``."""
    for page in headers(look, _listed(ask, since)):
        if came := [each for each in page if each.received_at >= since]:
            yield came


def headers(look: Look, ids: Sequence[str]) -> Iterator[Sequence[Header]]:
    """Yield messages by their ids, page after page."""
    for begin in range(0, len(ids), _AT_ONCE):
        items = (look(each) for each in ids[begin : begin + _AT_ONCE])
        if page := [header_of(each) for each in items if each is not None]:
            yield page


def _listed(ask: Ask, since: datetime) -> list[str]:
    """Return the ids of all messages since then, oldest first.

    A list of several pages is asked for again until it names nothing new: whether a deletion meanwhile passes one over at the seam
    of two pages is written nowhere.
    """
    known: dict[str, None] = {}
    for _ in range(_MAX_PASSES):
        found, several = _pass(ask, since)
        new = [each for each in found if each not in known]
        # What an earlier pass named and this one does not is gone, or at a seam: it comes first, and is looked at.
        now = set(found)
        known = dict.fromkeys([*(each for each in known if each not in now), *found])
        if not several or not new:
            return list(known)
    raise ProviderUnavailable("Google's list of messages does not come to rest.", code="endless_pages")


def _pass(ask: Ask, since: datetime) -> tuple[list[str], bool]:
    """Return one listing, oldest first, and whether it had several pages."""
    found: list[str] = []
    page: str | None = None
    for number in range(_MAX_PAGES):
        answer = ask(_list_since(since, page))
        found += [id_of(each) for each in list_of(answer, "messages")]
        page = text_of(answer, "nextPageToken") or None
        if page is None:
            return found[::-1], number > 0
    raise ProviderUnavailable("Google's list of messages does not end.", code="endless_pages")


def _list_since(since: datetime, page: str | None) -> Request:
    words = f"in:anywhere after:{int(since.timestamp()) - 1}"
    return lambda gmail: gmail.messages.list(
        userId="me",
        q=words,
        includeSpamTrash=True,
        maxResults=_LISTED,
        pageToken=page,
        fields="messages/id,nextPageToken",
    )


def header_of(item: Json) -> Header:
    """Read one message. Raises ``ProviderUnavailable`` if it has no id or no time: without them nobody may pass over it."""
    headers = _headers(item.get("payload"))
    labels = labels_of(item)
    sender = _people(headers, "from")
    return Header(
        provider_id=id_of(item),
        received_at=_moment(item),
        internet_message_id=_first(headers, "message-id").strip("<> "),
        conversation_id=text_of(item, "threadId"),
        sender=sender[0][1] if sender else "",
        sender_name=sender[0][0] if sender else "",
        recipients=tuple(address for name in ("to", "cc") for _, address in _people(headers, name)),
        subject=decoded(_first(headers, "subject")),
        is_draft="DRAFT" in labels,
        in_sent_items="SENT" in labels,
        correlation_id=unquote(_first(headers, CORRELATION_HEADER.lower())) if "SENT" in labels else "",
        in_reply_to=_ids(headers, "in-reply-to"),
        references=_ids(headers, "references"),
        headers=headers,
    )


def content_of(item: Json) -> Content:
    """Read what a message says, from its ``full`` format. Gmail does not tell new words from quoted ones."""
    parts = list(_parts(item.get("payload")))
    text = "\n".join(_texts(parts, "text/plain"))
    html = "\n".join(_texts(parts, "text/html"))
    if not text and html:
        text = to_text(sanitise_received(html))
    files = [each for each in parts if text_of(each, "filename")]
    return Content(text, text, html, tuple(_file(each) for each in files))


def preview_of(item: Json) -> Content:
    """Return the beginning of a message whose text is too long."""
    preview = text_of(item, "snippet")
    return Content(preview, preview, "", (), cut=True)


def raw_of(body: bytes) -> bytes:
    """Return a message as MIME, its first ``MAX_RAW`` bytes, from an answer in the ``raw`` format that may be cut off."""
    found = _RAW.search(body)
    if found is None:
        raise unreadable()
    text = found[1].rstrip(b"=")
    text = text[: len(text) - 1] if len(text) % 4 == 1 else text
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))[:MAX_RAW]


def _moment(item: Json) -> datetime:
    try:
        return datetime.fromtimestamp(int(text_of(item, "internalDate")) / 1000, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise unreadable() from error


def _headers(part: object) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for each in list_of(part, "headers") if isinstance(part, dict) else []:
        if name := text_of(each, "name").lower():
            found[name] = (*found.get(name, ()), text_of(each, "value"))
    return found


def _first(headers: dict[str, tuple[str, ...]], name: str) -> str:
    return next(iter(headers.get(name, ())), "")


def _people(headers: dict[str, tuple[str, ...]], name: str) -> list[tuple[str, str]]:
    """Return names and addresses, these in lower case."""
    try:
        found = getaddresses(list(headers.get(name, ())))
    except RecursionError:  # brackets within brackets, too deep for Python's parser: nobody
        return []
    return [(decoded(shown), address.lower()) for shown, address in found if "@" in address]


def _ids(headers: dict[str, tuple[str, ...]], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_MESSAGE_ID.findall(" ".join(headers.get(name, ())))))


def _parts(part: object) -> Iterator[Json]:
    """Return a message's own parts, not those of messages that it forwards or returns.

    Without recursion: some mail nests deeper than Python's stack.
    """
    waiting = [part]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield each
            if not text_of(each, "mimeType").lower().startswith("message/"):
                waiting += reversed(list_of(each, "parts"))


def _texts(parts: list[Json], kind: str) -> Iterator[str]:
    for part in parts:
        body = part.get("body")
        data = text_of(body, "data") if isinstance(body, dict) else ""
        if text_of(part, "mimeType").lower() == kind and not text_of(part, "filename") and data:
            content = base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))
            yield (
                content.decode("utf-8", "replace").replace("\x00", "\ufffd").replace("\r\n", "\n").strip("\n")
            )


def _file(part: Json) -> Attachment:
    body = part.get("body")
    size = body.get("size") if isinstance(body, dict) else 0
    name = decoded(text_of(part, "filename"))
    return Attachment(name, size if isinstance(size, int) else 0, text_of(part, "mimeType"))
