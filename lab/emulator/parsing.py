"""MIME as Exchange takes it in: an item with Graph's fields and MAPI's properties (MS-OXCMAIL). No MIME is too broken for it."""

import email
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import Message as Mime
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from typing import Any

from lab.emulator.properties import CLASS, IN_REPLY_TO, MESSAGE_ID, ORIGINAL_ID, REFERENCES, UNSUBSCRIBE
from lab.emulator.world import Mailbox, Message, folder_id

_ID = re.compile(r"<[^<>\s]+>")
_QUOTED = re.compile(r"(?m)^(>|On .{0,200} wrote:|Am .{0,200} schrieb|From: |-{3,} ?Original)")
_REPORTS = {"delivery-status": "REPORT.IPM.Note.NDR", "disposition-notification": "REPORT.IPM.Note.IPNRN"}
_MEETINGS = {"REQUEST": "IPM.Schedule.Meeting.Request", "REPLY": "IPM.Schedule.Meeting.Resp.Pos"}


def item_of(
    mailbox: Mailbox, item_id: str, values: dict[str, Any], received: float, *, keeps: bool
) -> Message:
    """Return an item. ``values``: those of ``Incoming.accept``, with ``raw``. ``received``: seconds since 1970.

    ``keeps``: answers join the conversation of what they answer.
    """
    raw, folder = values["raw"], values.get("folder", "inbox")
    mime = _parsed(raw.encode("latin-1"))
    parts = list(_parts(mime))
    text, html = _body(parts, "text/plain"), _body(parts, "text/html")
    answered, before = _ids(mime, "In-Reply-To"), _ids(mime, "References")
    author = (_people(mime, "From") or [_person("", "")])[0]
    message_id = (_ids(mime, "Message-ID") or [f"<{secrets.token_hex(12)}@prod.outlook.com>"])[0]
    moment = datetime.fromtimestamp(received, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    attachments = list(_attachments(parts))
    data = {
        "id": item_id,
        "createdDateTime": moment,
        "lastModifiedDateTime": moment,
        "changeKey": secrets.token_hex(8),
        "categories": [],
        "receivedDateTime": moment,
        "sentDateTime": moment,
        "hasAttachments": bool(attachments),
        "internetMessageId": message_id,
        "subject": _decoded(str(mime.get("Subject", ""))),
        "bodyPreview": text[:255],
        "importance": "normal",
        "parentFolderId": folder_id(mailbox, folder),
        "conversationId": values.get("conversation_id")
        or _conversation(mailbox, [*answered, *before], keeps=keeps),
        "isRead": False,
        "isDraft": False,
        "body": {
            "contentType": "html",
            "content": html or f"<html><body><pre>{_escaped(text)}</pre></body></html>",
        },
        "from": author,
        "sender": (_people(mime, "Sender") or [author])[0],
        "toRecipients": _people(mime, "To"),
        "ccRecipients": _people(mime, "Cc"),
        "bccRecipients": [],
        "replyTo": _people(mime, "Reply-To"),
        "internetMessageHeaders": [{"name": name, "value": _line(value)} for name, value in mime.items()],
    }
    kinds = {
        CLASS: values.get("message_class") or _class(mime, parts),
        MESSAGE_ID: message_id,
        IN_REPLY_TO: " ".join(answered),
        REFERENCES: " ".join(before),
        UNSUBSCRIBE: _line(mime.get("List-Unsubscribe", "")),
        ORIGINAL_ID: _original_id(parts),
    }
    quoted = _QUOTED.search(text)
    return Message(
        item_id,
        folder,
        data,
        {name: value for name, value in kinds.items() if value} | (values.get("properties") or {}),
        in_reply_to=" ".join(answered),
        references=" ".join(before),
        received=received,
        raw=raw,
        text=text,
        unique=(text[: quoted.start()] if quoted else text).strip(),
        attachments=attachments,
        hidden=bool(values.get("hidden")),
        # Exchange keeps no headers with what was sent from the mailbox (microsoft-graph-docs issue 12726).
        drops_headers=bool(values.get("drops_headers", folder == "sentitems")),
    )


def _parsed(raw: bytes) -> Mime:
    try:
        return email.message_from_bytes(raw)
    except RecursionError:  # parts within parts, too deep for Python's parser: only the headers
        return BytesHeaderParser().parsebytes(raw.partition(b"\n\n")[0] + b"\n\n")


def _conversation(mailbox: Mailbox, ids: list[str], *, keeps: bool) -> str:
    known = set(ids) if keeps else set()
    if known:
        for each in mailbox.messages.values():
            if each.data["internetMessageId"] in known:
                return str(each.data["conversationId"])
    return "AAQk" + secrets.token_hex(20)


def _parts(mime: Mime) -> Iterator[Mime]:
    """Return all parts, without recursion: some mail nests deeper than Python's stack."""
    waiting = [mime]
    while waiting:
        part = waiting.pop()
        yield part
        if part.is_multipart():
            waiting += reversed([each for each in part.get_payload() if isinstance(each, Mime)])


def _body(parts: list[Mime], kind: str) -> str:
    for part in parts:
        if part.get_content_type() == kind and part.get_filename() is None:
            return _text(part)
    return ""


def _text(part: Mime) -> str:
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else str(part.get_payload()).encode("utf-8", "replace")
    try:
        return raw.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):
        return raw.decode("latin-1")


