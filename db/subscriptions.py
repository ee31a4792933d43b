"""Microsoft's change notifications, as hints: they make us look now, and decide nothing."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from db.session import Transaction

_NOT_AGAIN_FOR = "10 seconds"  # however many hints arrive


@dataclass(frozen=True, slots=True)
class Subscription:
    """A mailbox's subscription. ``id`` is Microsoft's."""

    id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """How asking for one went. ``minutes``: the life that was taken last. ``refusals``: in a row; ``retry_at``: not before."""

    minutes: int | None = None
    refusals: int = 0
    retry_at: datetime | None = None


def asked(tx: Transaction, mailbox_id: UUID) -> Asked:
    """What Microsoft said to the mailbox's earlier requests."""
    row = tx.execute(
        text("SELECT minutes, refusals, retry_at FROM subscription_requests WHERE mailbox_id = :id"),
        {"id": mailbox_id},
    ).one_or_none()
    return Asked() if row is None else Asked(*row)


def taken(tx: Transaction, mailbox_id: UUID, organization_id: UUID, minutes: int) -> None:
    """Microsoft took a subscription of that life."""
    tx.execute(
        text(
            "INSERT INTO subscription_requests (mailbox_id, organization_id, minutes) VALUES (:id, :organization_id, :minutes)"
            " ON CONFLICT (mailbox_id) DO UPDATE SET minutes = excluded.minutes, refusals = 0, retry_at = NULL"
        ),
        {"id": mailbox_id, "organization_id": organization_id, "minutes": minutes},
    )


def ask_anew(tx: Transaction, mailbox_id: UUID) -> None:
    """A new connection: earlier refusals count no more."""
    tx.execute(
        text("UPDATE subscription_requests SET refusals = 0, retry_at = NULL WHERE mailbox_id = :id"),
        {"id": mailbox_id},
    )


def refused(tx: Transaction, mailbox_id: UUID, organization_id: UUID, wait: timedelta) -> None:
    """Microsoft took none: ask again after ``wait``."""
    tx.execute(
        text(
            "INSERT INTO subscription_requests (mailbox_id, organization_id, refusals, retry_at)"
            " VALUES (:id, :organization_id, 1, clock_timestamp() + :wait)"
            " ON CONFLICT (mailbox_id) DO UPDATE SET refusals = subscription_requests.refusals + 1, retry_at = excluded.retry_at"
        ),
        {"id": mailbox_id, "organization_id": organization_id, "wait": wait},
    )


def load(tx: Transaction, mailbox_id: UUID) -> Subscription | None:
    """The mailbox's, or None."""
    row = tx.execute(
        text("SELECT subscription_id, expires_at FROM subscriptions WHERE mailbox_id = :id"),
        {"id": mailbox_id},
    ).one_or_none()
    return None if row is None else Subscription(row.subscription_id, row.expires_at)


def keep(
    tx: Transaction, mailbox_id: UUID, organization_id: UUID, subscription: Subscription, secret: str
) -> None:
    """Remember it, in place of any other of the mailbox."""
    tx.execute(
        text(
            "INSERT INTO subscriptions (mailbox_id, organization_id, subscription_id, state_hash, expires_at)"
            " VALUES (:mailbox_id, :organization_id, :id, :hash, :expires_at)"
            " ON CONFLICT (mailbox_id) DO UPDATE SET subscription_id = excluded.subscription_id,"
            " state_hash = excluded.state_hash, expires_at = excluded.expires_at"
        ),
        {
            "mailbox_id": mailbox_id,
            "organization_id": organization_id,
            "id": subscription.id,
            "hash": _hash(secret),
            "expires_at": subscription.expires_at,
        },
    )


def renewed(tx: Transaction, mailbox_id: UUID, subscription: Subscription) -> None:
    """It lives longer now."""
    tx.execute(
        text(
            "UPDATE subscriptions SET expires_at = :at WHERE mailbox_id = :id AND subscription_id = :subscription"
        ),
        {"at": subscription.expires_at, "id": mailbox_id, "subscription": subscription.id},
    )


def forget(tx: Transaction, mailbox_id: UUID) -> None:
    """It is gone; the next check makes another."""
    tx.execute(text("DELETE FROM subscriptions WHERE mailbox_id = :id"), {"id": mailbox_id})


def mailbox_of(tx: Transaction, subscription_id: str, secret: str) -> UUID | None:
    """The mailbox whose notification this is; None when it does not prove itself."""
    row = tx.execute(
        text("SELECT mailbox_id, state_hash FROM subscriptions WHERE subscription_id = :id"),
        {"id": subscription_id},
    ).one_or_none()
    if row is None or not hmac.compare_digest(bytes(row.state_hash), _hash(secret)):
        return None
    found: UUID = row.mailbox_id
    return found


def check_soon(tx: Transaction, mailbox_id: UUID) -> None:
    """Have the mailbox checked at the next round, unless it was just now."""
    tx.execute(
        text(
            "UPDATE mailboxes SET checked_at = NULL WHERE id = :id AND status <> 'never_connected'"
            f" AND checked_at < clock_timestamp() - interval '{_NOT_AGAIN_FOR}'"
        ),
        {"id": mailbox_id},
    )


def look_soon(tx: Transaction, mailbox_id: UUID) -> int:
    """Look now for the mailbox's doubtful deliveries; returns how many there are."""
    return tx.execute(
        text(
            "UPDATE deliveries SET due_at = clock_timestamp() WHERE mailbox_id = :id AND state = 'reconciling'"
            " AND due_at > clock_timestamp()"
        ),
        {"id": mailbox_id},
    ).rowcount


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
