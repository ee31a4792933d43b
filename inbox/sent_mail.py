"""Emails of ours from their raw bytes, to compare incoming ones with where there is no database."""

import re
from datetime import datetime
from urllib.parse import unquote
from uuid import NAMESPACE_URL, uuid5

from domain.listening.message import Sent
from inbox.headers import addresses
from inbox.parse import parse

_MIN_TOKEN = 12  # characters; shorter ones are words
_MAILTO = re.compile(r"<\s*mailto:([^<>]{3,1000})>", re.IGNORECASE)


def sent_from(raw: bytes, *, name: str, now: datetime) -> Sent:
    """One email as it was sent. ``name``: whatever names it, for its id. Raises ``UnreadableMessage``."""
    read = parse(raw, now=now)
    to = [each for value in read.headers.get("to", ()) for each in addresses(value)]
    return Sent(
        delivery_id=uuid5(NAMESPACE_URL, f"sent:{name}"),
        message_id=read.message_id,
        conversation_id=read.conversation_id,
        recipient=to[0] if to else "",
        sender=read.sender,
        sent_at=read.received_at,
        recipient_addresses=tuple(to),
        references=(*read.in_reply_to, *read.references),
        token=_token(read.headers.get("list-unsubscribe", ())),
        text=read.text,
    )


def _token(fields: tuple[str, ...]) -> str | None:
    """What the subject of the mailto address in List-Unsubscribe says behind its first word, or what follows its plus."""
    for field in fields:
        for each in _MAILTO.findall(field):
            local = each.partition("?")[0].partition("@")[0]
            query = each.partition("?")[2]
            for pair in query.split("&"):
                key, _, value = pair.partition("=")
                words = unquote(value).split()
                if key.lower() == "subject" and words and len(words[-1]) >= _MIN_TOKEN:
                    return words[-1]
            tag = local.rpartition("+")[2] if "+" in local else ""
            if len(tag) >= _MIN_TOKEN:
                return tag
    return None
