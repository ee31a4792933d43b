"""Items as Gmail keeps and shows them: MIME with labels, in threads ("REST Resource: users.messages", "Manage threads")."""

import base64
import email
import email.policy
import re
import secrets
import time
from datetime import UTC, datetime
from email.message import Message as Mime
from email.utils import format_datetime, getaddresses
from typing import Any

from lab.emulator.parsing import item_of
from lab.emulator.world import Mailbox, Message, World

LABELS: dict[str, tuple[str, ...]] = {
    "inbox": ("INBOX",),
    "drafts": ("DRAFT",),
    "sentitems": ("SENT",),
    "deleteditems": ("TRASH",),
    "junkemail": ("SPAM",),
    "archive": (),
}
# The sender's own id of an email, which the ledger names.
OWN_ID = "x-onbehalf-delivery"
_OWN_PROPERTY = "string 00020329-0000-0000-c000-000000000046 name own"
_ATTACHMENT = "ANGjdJ"  # how ids of attachments begin
_PREFIX = re.compile(r"^\s*((re|aw|fwd?|sv)\s*:\s*)+", re.IGNORECASE)


def new_item(world: World, mailbox: Mailbox, raw: bytes, folder: str, thread_id: str = "") -> Message:
    """Take MIME in as an item of its own. ``thread_id``: the thread that it asks for, which it joins if it fits.

    "The requested threadId must be specified", "the References and In-Reply-To headers must be set in compliance with RFC
    2822" and "the Subject headers must match"; otherwise it is a thread of its own.
    """
    item_id = world.new_item_id(mailbox)
    text = _completed(mailbox, raw).decode("latin-1")
    values = {"raw": text, "folder": folder, "conversation_id": item_id, "drops_headers": False}
    message = item_of(mailbox, item_id, values, time.time(), keeps=False)
    mime = _parsed(text)
    message.data["isRead"] = True
    message.data["isDraft"] = folder == "drafts"
    message.data["bccRecipients"] = [
        {"emailAddress": {"name": name or address, "address": address}}
        for name, address in getaddresses([str(each) for each in mime.get_all("Bcc", [])])
        if address
    ]
    if thread_id and thread_id == thread_of(mailbox, message):
        message.data["conversationId"] = thread_id
    for name, value in mime.items():
        if name.lower() == OWN_ID:
            message.properties[_OWN_PROPERTY] = str(value).strip()
    return message


def thread_of(mailbox: Mailbox, message: Message) -> str:
    """Return the thread that an item belongs to by its headers and subject: that of what it answers, or its own."""
    named = {*message.in_reply_to.split(), *message.references.split()}
    for each in mailbox.messages.values():
        if (
            each.id != message.id
            and each.data["internetMessageId"] in named
            and bare_subject(each) == bare_subject(message)
        ):
            return str(each.data["conversationId"])
    return message.id


def bare_subject(message: Message) -> str:
    """Return the subject without ``Re:`` and the like."""
    return _PREFIX.sub("", message.data["subject"]).strip().casefold()


def sent_item(world: World, mailbox: Mailbox, draft: Message) -> Message:
    """Return what becomes of a draft: "a new message with an updated ID is created with the SENT system label".

    Gmail puts the account's address into From if that names neither it nor a confirmed alias.
    """
    mime = _parsed(draft.raw)
    author = draft.data["from"]["emailAddress"]["address"].lower()
    if author not in {mailbox.address, *map(str.lower, mailbox.aliases)}:
        del mime["From"]
        mime["From"] = mailbox.address
    if not world.switch(mailbox, "google_keeps_message_id"):
        mime["X-Google-Original-Message-ID"] = str(mime["Message-ID"])
        del mime["Message-ID"]
        mime["Message-ID"] = _message_id()
    del mime["Bcc"]
    sent = new_item(world, mailbox, mime.as_bytes(), "sentitems")
    sent.data["bccRecipients"] = draft.data["bccRecipients"]
    sent.data["conversationId"] = draft.data["conversationId"]
    return sent


