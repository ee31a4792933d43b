"""What keeps a planned email from leaving: decided once, in the gate's order, for ``domain.why`` and ``domain.waiting`` to word.

``domain/preflight.py`` decides on more facts, when the email is due. A property test holds the two orders together.
"""

from enum import Enum, auto

from domain import task
from domain.approval import WAITS, WAITS_FOR_OWNER

_MISSING = "missing_merge_field: "


class Obstacle(Enum):
    """What somebody has to change before the email can leave."""

    ARCHIVED = auto()  # the sequence
    PERMISSION = auto()  # or a member or the mailbox's connection: ``domain.authority.missing``
    DRAFT = auto()  # the sequence
    SEQUENCE_PAUSED = auto()
    FIELD = auto()  # the person lacks one
    PERSON_PAUSED = auto()
    TASK = auto()  # nobody has done it, or skipped it
    APPROVAL = auto()  # nobody has approved the email as it is
    MAILBOX_OWNER = auto()  # they read the first email on their permission before it leaves
    HELD = auto()
    ON_HOLD = auto()  # the mailbox, its organization, or everybody


def obstacle(
    *,
    sequence: str,
    enrollment: str,
    reason: str | None,
    blocked: bool,
    held: bool,
    held_for: str | None = None,
    on_hold: bool = False,
) -> Obstacle | None:
    """Return the first obstacle, or None. ``sequence``, ``enrollment``: their statuses; ``reason``: why the person is paused.

    ``blocked``: something is missing that ``domain.authority`` asks for; a task needs none of it. ``held``: the email waits for a decision; ``held_for``: why.
    ``on_hold``: a hold keeps its mailbox from sending.
    """
    if sequence == "archived":
        return Obstacle.ARCHIVED
    if blocked and held_for != task.WAITS:
        return Obstacle.PERMISSION
    if sequence != "active":
        return Obstacle.DRAFT if sequence == "draft" else Obstacle.SEQUENCE_PAUSED
    if enrollment != "active":
        return Obstacle.PERSON_PAUSED if missing_field(reason) is None else Obstacle.FIELD
    if held and held_for == task.WAITS:
        return Obstacle.TASK
    if held and held_for == WAITS:
        return Obstacle.APPROVAL
    if held and held_for == WAITS_FOR_OWNER:
        return Obstacle.MAILBOX_OWNER
    if held:
        return Obstacle.HELD
    return Obstacle.ON_HOLD if on_hold else None


def missing_field(reason: str | None) -> str | None:
    """Return the field for which a person is paused, or None if it is for another reason."""
    return reason.removeprefix(_MISSING) if reason is not None and reason.startswith(_MISSING) else None
