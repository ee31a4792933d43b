"""The Gmail API's methods: names, scopes, quota units; the pages of their lists."""

from typing import Any

from lab.emulator.google import SCOPE
from lab.emulator.http import Response
from lab.emulator.world import Mailbox

SEND = "POST /gmail/drafts/send"
_ALL, _MODIFY, _SETTINGS = "https://mail.google.com/", f"{SCOPE}gmail.modify", f"{SCOPE}gmail.settings.basic"
_READS = {_ALL, _MODIFY, f"{SCOPE}gmail.readonly"}
_WRITES = {_ALL, _MODIFY, f"{SCOPE}gmail.compose"}
# Quota units of each method ("Usage limits", per-method quota usage, as of May 2026; before, looking at a message cost 5).
UNITS = {
    "POST /gmail/drafts": 10,
    "GET /gmail/drafts": 5,
    "GET /gmail/drafts/{id}": 20,
    "PUT /gmail/drafts/{id}": 15,
    "DELETE /gmail/drafts/{id}": 10,
    SEND: 100,
    "GET /gmail/messages": 5,
    "GET /gmail/messages/{id}": 20,
    "GET /gmail/messages/{id}/attachments/{part}": 20,
    "GET /gmail/threads": 10,
    "GET /gmail/threads/{id}": 40,
    "GET /gmail/history": 2,
    "GET /gmail/profile": 1,
    "GET /gmail/settings/sendAs": 1,
    "GET /gmail/settings/vacation": 1,
    "PUT /gmail/settings/vacation": 5,
    "POST /gmail/watch": 100,
    "POST /gmail/stop": 50,
}

CHANGES = {
    "messageAdded": "messagesAdded",
    "messageDeleted": "messagesDeleted",
    "labelAdded": "labelsAdded",
    "labelRemoved": "labelsRemoved",
}


def name_route(method: str, segments: list[str]) -> tuple[str, str]:
    """Return the route's name with ``{id}`` in place of the item's id, and that id (with the attachment's behind a new line)."""
    parts, item_id = list(segments), ""
    if parts[:1] != ["settings"] and len(parts) > 1 and parts != ["drafts", "send"]:
        item_id, parts[1] = parts[1], "{id}"
    if len(parts) == 4 and parts[2] == "attachments":
        item_id, parts[3] = f"{item_id}\n{parts[3]}", "{part}"
    return f"{method} /gmail/{'/'.join(parts)}", item_id


def scopes_for(route: str) -> set[str]:
    """Return the scopes one of which a route wants (each method's reference, "Authorization scopes")."""
    if route in ("GET /gmail/settings/sendAs", "GET /gmail/settings/vacation"):
        return {*_READS, _SETTINGS}
    if route.startswith("PUT /gmail/settings"):
        return {_SETTINGS}
    if "/drafts" in route:
        return _WRITES | _READS if route.startswith("GET") else _WRITES
    return {*_READS, f"{SCOPE}gmail.compose"} if route == "GET /gmail/profile" else _READS


def send_as(mailbox: Mailbox) -> list[dict[str, Any]]:
    """Return the addresses that an account may send as, its own first."""
    own = {
        "sendAsEmail": mailbox.address,
        "displayName": mailbox.name,
        "replyToAddress": "",
        "signature": mailbox.signature,
        "isPrimary": True,
        "isDefault": True,
    }
    others = [
        {
            "sendAsEmail": each,
            "displayName": mailbox.name,
            "replyToAddress": "",
            "signature": "",
            "treatAsAlias": True,
            "verificationStatus": "accepted",
        }
        for each in mailbox.aliases
    ]
    return [own, *others]


def has_label(record: dict[str, Any], label: str) -> bool:
    """Does a record of the history concern an item with that label?"""
    changes = [change for kind in CHANGES.values() for change in record.get(kind, [])]
    return any(label in change["message"]["labelIds"] for change in changes)


def page(
    query: dict[str, list[str]], name: str, items: list[Any], more: dict[str, Any], *, most: int
) -> Response:
    """Return one page of a list, as the query asks. ``more``: what the answer has beside it. ``most``: items of a page."""
    size = max(1, min(int(query.get("maxResults", ["100"])[-1]), most))
    begin = int(query.get("pageToken", ["0"])[-1] or "0")
    value: dict[str, Any] = {**more}
    if items[begin : begin + size]:
        value[name] = items[begin : begin + size]
    if begin + size < len(items):
        value["nextPageToken"] = str(begin + size)
    return Response(200, value)
