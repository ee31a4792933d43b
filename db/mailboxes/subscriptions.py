"""Microsoft's change notifications are hints: they make us look now, and decide nothing."""

import base64
import binascii
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import text

from db.core.crypto import KeyRing
from db.core.session import Transaction

_NOT_AGAIN_FOR = "10 seconds"  # however many hints arrive
_PURPOSE = "notifications"
_MAX_STATE = 128  # the longest clientState that Graph takes


@dataclass(frozen=True, slots=True)
class Subscription:
    """A mailbox's subscription. ``id`` is Microsoft's; ``key_id``: the key that authenticates its notifications."""

    id: str
    expires_at: datetime
    key_id: bytes


@dataclass(frozen=True, slots=True)
class Hint:
    """What an authenticated notification asks for. ``kind``: look for emails in doubt, check the mailbox, or it is lost."""

    mailbox_id: UUID
    subscription_id: str
    kind: Literal["reconcile", "check", "lost"]


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


@dataclass(frozen=True, slots=True)
class Asked:
    """Earlier subscription requests. ``minutes``: the lifetime accepted last. ``refusals``: in a row.

    ``retry_at``: earliest retry.
    """

    minutes: int | None = None
    refusals: int = 0
    retry_at: datetime | None = None


def asked(tx: Transaction, mailbox_id: UUID) -> Asked:
    """Return how Microsoft answered the mailbox's earlier requests."""
    row = tx.execute(
        text("SELECT minutes, refusals, retry_at FROM subscription_requests WHERE mailbox_id = :id"),
        {"id": mailbox_id},
    ).one_or_none()
    return Asked() if row is None else Asked(*row)


def taken(tx: Transaction, mailbox_id: UUID, organization_id: UUID, minutes: int) -> None:
    """Record that Microsoft accepted a subscription with this lifetime."""
    tx.execute(
        text(
            "INSERT INTO subscription_requests (mailbox_id, organization_id, minutes) VALUES (:id, :organization_id, :minutes)"
            " ON CONFLICT (mailbox_id) DO UPDATE SET minutes = excluded.minutes, refusals = 0, retry_at = NULL"
        ),
        {"id": mailbox_id, "organization_id": organization_id, "minutes": minutes},
    )


def ask_anew(tx: Transaction, mailbox_id: UUID) -> None:
    """Reset earlier refusals after a new connection."""
    tx.execute(
        text("UPDATE subscription_requests SET refusals = 0, retry_at = NULL WHERE mailbox_id = :id"),
        {"id": mailbox_id},
    )


def refused(tx: Transaction, mailbox_id: UUID, organization_id: UUID, wait: timedelta) -> None:
    """Record a refusal: ask again after ``wait``."""
    tx.execute(
        text(
            "INSERT INTO subscription_requests (mailbox_id, organization_id, refusals, retry_at)"
            " VALUES (:id, :organization_id, 1, clock_timestamp() + :wait)"
            " ON CONFLICT (mailbox_id) DO UPDATE SET refusals = subscription_requests.refusals + 1, retry_at = excluded.retry_at"
        ),
        {"id": mailbox_id, "organization_id": organization_id, "wait": wait},
    )


def load(tx: Transaction, mailbox_id: UUID) -> Subscription | None:
    """Return the mailbox's subscription, or None."""
    row = tx.execute(
        text("SELECT subscription_id, expires_at, key_id FROM subscriptions WHERE mailbox_id = :id"),
        {"id": mailbox_id},
    ).one_or_none()
    return None if row is None else Subscription(row.subscription_id, row.expires_at, bytes(row.key_id))


def keep(tx: Transaction, mailbox_id: UUID, organization_id: UUID, subscription: Subscription) -> None:
    """Store the mailbox's subscription, replacing any other."""
    tx.execute(
        text(
            "INSERT INTO subscriptions (mailbox_id, organization_id, subscription_id, key_id, expires_at)"
            " VALUES (:mailbox_id, :organization_id, :id, :key_id, :expires_at)"
            " ON CONFLICT (mailbox_id) DO UPDATE SET subscription_id = excluded.subscription_id,"
            " key_id = excluded.key_id, expires_at = excluded.expires_at"
        ),
        {
            "mailbox_id": mailbox_id,
            "organization_id": organization_id,
            "id": subscription.id,
            "key_id": subscription.key_id,
            "expires_at": subscription.expires_at,
        },
    )


def renewed(tx: Transaction, mailbox_id: UUID, subscription: Subscription) -> None:
    """Record the subscription's new expiry."""
    tx.execute(
        text(
            "UPDATE subscriptions SET expires_at = :at WHERE mailbox_id = :id AND subscription_id = :subscription"
        ),
        {"at": subscription.expires_at, "id": mailbox_id, "subscription": subscription.id},
    )


def take(tx: Transaction, hints: Collection[Hint]) -> int:
    """Do what the hints ask, in one statement; returns how many belong to current subscriptions."""
    taken: int = tx.execute(
        text(
            "WITH given AS (SELECT * FROM unnest(CAST(:mailboxes AS uuid[]), CAST(:subscriptions AS text[]), CAST(:kinds AS text[]))"
            "   AS t (mailbox_id, subscription_id, kind)),"
            " known AS (SELECT t.* FROM given t JOIN subscriptions s USING (mailbox_id, subscription_id)),"
            # The subscription is gone; the next check creates another.
            " lost AS (DELETE FROM subscriptions s USING known k WHERE k.kind = 'lost' AND s.mailbox_id = k.mailbox_id"
            "   AND s.subscription_id = k.subscription_id),"
            # The next round checks the mailbox, unless that happened a moment ago.
            " checked AS (UPDATE mailboxes b SET checked_at = NULL FROM known k WHERE k.kind <> 'reconcile' AND b.id = k.mailbox_id"
            f"   AND b.status <> 'never_connected' AND b.checked_at < clock_timestamp() - interval '{_NOT_AGAIN_FOR}'),"
            # Look for its emails in doubt now.
            " reconciled AS (UPDATE deliveries d SET due_at = clock_timestamp() FROM known k WHERE k.kind = 'reconcile'"
            "   AND d.mailbox_id = k.mailbox_id AND d.state = 'in_doubt' AND d.due_at > clock_timestamp())"
            " SELECT count(*) FROM known"
        ),
        {
            "mailboxes": [each.mailbox_id for each in hints],
            "subscriptions": [each.subscription_id for each in hints],
            "kinds": [each.kind for each in hints],
        },
    ).scalar_one()
    return taken
