"""Raw bytes to ``Incoming``, within hard limits."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from domain.errors import InvalidInput
from domain.listening.message import Incoming
from inbox.charsets import header_text
from inbox.headers import addresses, message_ids, moment, name_of, received, thread_of
from inbox.html_text import html_to_text
from inbox.mime import Part, parts, split
from inbox.reports import report_of

MAX_TEXT = 200_000  # characters of text that are kept
_KNOWN = (
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "received",
    "return-path",
    "mime-version",
    "content-type",
    "cc",
)


class UnreadableMessage(InvalidInput):
    """These bytes are no email: says why."""


def parse(
    raw: bytes, *, now: datetime, received_at: datetime | None = None, provider_id: str | None = None
) -> Incoming:
    """Read one RFC 5322 message. Raises ``UnreadableMessage`` and nothing else.

    ``received_at``: when the mailbox got it; without it, the newest Received header or Date says so, or ``now``. Of a message beyond
    the limits of ``inbox/mime.py`` what lies within them is read, so that none is lost.
    """
    raw = _begun(raw)
    headers, _ = split(raw)
    if not any(name in headers for name in _KNOWN):
        what = "it is empty" if not raw.strip() else "it has none of the header fields of an email"
        raise UnreadableMessage(
            f"This is no email: {what}.", fix="Save the message as it arrived (.eml), with its headers."
        )
    found = parts(raw)
    text = _text(found)
    sender = next(iter(addresses(_first(headers, "from") or _first(headers, "sender"))), "")
    sender_name = header_text(name_of(_first(headers, "from")))[:200]
    subject = header_text(_first(headers, "subject"))[:1000]
    return Incoming(
        sender=sender,
        received_at=received_at
        or received(headers.get("received", ()))
        or moment(_first(headers, "date"))
        or now,
        provider_id=provider_id,
        message_id=next(iter(message_ids(_first(headers, "message-id"))), None),
        in_reply_to=tuple(_ids(headers, "in-reply-to")),
        references=tuple(_ids(headers, "references")),
        conversation_id=_conversation(headers),
        sender_name=sender_name,
        recipients=tuple(
            dict.fromkeys(
                each
                for name in ("to", "cc", "bcc", "delivered-to", "x-original-to", "envelope-to")
                for value in headers.get(name, ())
                for each in addresses(value)
            )
        ),
        subject=subject,
        headers=headers,
        text=text,
        report=report_of(
            raw, found, headers, sender=sender, sender_name=sender_name, subject=subject, text=text
        ),
        message_class=_first(headers, "x-ms-exchange-message-class") or None,
        calendar=_calendar(found),
    )


def _begun(raw: bytes) -> bytes:
    """Without what some programs put before the header: a byte order mark, empty lines, the line of an mbox."""
    raw = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if raw.startswith((b"From ", b">From ")):
        return raw.partition(b"\n")[2]
    return raw


def _first(headers: Mapping[str, tuple[str, ...]], name: str) -> str:
    return (headers.get(name) or ("",))[0]


def _ids(headers: Mapping[str, tuple[str, ...]], name: str) -> list[str]:
    return [each for value in headers.get(name, ()) for each in message_ids(header_text(value))]


def _conversation(headers: Mapping[str, tuple[str, ...]]) -> str | None:
    if thread := thread_of(_first(headers, "thread-index")):
        return thread
    gmail = _first(headers, "x-gm-thrid").strip()
    return f"gmail:{gmail}" if gmail else None


def _text(found: Sequence[Part]) -> str:
    """The text that a person reads: each alternative once, the plain one unless it says nothing; files are left out."""
    said: list[str] = []
    plain: dict[tuple[str, ...], int] = {}
    for each in found:
        if each.attached or each.depth > 8 or not each.content_type.startswith("text/"):
            continue
        if each.content_type not in ("text/plain", "text/html", "text/enriched"):
            continue
        alternative = "multipart/alternative" in each.above
        if each.content_type == "text/html":
            shown = html_to_text(each.text())
            if alternative and plain:
                at = next(reversed(plain.values()))
                if len(said[at].split()) * 4 < len(shown.split()) or len(said[at].strip()) < 3:
                    said[at] = shown
                continue
            said.append(shown)
            continue
        if alternative:
            plain[each.above] = len(said)
        said.append(_unflowed(each))
        if sum(map(len, said)) > MAX_TEXT:
            break
    return "\n".join(said).replace("\r\n", "\n").replace("\r", "\n")[:MAX_TEXT]


def _unflowed(part: Part) -> str:
    """Text whose lines were broken for transport (RFC 3676) in its own lines again."""
    text = part.text()
    if part.parameters.get("format", "").lower() != "flowed":
        return text
    lines: list[str] = []
    open_line = False
    for raw_line in text.splitlines():
        line = raw_line.removeprefix(" ")
        if open_line and not line.startswith(">") and lines:
            lines[-1] += line
        else:
            lines.append(line)
        open_line = line.endswith(" ") and line != "-- "
        if open_line and part.parameters.get("delsp", "").lower() == "yes":
            lines[-1] = lines[-1][:-1]
    return "\n".join(lines)


def _calendar(found: Sequence[Part]) -> str | None:
    """The METHOD of a calendar part: REQUEST, REPLY, CANCEL, COUNTER."""
    for each in found:
        if each.content_type in ("text/calendar", "application/ics"):
            method = each.parameters.get("method", "")
            if not method:
                line = next(
                    (x for x in each.text()[:5000].splitlines() if x.upper().startswith("METHOD:")), ""
                )
                method = line.partition(":")[2]
            return method.strip().upper()[:20] or "PUBLISH"
    return None
