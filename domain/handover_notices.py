"""The notices of a hand-over that somebody asks for."""

from domain.notice import Facts, Notice
from domain.notice_parts import compose


def handover_asked(facts: Facts) -> Notice:
    """Somebody asks a member to take a sequence over."""
    sequence, words = facts.payload.get("sequence", "a sequence"), facts.payload.get("reason", "")
    asked = facts.payload.get("request_id")
    return compose(
        f"{facts.actor} asks you to take over {sequence}",
        f"{sequence} stays as it is until you accept.",
        f"{facts.actor} writes: “{words}”" if words else "",
        "Before you accept, you see who is in it and choose the sender.",
        links=[("Answer", f"/handovers/{asked}" if asked else "/sequences")],
    )


def handover_declined(facts: Facts) -> Notice:
    """A member declined to take a sequence over."""
    sequence, key = facts.payload.get("sequence", "a sequence"), facts.payload.get("sequence_id")
    return compose(
        f"{facts.actor} declined to take over {sequence}",
        f"{sequence} stays as it is.",
        "You can ask somebody else.",
        links=[("Hand over", f"/sequences/{key}/hand-over" if key else "/sequences")],
    )
