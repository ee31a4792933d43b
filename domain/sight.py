"""Which member sees which person: their page, their conversation, and what came in of them."""

from enum import StrEnum


class Sight(StrEnum):
    """How much a member sees of a person."""

    EVERYTHING = "everything"
    OWN_MAILBOX = "own_mailbox"


def sight(*, manages: bool, enrolled: bool, in_mailbox: bool) -> Sight | None:
    """Decide. None: nothing, not even that the organization knows the person.

    ``manages``: an owner or admin, or a program of the organization. ``enrolled``: the person is in a sequence of the member's.
    ``in_mailbox``: the member's own mailbox wrote to the person, or heard from them.
    """
    if manages or enrolled:
        return Sight.EVERYTHING
    return Sight.OWN_MAILBOX if in_mailbox else None
