"""What a provider offers so that we hear at once of what comes into a mailbox. Without it the mailbox is read a little later."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from domain.connection import Folder


@runtime_checkable
class Subscribes(Protocol):
    """A provider that calls us when something changes in a mailbox."""

    def subscribe(self, url: str, secret: str, until: datetime, folder: Folder) -> str:
        """Have ``url`` called for new items of a folder; returns the subscription's id. ``secret`` comes back with every call."""
        ...

    def renew_subscription(self, subscription_id: str, until: datetime) -> bool:
        """Let it live until then. False: it is gone."""
        ...


@dataclass(frozen=True, slots=True)
class Watch:
    """An account whose changes are published. ``account``: as the hints name it, which is its own address and no alias."""

    account: str
    expires_at: datetime


@runtime_checkable
class Publishes(Protocol):
    """A provider that publishes what changes to a topic of the operators', from which it is pushed to us."""

    def watch(self, topic: str) -> Watch:
        """Begin to publish what comes into the inbox, or go on. Raises ``HintsRefused`` if it cannot publish there."""
        ...

    def unwatch(self) -> None:
        """Publish nothing of this account any more."""
        ...
