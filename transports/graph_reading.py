"""Reading a mailbox at Microsoft Graph: pages of headers, and what single items say."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from domain.errors import ProviderUnavailable
from transports import graph_read_requests as requests
from transports.base import Attachment, Content, Draft, Found, Header
from transports.graph_client import Request
from transports.graph_requests import CORRELATION_ID_PROPERTY, IN_REPLY_TO_PROPERTY, REFERENCES_PROPERTY

Item = dict[str, object]
Ask = Callable[[Request], Item]
# Graph shows whole seconds and compares parts of them, so this is never exactly an item's own time.
_OVERLAP = timedelta(seconds=1.5)
_MAX_STALLED = 40  # pages in a row without anything new
_ID = re.compile(r"<([^<>]+)>")


def pages(
    ask: Ask, since: datetime, is_sent: Callable[[list[Item]], Sequence[bool]]
) -> Iterator[Sequence[Header]]:
    """Yield what was received at ``since`` or later, oldest first, until a page is empty.

    Links to the next page are not followed: one that is missing says nothing (microsoft-graph-docs issue 2153), and they count
    items, so that a deletion meanwhile would pass one over. After a full page the next request begins shortly before its last
    item instead; only where a page is full of one moment's items do we count.
    """
    skip, stalled = 0, 0
    before: set[str] = set()
    while True:
        items = items_of(ask(requests.list_received(since, skip)))
        if not items:
            return
        headers = headers_of(items, is_sent(items))
        now = {each.provider_id for each in headers}
        if new := [each for each in headers if each.provider_id not in before]:
            yield new
        stalled = 0 if new else stalled + 1
        if stalled > _MAX_STALLED:
            raise ProviderUnavailable("Microsoft's list of messages does not end.", code="endless_pages")
        before = now if new else before | now
        times = [each.received_at for each in headers]
        after = max(times) - _OVERLAP
        if len(items) >= requests.PAGE and after > max(since, min(times)):
            since, skip = after, 0
        else:
            skip += len(items)


def items_of(answer: Item) -> list[Item]:
    """Return the items of a list. Raises ``ProviderUnavailable`` if it is none."""
    items = answer.get("value")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise unreadable()
    return items


def headers_of(items: list[Item], sent: Sequence[bool]) -> list[Header]:
    """Read a page. ``sent``: whether each item is in Sent Items."""
    return [header_of(item, in_sent_items=each) for item, each in zip(items, sent, strict=True)]


def header_of(item: Item, *, in_sent_items: bool = False) -> Header:
    """Read one item. Raises ``ProviderUnavailable`` if it has no id or no time: without them nobody may pass over it."""
    headers = _headers(item)
    properties = shown_properties(item)
    sender, name = _person(item.get("from"))
    return Header(
        provider_id=_required(item, "id"),
        received_at=_moment(item),
        internet_message_id=text_of(item, "internetMessageId").strip("<> "),
        conversation_id=text_of(item, "conversationId"),
        sender=sender,
        sender_name=name,
        recipients=tuple(_people(item)),
        subject=text_of(item, "subject"),
        is_draft=item.get("isDraft") is True,
        in_sent_items=in_sent_items,
        correlation_id=properties.get(property_key(CORRELATION_ID_PROPERTY), ""),
        message_class=properties.get(property_key(requests.CLASS_PROPERTY), ""),
        original_message_id=properties.get(property_key(requests.ORIGINAL_ID_PROPERTY), "").strip("<> "),
        in_reply_to=_ids(headers.get("in-reply-to"), properties.get(property_key(IN_REPLY_TO_PROPERTY))),
        references=_ids(headers.get("references"), properties.get(property_key(REFERENCES_PROPERTY))),
        headers=headers,
    )


def content_of(text: Item, html: Item | None, attachments: Sequence[Item]) -> Content:
    """Put together what an item says. ``html`` None: it was too long."""
    whole = _body(text, "body")
    return Content(
        text=whole,
        new_text=_body(text, "uniqueBody") or whole,
        html="" if html is None else _body(html, "body"),
        attachments=_files(attachments),
    )


def preview_of(item: Item, attachments: Sequence[Item]) -> Content:
    """Return the beginning of an item whose text is too long."""
    preview = text_of(item, "bodyPreview")
    return Content(preview, preview, "", _files(attachments), cut=True)


def shown_properties(item: Item) -> dict[str, str]:
    """Return the extended properties shown with an item, by ``property_key`` their ids."""
    shown = item.get("singleValueExtendedProperties") or []
    entries = [each for each in shown if isinstance(each, dict)] if isinstance(shown, list) else []
    return {property_key(str(each.get("id"))): str(each.get("value") or "") for each in entries}


def property_key(name: str) -> str:
    """Return a property's id as it compares: Graph answers ``String 0x1a`` when asked for ``String 0x001A``."""
    kind, _, rest = name.strip().lower().partition(" ")
    return f"{kind} {rest.removeprefix('0x').lstrip('0')}" if rest.startswith("0x") else f"{kind} {rest}"


