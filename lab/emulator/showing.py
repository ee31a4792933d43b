"""Items as clients see them: as JSON with what ``$select`` and ``$expand`` name, and as MIME."""

import html
import re
from email.message import EmailMessage
from typing import Any

from lab.emulator.properties import CLASS, normalise, spelled
from lab.emulator.world import Message

# Shown only where it is selected.
_HIDDEN = {"internetMessageHeaders", "uniqueBody"}
_PROPERTIES = re.compile(r"singleValueExtendedProperties(?:\(\$filter=([^()]*)\))?")
_ID = re.compile(r"id eq '([^']*)'")
_PLAIN = 'outlook.body-content-type="text"'


def shown(
    message: Message, query: dict[str, str], *, prefer: str = "", several: bool = True
) -> dict[str, Any]:
    """Return an item as JSON. ``prefer``: the request's header. ``several``: whether more than one property can be expanded."""
    chosen = [name.strip() for name in query.get("$select", "").split(",") if name]
    plain = _PLAIN in prefer.replace("'", '"')
    data = {**message.data, "uniqueBody": _unique(message, plain=plain)}
    if plain:
        data["body"] = {"contentType": "text", "content": text_of(message)}
    if message.drops_headers:
        data.pop("internetMessageHeaders", None)
    value = {
        name: each
        for name, each in data.items()
        if (name in chosen or name == "id" if chosen else name not in _HIDDEN)
    }
    expand = query.get("$expand", "")
    if (asked := _PROPERTIES.search(expand)) is not None:
        names = None if asked[1] is None else [normalise(each) for each in _ID.findall(asked[1])]
        found = _expanded(message, names)
        if found and (several or names is None or len(names) == 1):
            value["singleValueExtendedProperties"] = found
    if re.search(r"(^|,)attachments", expand):
        value["attachments"] = message.attachments
    return value


def _expanded(message: Message, names: list[str] | None) -> list[dict[str, str]]:
    """Return the properties with these normalized ids; None: all that were set. Graph answers with ids of its own spelling."""
    if names is None:
        return [{"id": name, "value": each} for name, each in message.properties.items()]
    held = {CLASS: "IPM.Note"} | message.properties
    return [{"id": spelled(name), "value": each} for name, each in held.items() if name in names]


def _unique(message: Message, *, plain: bool) -> dict[str, str]:
    text = message.unique or text_of(message)
    if plain:
        return {"contentType": "text", "content": text}
    return {"contentType": "html", "content": f"<html><body><div>{html.escape(text)}</div></body></html>"}


def text_of(message: Message) -> str:
    """Return the text, as Exchange makes it of HTML where there is no other."""
    body = message.data["body"]
    if message.text or body.get("contentType", "").lower() != "html":
        return message.text or str(body.get("content", ""))
    lines = re.sub(r"(?i)<br\s*/?>|</p>|</div>", "\r\n", str(body.get("content", "")))
    return html.unescape(re.sub(r"<[^>]*>", "", lines)).strip()


def mime(message: Message) -> bytes:
    """Return an item as MIME: as it came, or as its recipients would receive it."""
    if message.raw:
        return message.raw.encode("latin-1")
    data = message.data
    email = EmailMessage()
    email["From"] = data["from"]["emailAddress"]["address"]
    for header, field in (("To", "toRecipients"), ("Cc", "ccRecipients")):
        if data[field]:
            email[header] = ", ".join(each["emailAddress"]["address"] for each in data[field])
    email["Subject"] = data["subject"]
    email["Message-ID"] = data["internetMessageId"]
    if message.in_reply_to:
        email["In-Reply-To"] = message.in_reply_to
        email["References"] = message.references or message.in_reply_to
    for header in data.get("internetMessageHeaders") or []:
        if header["name"].lower() not in {name.lower() for name in email}:
            email[header["name"]] = header["value"]
    kind = "html" if data["body"].get("contentType", "").lower() == "html" else "plain"
    email.set_content(data["body"].get("content", ""), subtype=kind)
    return email.as_bytes()
