"""One item of a mailbox as the product judges it: by its headers, or whole."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from domain.errors import ProviderUnavailable
from domain.listening.bounce_words import SENDERS
from domain.listening.message import Incoming
from inbox.parse import UnreadableMessage, parse
from transports.base import Content, Header, Reads

_LAST_RESORT_AFTER = timedelta(hours=1)  # of readings that failed
_MAX_LEFT_OUT = 6  # requests; more of them are the provider's trouble, not an item's
_Answer = TypeVar("_Answer")

log = structlog.get_logger()


class Items:
    """The items of a mailbox, one by one. ``failing_for``: how long the readings before this one have failed.

    An item that the provider does not deliver for an hour is taken as if it were gone: judged by its headers. Otherwise one
    damaged item would hold up every follow-up of its mailbox for ever.
    """

    def __init__(self, transport: Reads, failing_for: timedelta) -> None:
        self._transport = transport
        self._may_leave_out = _MAX_LEFT_OUT if failing_for >= _LAST_RESORT_AFTER else 0

    def raw(self, provider_id: str) -> bytes | None:
        """Return an item as MIME. None: it is gone."""
        return self._or_none(self._transport.raw, provider_id)

    def content(self, provider_id: str) -> Content | None:
        """Return what an item says. None: it is gone."""
        return self._or_none(self._transport.message, provider_id)

    def unreadable(self) -> None:
        """What was delivered as MIME is no email. Raises ``ProviderUnavailable`` as long as asking again may help."""
        self._leave_out(
            ProviderUnavailable("The provider delivered something else.", code="unreadable_answer")
        )

    def _or_none(self, ask: Callable[[str], _Answer | None], provider_id: str) -> _Answer | None:
        try:
            return ask(provider_id)
        except ProviderUnavailable as error:
            self._leave_out(error)
            return None

    def _leave_out(self, error: ProviderUnavailable) -> None:
        if not self._may_leave_out:
            raise error
        self._may_leave_out -= 1
        log.warning("item_left_out", code=error.code)


def headers_of(header: Header) -> Incoming:
    """Return what an item's headers say."""
    return Incoming(
        sender=header.sender,
        received_at=header.received_at,
        provider_id=header.provider_id,
        message_id=header.internet_message_id or None,
        in_reply_to=header.in_reply_to,
        references=header.references,
        conversation_id=header.conversation_id or None,
        sender_name=header.sender_name,
        recipients=header.recipients,
        subject=header.subject,
        headers=header.headers,
        message_class=header.message_class or None,
    )


def whole_of(items: Items, header: Header, began: datetime) -> Incoming:
    """Return an item with its text and its report. ``began``: when the reading did. One that is gone meanwhile is what its headers say."""
    known = headers_of(header)
    raw = items.raw(header.provider_id)
    if raw is None:
        return known
    try:
        parsed = parse(raw, now=began, received_at=header.received_at, provider_id=header.provider_id)
    except UnreadableMessage:
        items.unreadable()
        return known
    report = parsed.report
    if report is not None and header.original_message_id:
        report = replace(report, original_ids=(*report.original_ids, header.original_message_id))
    return replace(
        parsed,
        sender=known.sender or parsed.sender,
        message_id=known.message_id or parsed.message_id,
        in_reply_to=tuple(dict.fromkeys((*known.in_reply_to, *parsed.in_reply_to))),
        references=tuple(dict.fromkeys((*known.references, *parsed.references))),
        conversation_id=known.conversation_id,
        recipients=known.recipients or parsed.recipients,
        headers={**known.headers, **parsed.headers},
        message_class=known.message_class or parsed.message_class,
        report=report,
    )


def is_report(header: Header) -> bool:
    """May it be a server's report about an email? Only the whole of it says about which."""
    content_type = "".join(header.headers.get("content-type", ())).lower()
    return (
        header.message_class.upper().startswith("REPORT.")
        or content_type.startswith("multipart/report")
        or "x-failed-recipients" in header.headers
        or bool(header.original_message_id)
        or not header.sender
        or SENDERS.match(header.sender) is not None
    )
