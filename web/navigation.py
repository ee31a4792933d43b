"""The navigation: one line for each page, with the people who see it and the number beside it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

Audience = Literal["everybody", "admins", "operators", "demo"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of the navigation. ``label``: only what follows a ``|`` is written in a phone's bar.

    ``badge``: the name of the number beside it. ``also``: other paths that belong to it. ``pinned``: in a phone's bar (at most four).
    """

    path: str
    label: str
    icon: str
    audience: Audience = "everybody"
    badge: str = ""
    colour: str = ""
    pinned: bool = False
    also: tuple[str, ...] = ()


ENTRIES = (
    Entry("/sequences", "Sequences", "sequences", pinned=True, also=("/handovers",)),
    Entry("/people", "People", "people"),
    Entry("/messages", "Messages", "messages", badge="messages", pinned=True),
    Entry("/outbox", "Outbox", "outbox"),
    Entry("/attention", "Needs |attention", "attention", badge="decisions", colour="bad", pinned=True, also=("/why",)),
    Entry(
        "/settings/sequences", "Mailbox and permissions", "key", also=("/settings/mail-server/mine", "/settings/read", "/settings/sent", "/settings/holds", "/settings/mailboxes")
    ),
    Entry("/numbers", "Numbers", "pulse"),
    Entry("/notifications", "Notifications", "notice", badge="unread"),
    Entry("/settings/email", "Email settings", "mail", "admins", also=("/settings/mail-server", "/settings/answers", "/settings/organization")),
    Entry("/settings/team", "Team", "team", "admins"),
    Entry("/settings/suppressions", "Suppressions", "ban", "admins"),
    Entry("/settings/api", "API and webhooks", "code", "admins"),
    Entry("/settings/audit", "Audit", "audit", "admins"),
    Entry("/operations", "Operations", "list", "operators"),
    Entry("/system", "Design system", "task", "demo"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry as a page shows it. ``count``: the number beside it, up to 100."""

    path: str
    label: str
    icon: str
    audience: Audience
    badge: str
    colour: str
    pinned: bool
    current: bool
    count: int


def navigation(here: str, audiences: Collection[Audience], counts: Mapping[str, int]) -> list[Shown]:
    """Return the entries of these audiences. ``here``: the page's path. ``counts``: each badge's number."""
    fit = [(len(path), each) for each in ENTRIES for path in (each.path, *each.also) if _is_in(here, path)]
    current = max(fit, key=lambda found: found[0])[1] if fit else None
    return [
        Shown(
            each.path,
            each.label,
            each.icon,
            each.audience,
            each.badge,
            each.colour,
            each.pinned,
            each is current,
            counts.get(each.badge, 0),
        )
        for each in ENTRIES
        if each.audience in audiences
    ]


def _is_in(here: str, path: str) -> bool:
    return here == path or here.startswith(f"{path}/")
