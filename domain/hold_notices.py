"""Notices about holds: of a mailbox, and of an organization."""

from domain.holds import Level, who_releases
from domain.notice import Facts, Notice
from domain.notice_parts import compose, waiting

_HERE = ("See what is held", "/settings/holds")


def mailbox_held(facts: Facts) -> Notice:
    """Somebody stopped all sending from a mailbox."""
    manages = facts.mailbox_is_mine or facts.for_admin
    return _held(
        facts, f"{facts.mailbox} is held", f"all sending from {facts.mailbox}", "" if manages else "/outbox"
    )


def organization_held(facts: Facts) -> Notice:
    """Somebody stopped all sending of an organization."""
    return _held(facts, "All sending is held", "all sending of your organization", "")


def _held(facts: Facts, title: str, what: str, outbox: str) -> Notice:
    reason = facts.payload.get("reason", "").rstrip(".")
    until = facts.payload.get("until", "")
    lasts = f"until {until}" if until else "until somebody releases it"
    return compose(
        title,
        f"{facts.actor} stopped {what} {lasts}: {reason}.",
        waiting(facts.touched) if facts.touched else "",
        "Nothing is lost, and nobody is left out: the emails then go on by themselves, in their order and at the mailbox's pace. Answers"
        " are still read.",
        who_releases(Level(facts.payload.get("level", Level.OPERATOR.value))),
        links=[("See the outbox", outbox) if outbox else _HERE],
    )
