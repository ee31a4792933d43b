"""Which member sees which person: their page, their conversation, and what came in of them."""

from enum import StrEnum


class Sight(StrEnum):
    """How much a member sees of a person."""

    EVERYTHING = "everything"
    OWN_MAILBOX = "own_mailbox"


def sight(*, manages: bool, enrolled: bool, theirs_alone: bool, known: bool) -> Sight | None:
    """Decide. None: nothing, not even that the organization knows the person.

    ``manages``: an owner or admin, or a program of the organization. ``enrolled``: the person is in a sequence of the member's.
    ``theirs_alone``: the member brought the person in, and nobody has written to them or heard from them. ``known``: the member
    brought them in, or the member's own mailbox wrote to the person, or heard from them.
    """
    if manages or enrolled or theirs_alone:
        return Sight.EVERYTHING
    return Sight.OWN_MAILBOX if known else None
