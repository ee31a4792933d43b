"""Addresses, Message-IDs, dates and thread ids out of header fields that anybody may have written."""

import base64
import binascii
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_NAMED = 300  # addresses or ids of one field
_QUOTED = re.compile(r'"(?:[^"\\]|\\.){0,300}"')
_ANGLE = re.compile(r"<\s*([^<>\s]{1,400})\s*>")
_BARE = re.compile(r"[^\s<>,;:\"()\[\]]{1,200}@[^\s<>,;:\"()]{1,255}")
_ID = re.compile(r"<([^<>]{3,500})>")
_BARE_ID = re.compile(r"[^\s<>,;\"]{1,300}@[^\s<>,;\"]{1,200}")


def addresses(value: str) -> list[str]:
    """The addresses of a field, in lower case. What only stands in a name or a comment is none."""
    plain = _QUOTED.sub('""', value[:20_000])
    found: list[str] = []
    for each in re.split(r"[,;]", plain):
        angle = _ANGLE.findall(each)
        one = angle[-1] if angle else next(iter(_BARE.findall(each)), "")
        one = one.removeprefix("mailto:").strip("'`. ").lower()
        if "@" in one:
            found.append(one)
        if len(found) >= MAX_NAMED:
            break
    return found


def name_of(value: str) -> str:
    """The name before the first address, its encoded words as they are."""
    return value.partition("<")[0].strip().strip('"').strip() if "<" in value else ""


def message_ids(value: str) -> list[str]:
    """The Message-IDs of a field, without angle brackets. Some programs leave those out, or fold within an id."""
    joined = re.sub(r"\s+(?=[^<]*>)", "", value[:20_000])
    found = _ID.findall(joined) or _BARE_ID.findall(value[:20_000])
    return ["".join(each.split()) for each in found[:MAX_NAMED]]


def moment(value: str) -> datetime | None:
    """A date of RFC 5322, in UTC; None if it is none."""
    try:
        read = parsedate_to_datetime(" ".join(value.split())[:120])
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def received(values: tuple[str, ...]) -> datetime | None:
    """When the newest Received field says that it came: what stands behind its last semicolon."""
    for value in values[:1]:
        return moment(value.rpartition(";")[2])
    return None


def thread_of(thread_index: str) -> str | None:
    """The conversation that Exchange's Thread-Index names (MS-OXOMSG 2.2.1.3): its first 22 bytes, in hexadecimal digits."""
    try:
        index = base64.b64decode("".join(thread_index.split())[:400] + "==", validate=False)
    except (binascii.Error, ValueError):
        return None
    return f"thread-index:{index[6:22].hex()}" if len(index) >= 22 else None
