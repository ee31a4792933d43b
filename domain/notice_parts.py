"""Parts of notices: lines about sequences and people, and links to pages where the recipient can act."""

from collections.abc import Sequence
from urllib.parse import quote

from domain.notice import Link, Notice, TouchedSequence


def compose(title: str, *paragraphs: str, links: Sequence[Link] = ()) -> Notice:
    """Make a notice of a title, paragraphs and links. Empty paragraphs are left out."""
    return Notice(title, "\n\n".join(each.strip() for each in paragraphs if each.strip()), tuple(links))


def paused(touched: Sequence[TouchedSequence], *, owners: bool = False) -> str:
    """List the paused sequences, one a line. Empty if there are none."""
    lines = [
        f"- {each.name}{f' ({each.owner})' if owners and each.owner else ''}: {people(each.people)} waiting"
        for each in touched
    ]
    return "\n".join(["Paused:", *lines]) if lines else ""


def waiting(touched: Sequence[TouchedSequence]) -> str:
    """Say how many people wait in each sequence."""
    if len(touched) == 1:
        return f"{touched[0].name}: {people(touched[0].people)} waiting."
    return "\n".join(f"- {each.name}: {people(each.people)} waiting" for each in touched)


def can_resume(touched: Sequence[TouchedSequence]) -> str:
    """List the sequences that can resume, one a line. Empty if there are none."""
    if not touched:
        return ""
    lines = [f"- {each.name}: {people(each.people)} waiting" for each in touched]
    return "\n".join(["You can resume these sequences. You first see who gets what, and when:", *lines])


def resume(touched: Sequence[TouchedSequence]) -> list[Link]:
    """Link to where they are resumed."""
    if len(touched) == 1 and touched[0].id:
        return [("Resume", f"/sequences/{touched[0].id}/resume")]
    return [("Resume", "/sequences?status=paused")] if touched else []


def see(touched: Sequence[TouchedSequence]) -> list[Link]:
    """Link to the paused sequences."""
    return [("See the sequences", "/sequences?status=paused")] if touched else []


def hand_over(touched: Sequence[TouchedSequence]) -> list[Link]:
    """Link to where a paused sequence gets another owner or sender. Several are handed over from their list."""
    return [
        ("Hand over", f"/sequences/{each.id}/hand-over") for each in touched if each.id and len(touched) == 1
    ]


def change_sender(touched: Sequence[TouchedSequence], mailbox_id: str) -> list[Link]:
    """Link to where the paused sequences get another sender, several on one page. ``mailbox_id``: from which they sent."""
    known = [each.id for each in touched if each.id]
    if len(known) == 1:
        return [("Change sender", f"/sequences/{known[0]}/hand-over")]
    if not known or not mailbox_id:
        return []
    return [(f"Change the sender of these {len(known)} sequences", f"/sequences/sender?from={mailbox_id}")]


def once_over(owner: str, mailbox: str, touched: Sequence[TouchedSequence], mailbox_id: str) -> list[Link]:
    """Link to what somebody can do whose permission is over. ``owner``: the mailbox owner's name, or empty."""
    return [
        (f"Ask {owner or 'for permission'}", ask(mailbox)),
        *change_sender(touched, mailbox_id),
        *see(touched),
    ]


def sent_in_name(ends: str) -> list[Link]:
    """Link to what was sent, and to the end of each permission. ``ends``: lines of a permission's id and who has it."""
    given = [line.partition(" ") for line in ends.splitlines()]
    return [
        ("Show each with its receipt", "/settings/sent"),
        *(
            (f"End the permission of {name}", f"/settings/sequences/grants/{grant}/revoke")
            for grant, _, name in given
        ),
    ]


def ask(mailbox: str) -> str:
    """The path of the form that asks for a permission."""
    return f"/settings/sequences?ask={quote(mailbox, safe='')}#ask"


def listed(names: Sequence[str], count: int = 0, shown: int = 3) -> str:
    """``Ada``, ``Ada and Bo``, ``Ada, Bo, Cy and 4 others``."""
    first = list(names[:shown])
    more = max(count, len(names)) - len(first)
    if more > 0:
        return f"{', '.join(first)} and {more} {'other' if more == 1 else 'others'}"
    return " and ".join([", ".join(first[:-1]), first[-1]] if len(first) > 1 else first)


def people(count: int) -> str:
    """1 person, 2 people."""
    return "1 person" if count == 1 else f"{count:,} people"
