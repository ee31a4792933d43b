"""Items: how to create, change and show them, with Graph's rules."""

import secrets
import time
from datetime import UTC, datetime
from typing import Any

from lab.emulator.http import Response
from lab.emulator.properties import normalise
from lab.emulator.world import Mailbox, Message, World, folder_id

_WRITABLE = {
    "subject", "body", "toRecipients", "ccRecipients", "bccRecipients", "replyTo", "from", "sender", "importance",
    "categories", "isRead", "internetMessageHeaders", "internetMessageId",
}  # fmt: skip
_ONLY_DRAFTS = {
    "subject",
    "body",
    "toRecipients",
    "ccRecipients",
    "bccRecipients",
    "replyTo",
    "internetMessageId",
}


def new_message(world: World, mailbox: Mailbox) -> Message:
    """Create an empty draft in Drafts."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    item_id = world.new_item_id()
    data = {
        "id": item_id,
        "createdDateTime": now,
        "lastModifiedDateTime": now,
        "changeKey": secrets.token_hex(8),
        "categories": [],
        "receivedDateTime": now,
        "sentDateTime": now,  # drafts have one too, so only isDraft tells
        "hasAttachments": False,
        "internetMessageId": f"<{secrets.token_hex(12)}@prod.outlook.com>",
        "subject": "",
        "bodyPreview": "",
        "importance": "normal",
        "parentFolderId": folder_id(mailbox, "drafts"),
        "conversationId": "AAQk" + secrets.token_hex(20),
        "isRead": True,
        "isDraft": True,
        "body": {"contentType": "html", "content": ""},
        "from": {"emailAddress": {"address": mailbox.address, "name": mailbox.name}},
        "toRecipients": [],
        "ccRecipients": [],
        "bccRecipients": [],
        "replyTo": [],
    }
    return Message(item_id, "drafts", data, received=time.time())


def apply(message: Message, body: Any, *, draft: bool) -> Response | None:
    """Write properties. Returns an error answer if a property must not be written like this."""
    if not isinstance(body, dict):
        return error(400, "BadRequest", "The request body is not an object.")
    for name, value in body.items():
        if name.startswith("@odata") or name == "singleValueExtendedProperties":
            continue
        if name not in _WRITABLE:
            return error(400, "BadRequest", f"The property '{name}' does not exist or cannot be written.")
        if name in _ONLY_DRAFTS and not draft:
            return error(400, "ErrorInvalidPropertySet", f"The property '{name}' can only be set on a draft.")
        if name == "internetMessageHeaders":
            if len(value) > 5:
                text = "Maximum number of headers in one message should be less than or equal to 5."
                return error(400, "InvalidInternetMessageHeaderCollection", text)
            for header in value:
                if not header["name"].lower().startswith("x-"):
                    text = (
                        f"The internet message header name '{header['name']}' should start with 'x-' or 'X-'."
                    )
                    return error(400, "InvalidInternetMessageHeader", text)
        if name.endswith("Recipients"):
            for recipient in value:
                address = recipient.get("emailAddress", {}).get("address") or ""
                if "@" not in address or any(character.isspace() for character in address):
                    return error(400, "ErrorInvalidRecipients", "At least one recipient is not valid.")
        message.data[name] = value
    for each in body.get("singleValueExtendedProperties") or []:
        message.properties[normalise(each["id"])] = str(each["value"])
    message.data["bodyPreview"] = message.data["body"].get("content", "")[:255]
    message.data["changeKey"] = secrets.token_hex(8)
    return None


def error(status: int, code: str, message: str) -> Response:
    """Return an error like Graph's."""
    request_id = secrets.token_hex(16)
    inner = {"date": datetime.now(UTC).isoformat(timespec="seconds"), "request-id": request_id}
    value = {"error": {"code": code, "message": message, "innerError": inner}}
    return Response(status, value, {"request-id": request_id})