def text_of(item: Item, name: str) -> str:
    """Return a field's text, or an empty string."""
    value = item.get(name)
    return value if isinstance(value, str) else ""


def draft_of(item: Item) -> Draft:
    """Return what an answer says of a draft."""
    return Draft(id_of(item), text_of(item, "internetMessageId"), text_of(item, "conversationId"))


def found_of(item: object) -> Found:
    """Return one result of a search."""
    if not isinstance(item, dict) or not isinstance(item.get("isDraft"), bool):
        raise unreadable()
    return Found(
        id_of(item), item["isDraft"], text_of(item, "internetMessageId"), text_of(item, "conversationId")
    )


def id_of(item: Item) -> str:
    """Return an item's id. Raises ``ProviderUnavailable`` if it has none."""
    value = text_of(item, "id")
    if not value:
        raise unreadable()
    return value


def unreadable() -> ProviderUnavailable:
    """Return the error for an answer that is not what was asked for."""
    return ProviderUnavailable(
        "Microsoft's answer was cut off, or is not what was asked for.", code="unreadable_answer"
    )


def _required(item: Item, name: str) -> str:
    if value := text_of(item, name):
        return value
    raise unreadable()


def _moment(item: Item) -> datetime:
    try:
        moment = datetime.fromisoformat(text_of(item, "receivedDateTime"))
    except ValueError as error:
        raise unreadable() from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _headers(item: Item) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    entries = item.get("internetMessageHeaders") or []
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and (name := text_of(entry, "name").lower()):
            found[name] = (*found.get(name, ()), text_of(entry, "value"))
    return found


def _people(item: Item) -> Iterator[str]:
    for field in ("toRecipients", "ccRecipients"):
        entries = item.get(field) or []
        for entry in entries if isinstance(entries, list) else []:
            address, _ = _person(entry)
            if address:
                yield address


def _person(value: object) -> tuple[str, str]:
    """Return address (in lower case) and name."""
    address = value.get("emailAddress") if isinstance(value, dict) else None
    if not isinstance(address, dict):
        return "", ""
    return text_of(address, "address").lower(), text_of(address, "name")


def _ids(values: tuple[str, ...] | None, otherwise: str | None) -> tuple[str, ...]:
    """Return the Message-IDs in a header, or in the property that stands for it."""
    return tuple(dict.fromkeys(_ID.findall(" ".join(values or (otherwise or "",)))))


def _body(item: Item, name: str) -> str:
    body = item.get(name)
    return text_of(body, "content") if isinstance(body, dict) else ""


def _files(items: Sequence[Item]) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(text_of(each, "name"), size if isinstance(size, int) else 0, text_of(each, "contentType"))
        for each in items
        for size in (each.get("size"),)
    )
