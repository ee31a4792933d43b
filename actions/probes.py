"""What probes of real mailboxes share: a finding, a letter to the mailbox itself, and patience."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from domain.address import Address
from domain.message import OutgoingMessage

WAIT = 90.0  # seconds for an email to arrive, or to appear among the sent ones

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Finding:
    """``holds`` None: the test was inconclusive. ``needed``: one of our promises depends on it."""

    assumption: str
    says: str
    holds: bool | None
    needed: bool
    seen: str


def within(seconds: float, ask: Callable[[], Result]) -> Result | None:
    """Ask every second until there is an answer; None: there is none in that time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := ask():
            return found
        time.sleep(1)
    return None


def letter(address: str, name: str) -> OutgoingMessage:
    """Return an email from the mailbox to itself."""
    text = f"Onbehalf probes this mailbox ({name}). You can delete this email."
    return OutgoingMessage(Address(address), f"Onbehalf probe {name}", f"<p>{text}</p>", text)
