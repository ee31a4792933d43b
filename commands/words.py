"""What rows mean, in words, for the CLI: one enrollment in a paragraph, and on whose authority an email left."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, assert_never

from domain import why as causes

if TYPE_CHECKING:
    from domain.authority import Authority
    from domain.why import Why


def explain(row: Any, waits: str | None = None, blockers: Sequence[str] = ()) -> str:
    """``domain.why`` by the clock of UTC, with the command that helps."""
    return with_command(causes.why(row, causes.Around(waits, blockers), at_utc), row)


def with_command(said: "Why", row: Any) -> str:
    """The answer with the command that helps. ``row``: ``db.views.lookups.situation``."""
    text = said.text
    if row.state == "review" and text.endswith("settle it."):
        return f"{text.removesuffix('.')}: onbehalf review settle {row.delivery_id}"
    return text


def at_utc(moment: datetime, form: str) -> str:
    """A moment by the clock of UTC."""
    forms = {causes.SECOND: "%Y-%m-%d %H:%M:%S", causes.CLOCK: "%H:%M:%S", causes.MINUTE: "%Y-%m-%d %H:%M"}
    return f"{moment.strftime(forms[form])} UTC"


def on_authority(authority: "Authority", granted_by: str | None) -> str:
    """On whose authority an email left. ``granted_by``: the mailbox owner's address, where a permission was needed."""
    match authority:
        case "own_mailbox":
            return "from the sequence owner's own mailbox"
        case "sender_address":
            return "from the organization's sender address, which all its members may use"
        case "grant_to_person":
            return f"on a permission that {granted_by} gave the owner"
        case "grant_to_everyone":
            return f"on a permission that {granted_by} gave everyone"
    assert_never(authority)
