"""Microsoft's change notifications, as hints: they make us look now, and decide nothing."""

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
_MAX_STATE = 128  # Graph takes no longer clientState


@dataclass(frozen=True, slots=True)
class Subscription:
    """A mailbox's subscription. ``id`` is Microsoft's; ``key_id`` says by which key its notifications prove themselves."""

    id: str
    expires_at: datetime
    key_id: bytes


@dataclass(frozen=True, slots=True)
class Hint:
    """What a notification that proves itself asks for. ``kind``: look for emails in doubt, check the mailbox, or it is lost."""

    mailbox_id: UUID
    subscription_id: str
    kind: Literal["reconcile", "check", "lost"]


def client_state(ring: KeyRing, mailbox_id: UUID) -> str:
    """What every notification of the mailbox has to carry."""
    code = base64.urlsafe_b64encode(ring.codes(_PURPOSE, mailbox_id.bytes)[0]).decode()
    return f"{mailbox_id.hex}.{code}"


def proven(ring: KeyRing, state: str) -> UUID | None:
    """The mailbox that ``state`` was made for; None when no key of ours made it."""
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
        text("SELECT subscription_id, expires_at, key_id FROM subscriptions WHERE mailbox_id = :id"),
        {"id": mailbox_id},
    ).one_or_none()
    return None if row is None else Subscription(row.subscription_id, row.expires_at, bytes(row.key_id))


def keep(tx: Transaction, mailbox_id: UUID, organization_id: UUID, subscription: Subscription) -> None:
    """Remember it, in place of any other of the mailbox."""
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
    """It lives longer now."""
    tx.execute(
        text(
            "UPDATE subscriptions SET expires_at = :at WHERE mailbox_id = :id AND subscription_id = :subscription"
        ),
        {"at": subscription.expires_at, "id": mailbox_id, "subscription": subscription.id},
    )


def take(tx: Transaction, hints: Collection[Hint]) -> int:
    """Do what the hints ask for, in one statement; returns how many were of subscriptions that stand."""
    taken: int = tx.execute(
        text(
            "WITH given AS (SELECT * FROM unnest(CAST(:mailboxes AS uuid[]), CAST(:subscriptions AS text[]), CAST(:kinds AS text[]))"
            "   AS t (mailbox_id, subscription_id, kind)),"
            " known AS (SELECT t.* FROM given t JOIN subscriptions s USING (mailbox_id, subscription_id)),"
            # It is gone; the next check makes another.
            " lost AS (DELETE FROM subscriptions s USING known k WHERE k.kind = 'lost' AND s.mailbox_id = k.mailbox_id"
            "   AND s.subscription_id = k.subscription_id),"
            # Checked at the next round, unless it was just now.
            " checked AS (UPDATE mailboxes b SET checked_at = NULL FROM known k WHERE k.kind <> 'reconcile' AND b.id = k.mailbox_id"
            f"   AND b.status <> 'never_connected' AND b.checked_at < clock_timestamp() - interval '{_NOT_AGAIN_FOR}'),"
            # What is in doubt is looked for now.
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
