"""The names of Graph's routes, and the items in them."""

from typing import Any

from lab.emulator.world import LISTED, Mailbox, World, folder_id


def name_route(method: str, segments: list[str]) -> tuple[str, str]:
    """Return the route's name with ``{id}`` in place of the item's id, and that id."""
    parts = [part.rstrip("()").removeprefix("microsoft.graph.") for part in segments]
    item_id = ""
    at = {"messages": 2, "mailFolders": 2}.get(
        parts[1] if len(parts) > 1 else "", 1 if parts[:1] == ["subscriptions"] else 9
    )
    if len(parts) > at:
        item_id, parts[at] = segments[at], "{id}"
    return f"{method} /{'/'.join(parts)}", item_id


def mark_refused(mailbox: Mailbox, item_id: str) -> None:
    """Mark an item whose request was executed but answered with a refusal."""
    if item_id in mailbox.messages:
        mailbox.messages[item_id].refused = True


def folder_of(mailbox: Mailbox, name: str) -> str | None:
    """Return the folder with that name or id, or None."""
    for folder in LISTED:
        if name.lower() == folder or name == folder_id(mailbox, folder):
            return folder
    return None


def settings_of(mailbox: Mailbox) -> dict[str, Any]:
    """Return the answer of ``/me/mailboxSettings``."""
    return {
        "timeZone": mailbox.time_zone,
        "automaticRepliesSetting": mailbox.automatic_replies,
        "workingHours": mailbox.working_hours,
        "userPurpose": {"value": mailbox.purpose},
    }


def tenant_of(world: World, tenant_id: str) -> dict[str, Any]:
    """Return a tenant as ``/organization`` shows it to its users: the domains of its addresses are verified."""
    mailboxes = [each for each in world.mailboxes.values() if each.tenant_id == tenant_id]
    names = sorted({each.address.rpartition("@")[2] for each in mailboxes})
    domains = [
        {"name": name, "isDefault": not number, "type": "Managed"} for number, name in enumerate(names)
    ]
    return {"id": tenant_id, "verifiedDomains": domains}