def labels_of(message: Message) -> list[str]:
    """Return an item's labels. Drafts have no other than theirs."""
    unread = [] if message.data["isRead"] else ["UNREAD"]
    return [*LABELS[message.folder], *unread]


def shown(message: Message, history_id: int, query: dict[str, list[str]]) -> dict[str, Any]:
    """Return an item as JSON, in the ``format`` that the query names."""
    kind = (query.get("format") or ["full"])[-1].lower()
    value: dict[str, Any] = {
        **reference(message),
        "labelIds": labels_of(message),
        "snippet": message.text[:100],
        "historyId": str(history_id),
        "internalDate": str(int(message.received * 1000)),
        "sizeEstimate": len(message.raw),
    }
    if kind == "raw":
        value["raw"] = base64.urlsafe_b64encode(message.raw.encode("latin-1")).decode()
    elif kind in ("full", "metadata"):
        wanted = [each.lower() for each in query.get("metadataHeaders", [])]
        value["payload"] = _part(_parsed(message.raw), "", wanted=wanted, whole=kind == "full")
    return value


def reference(message: Message) -> dict[str, str]:
    """Return an item's id and its thread's."""
    return {"id": message.id, "threadId": message.data["conversationId"]}


def attachment(message: Message, attachment_id: str) -> dict[str, Any] | None:
    """Return an attachment's content, or None."""
    part: Mime = _parsed(message.raw)
    for number in attachment_id.removeprefix(_ATTACHMENT).split("."):
        parts = [each for each in part.get_payload() if isinstance(each, Mime)] if part.is_multipart() else []
        if not number.isdigit() or int(number) >= len(parts):
            return None
        part = parts[int(number)]
    return {"attachmentId": attachment_id, **_body(part)}


def _part(mime: Mime, number: str, *, wanted: list[str], whole: bool) -> dict[str, Any]:
    headers = [
        {"name": name, "value": " ".join(str(value).split())}
        for name, value in mime.items()
        if number or not wanted or name.lower() in wanted
    ]
    value: dict[str, Any] = {
        "partId": number,
        "mimeType": mime.get_content_type(),
        "filename": mime.get_filename() or "",
        "headers": headers,
    }
    if not whole:
        return {name: value[name] for name in ("mimeType", "headers")}
    if mime.is_multipart():
        parts = [each for each in mime.get_payload() if isinstance(each, Mime)]
        value["body"] = {"size": 0}
        value["parts"] = [
            _part(each, f"{number}.{index}" if number else str(index), wanted=[], whole=True)
            for index, each in enumerate(parts)
        ]
    elif value["filename"]:
        value["body"] = {"attachmentId": f"{_ATTACHMENT}{number}", "size": _body(mime)["size"]}
    else:
        value["body"] = _body(mime)
    return value


def _body(mime: Mime) -> dict[str, Any]:
    content = mime.get_payload(decode=True)
    data = content if isinstance(content, bytes) else b""
    # As the API shows texts: in UTF-8, whatever the part's own encoding.
    if mime.get_content_maintype() == "text" and not mime.get_filename():
        data = data.decode(mime.get_content_charset("utf-8"), "replace").encode()
    return {"size": len(data), "data": base64.urlsafe_b64encode(data).decode()}


def _completed(mailbox: Mailbox, raw: bytes) -> bytes:
    """Add what an email must have and this one has not."""
    mime = email.message_from_bytes(raw)
    added = {"From": mailbox.address, "Date": format_datetime(datetime.now(UTC)), "Message-ID": _message_id()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in added.items() if mime[name] is None)
    return lines.encode() + raw


def _message_id() -> str:
    return f"<CA{secrets.token_urlsafe(24)}@mail.gmail.com>"


def _parsed(raw: str) -> Mime:
    return email.message_from_bytes(raw.encode("latin-1"), policy=email.policy.compat32)