def _attachments(parts: list[Mime]) -> Iterator[dict[str, Any]]:
    for part in parts:
        name = part.get_filename()
        if name is None or part.is_multipart():
            continue
        content = part.get_payload(decode=True)
        yield {
            "@odata.type": "#microsoft.graph.fileAttachment",
            "id": secrets.token_hex(12),
            "name": _decoded(name),
            "contentType": part.get_content_type(),
            "size": len(content) if isinstance(content, bytes) else 0,
            "isInline": part.get_content_disposition() == "inline",
        }


def _class(mime: Mime, parts: list[Mime]) -> str:
    if mime.get_content_type() == "multipart/report":
        kind = str(mime.get_param("report-type", "")).lower()
        reports = [each for each in parts if each.get_content_type() == "message/delivery-status"]
        inside = [str(each.get("Action", "")) for report in reports for each in _parts(report)]
        return "REPORT.IPM.Note.Delayed.DR" if "delayed" in inside else _REPORTS.get(kind, "IPM.Note")
    for part in parts:
        if part.get_content_type() == "text/calendar":
            return _MEETINGS.get(str(part.get_param("method", "")).upper(), "IPM.Note")
    return "IPM.Note"


def _original_id(parts: list[Mime]) -> str:
    """Return the Message-ID of the email that a report is about."""
    if parts[0].get_content_type() != "multipart/report":
        return ""
    for part in parts[1:]:
        quoted = part.get_content_type() == "text/rfc822-headers"
        if found := _ids(email.message_from_string(_text(part)) if quoted else part, "Message-ID"):
            return found[0]
    return ""


def _people(mime: Mime, name: str) -> list[dict[str, Any]]:
    given = [_line(value) for value in mime.get_all(name, [])]
    try:
        found = getaddresses(given)
    except RecursionError:  # brackets within brackets, too deep for Python's parser: nobody
        return []
    return [_person(_decoded(shown), address) for shown, address in found if address]


def _person(name: str, address: str) -> dict[str, Any]:
    return {"emailAddress": {"name": name or address, "address": address}}


def _ids(mime: Mime, name: str) -> list[str]:
    return _ID.findall(_line(mime.get(name, "")))


def _line(value: object) -> str:
    return " ".join(str(value).split())


def _decoded(value: str) -> str:
    try:
        return _line(make_header(decode_header(_line(value))))
    except (LookupError, ValueError):
        return _line(value)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
