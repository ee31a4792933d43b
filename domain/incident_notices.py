"""Notices about notices: an incident that its owner has not read, and a day's in one email."""

from domain.notice import Facts, Notice
from domain.notice_parts import compose


def incident_unread(facts: Facts) -> Notice:
    """Somebody has not read of an incident."""
    person, title = facts.payload.get("person", "Its owner"), facts.payload.get("title", "something stopped")
    return compose(
        f"{person} has not read: {title}",
        f"We notified {person} and nobody has opened the notice. It is not over, and emails wait.",
        "Fix it for them, or acknowledge it so others know you're on it.",
        links=[("See the incident", "/attention")],
    )


def daily_summary(facts: Facts) -> Notice:
    """The notices of a day."""
    count = int(facts.payload.get("count", "1"))
    left = count - len(facts.names)
    more = [f"And {left:,} more."] if left else []
    return compose(
        f"{facts.payload.get('day', 'Today')}: {count:,} {'notification' if count == 1 else 'notifications'}",
        "\n".join([*(f"- {each}" for each in facts.names), *more]),
        links=[("Change what reaches you by email", "/settings/preferences#notices")],
    )
