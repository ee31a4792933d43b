"""What providers tell us of changes in mailboxes are hints: they make us look now, and decide nothing."""

import base64
import binascii
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from db.core.crypto import KeyRing
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from domain.connection import Folder
from domain.listening.cadence import APART

_NOT_AGAIN_FOR = "10 seconds"  # however many hints arrive
_PURPOSE = "notifications"
_ACCOUNTS = "accounts at Google"
_MAX_STATE = 128  # the longest clientState that Graph takes


@dataclass(frozen=True, slots=True)
class Subscription:
    """A mailbox's subscription. ``id`` is Microsoft's, or a code of the account at Google; ``key_id``: the key that authenticates its
    notifications, or that made the code.
    """

    id: str
    expires_at: datetime
    key_id: bytes


@dataclass(frozen=True, slots=True)
class Hint:
    """What an authenticated notification says. ``kind``: a new item in the folder, check the mailbox, or the subscription is lost.

    ``mailbox_id`` None: every mailbox with that subscription.
    """

    mailbox_id: UUID | None
    subscription_id: str
    kind: Literal["new", "check", "lost"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Earlier subscription requests. ``minutes``: the lifetime accepted last. ``refusals``: in a row.

    ``retry_at``: earliest retry.
    """

    minutes: int | None = None
    refusals: int = 0
    retry_at: datetime | None = None


_SQL = SqlFile(__name__)
_ASKED = Statement(
    "SELECT minutes, refusals, retry_at FROM subscription_requests WHERE mailbox_id = :id AND folder = :folder",
    Asked,
)
_TAKEN = Statement(
    "INSERT INTO subscription_requests (mailbox_id, folder, organization_id, minutes)"
    " VALUES (:id, :folder, :organization_id, :minutes) ON CONFLICT (mailbox_id, folder) DO UPDATE"
    " SET minutes = excluded.minutes, refusals = 0, retry_at = NULL, code = NULL"
)
_ASK_ANEW = Statement(
    "UPDATE subscription_requests SET refusals = 0, retry_at = NULL, code = NULL WHERE mailbox_id = :id"
)
_REFUSED = _SQL.statement("refused")
_LOAD = Statement(
    "SELECT subscription_id AS id, expires_at, key_id FROM subscriptions WHERE mailbox_id = :id AND folder = :folder",
    Subscription,
)
_KEEP = _SQL.statement("keep")
_RENEWED = Statement(
    "UPDATE subscriptions SET expires_at = :at WHERE mailbox_id = :id AND subscription_id = :subscription"
)
_TAKE = _SQL.statement("take", int, not_again_for=_NOT_AGAIN_FOR)


def client_state(ring: KeyRing, mailbox_id: UUID) -> str:
    """Return the code that every notification for the mailbox must carry."""
    code = base64.urlsafe_b64encode(ring.codes(_PURPOSE, mailbox_id.bytes)[0]).decode()
    return f"{mailbox_id.hex}.{code}"


def proven(ring: KeyRing, state: str) -> UUID | None:
    """Return the mailbox that ``state`` was made for; None if it was not made with one of our keys."""
    mailbox, _, code = state.partition(".")
    if len(state) > _MAX_STATE or not state.isascii():
        return None
    try:
        mailbox_id, given = UUID(hex=mailbox), base64.b64decode(code, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    return mailbox_id if ring.proves(_PURPOSE, mailbox_id.bytes, given) else None


def account_codes(ring: KeyRing, address: str) -> list[str]:
    """Return what stands for an account at Google, newest key first: who can read subscriptions learns no address."""
    codes = ring.codes(_ACCOUNTS, address.lower().encode())
    return [f"account-{base64.urlsafe_b64encode(each).decode()}" for each in codes]


def asked(tx: Transaction, mailbox_id: UUID, folder: Folder) -> Asked:
    """Return how the provider answered the mailbox's earlier requests."""
    return _ASKED.one_or_none(tx, id=mailbox_id, folder=folder) or Asked()


def taken(tx: Transaction, mailbox_id: UUID, folder: Folder, organization_id: UUID, minutes: int) -> None:
    """Record that the provider accepted a subscription with this lifetime."""
    _TAKEN.run(tx, id=mailbox_id, folder=folder, organization_id=organization_id, minutes=minutes)


def ask_anew(tx: Transaction, mailbox_id: UUID) -> None:
    """Reset earlier refusals after a new connection."""
    _ASK_ANEW.run(tx, id=mailbox_id)


def refused(
    tx: Transaction, mailbox_id: UUID, folder: Folder, organization_id: UUID, wait: timedelta, code: str
) -> None:
    """Record a refusal: ask again after ``wait``. ``code``: the provider's, or ours for it."""
    _REFUSED.run(tx, id=mailbox_id, folder=folder, organization_id=organization_id, wait=wait, code=code)


def load(tx: Transaction, mailbox_id: UUID, folder: Folder) -> Subscription | None:
    """Return the mailbox's subscription to a folder, or None."""
    return _LOAD.one_or_none(tx, id=mailbox_id, folder=folder)


def keep(
    tx: Transaction, mailbox_id: UUID, folder: Folder, organization_id: UUID, subscription: Subscription
) -> None:
    """Store the mailbox's subscription to a folder, replacing any other."""
    _KEEP.run(
        tx,
        mailbox_id=mailbox_id,
        folder=folder,
        organization_id=organization_id,
        id=subscription.id,
        key_id=subscription.key_id,
        expires_at=subscription.expires_at,
    )


def renewed(tx: Transaction, mailbox_id: UUID, subscription: Subscription) -> None:
    """Record the subscription's new expiry."""
    _RENEWED.run(tx, at=subscription.expires_at, id=mailbox_id, subscription=subscription.id)


def take(tx: Transaction, hints: Collection[Hint], behind: timedelta = timedelta()) -> int:
    """Do what the hints ask, in one statement; returns how many current subscriptions they belong to.

    ``behind``: how much longer ago their provider's mailboxes count as read than they were (``cadence.BEHIND``).
    """
    return _TAKE.one(
        tx,
        mailboxes=[each.mailbox_id for each in hints],
        subscriptions=[each.subscription_id for each in hints],
        kinds=[each.kind for each in hints],
        apart=APART + behind,
    )
