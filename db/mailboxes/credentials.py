"""A mailbox's tokens: encrypted, and written only by compare-and-set on (version, epoch).

The version counts writes, the epoch counts erasures. A refresh that began before a disconnect finds that both have
changed and writes nothing, so it can never reconnect a disconnected mailbox.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from db.core.crypto import KeyRing, Place, Sealer
from db.core.session import Transaction
from db.core.statements import Statement
from db.events import webhooks
from db.mailboxes import smtp_settings

ACCESS, REFRESH = "access_token", "refresh_token"


class _Sealed(NamedTuple):
    organization_id: UUID
    tenant_id: str
    version: int
    epoch: int
    access_token: bytes | None
    access_expires_at: datetime | None
    refresh_token: bytes | None
    refresh_not_before: datetime | None
    read_at: datetime


_LOAD = Statement(
    "SELECT c.*, coalesce(m.tenant_id, '') AS tenant_id, clock_timestamp() AS read_at"
    " FROM credentials c JOIN mailboxes m ON m.id = c.mailbox_id WHERE c.mailbox_id = :id",
    _Sealed,
)


@dataclass(frozen=True, slots=True)
class Credential:
    """A decrypted row as of ``read_at`` (the database's clock). A token is None if never stored or if erased."""

    mailbox_id: UUID
    organization_id: UUID
    tenant_id: str
    version: int
    epoch: int
    access_token: str | None = field(repr=False)
    access_expires_at: datetime | None
    refresh_token: str | None = field(repr=False)
    refresh_not_before: datetime | None  # the provider asked us to wait until then
    read_at: datetime


@dataclass(frozen=True, slots=True)
class SealedToken:
    """A stored access token, still encrypted, read along with a delivery. ``read_at``: the database's clock."""

    organization_id: UUID
    ciphertext: bytes = field(repr=False)
    expires_at: datetime
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Rotation:
    """The result of one round of re-encryption. ``left``: rows still under an older key, including those skipped."""

    rotated: int
    left: int


def load(tx: Transaction, ring: KeyRing, mailbox_id: UUID) -> Credential | None:
    """Read and decrypt the mailbox's row. Raises ``db.core.crypto.Unreadable``."""
    row = _LOAD.one_or_none(tx, id=mailbox_id)
    if row is None:
        return None

    def opened(column: str, sealed: bytes | None) -> str | None:
        return (
            None if sealed is None else ring.decrypt(sealed, Place(row.organization_id, mailbox_id, column))
        )

    return Credential(
        mailbox_id=mailbox_id,
        organization_id=row.organization_id,
        tenant_id=row.tenant_id,
        version=row.version,
        epoch=row.epoch,
        access_token=opened(ACCESS, row.access_token),
        access_expires_at=row.access_expires_at,
        refresh_token=opened(REFRESH, row.refresh_token),
        refresh_not_before=row.refresh_not_before,
        read_at=row.read_at,
    )


def open_access_token(ring: KeyRing, organization_id: UUID, mailbox_id: UUID, sealed: bytes) -> str:
    """Decrypt the access token that a withdrawal took from the row as it erased it."""
    return ring.decrypt(sealed, Place(organization_id, mailbox_id, ACCESS))


def store_refreshed(
    tx: Transaction,
    ring: KeyRing,
    old: Credential,
    *,
    access_token: str,
    expires_at: datetime,
    refresh_token: str,
) -> bool:
    """Replace the tokens of ``old``. Returns False if the row has changed; the caller must then discard the new tokens."""
    changed = tx.execute(
        text(
            "UPDATE credentials SET access_token = :access, access_expires_at = :expires, refresh_token = :refresh,"
            " version = version + 1, updated_at = clock_timestamp(), refused_at = NULL, refused_code = NULL"
            " WHERE mailbox_id = :id AND version = :version AND epoch = :epoch AND refresh_token IS NOT NULL"
        ),
        {
            "id": old.mailbox_id,
            "version": old.version,
            "epoch": old.epoch,
            "access": ring.encrypt(access_token, Place(old.organization_id, old.mailbox_id, ACCESS)),
            "expires": expires_at,
            "refresh": ring.encrypt(refresh_token, Place(old.organization_id, old.mailbox_id, REFRESH)),
        },
    )
    return changed.rowcount == 1


def hold_refresh(tx: Transaction, mailbox_id: UUID, wait: timedelta) -> None:
    """Keep everybody from refreshing this mailbox's tokens for a while, as the provider asked."""
    tx.execute(
        text(
            "UPDATE credentials SET refresh_not_before ="
            " greatest(refresh_not_before, clock_timestamp() + CAST(:wait AS interval)) WHERE mailbox_id = :id"
        ),
        {"id": mailbox_id, "wait": wait},
    )


def refused_elsewhere(tx: Transaction, mailbox_id: UUID, code: str) -> bool:
    """Record that Entra refused this mailbox with an unknown code. Returns whether Entra seems to refuse everybody.

    It does if mailboxes of another organization got the same code and no other mailbox has received tokens since. After
    a day we return False in any case and so notify the mailbox owner: operators have had time to act.
    """
    tx.execute(
        text(
            "UPDATE credentials SET refused_code = :code, refused_at = CASE WHEN refused_code = :code THEN refused_at"
            " ELSE clock_timestamp() END WHERE mailbox_id = :id"
        ),
        {"id": mailbox_id, "code": code},
    )
    row = tx.execute(
        text(
            "SELECT mine.refused_at > clock_timestamp() - interval '1 day' AND first.refused_at IS NOT NULL AND NOT EXISTS ("
            "  SELECT FROM credentials c WHERE c.mailbox_id <> mine.mailbox_id AND c.access_token IS NOT NULL"
            "   AND c.refused_at IS NULL AND c.updated_at > first.refused_at) AS everybodys"
            " FROM credentials mine LEFT JOIN LATERAL (SELECT min(c.refused_at) AS refused_at FROM credentials c"
            "  WHERE c.organization_id <> mine.organization_id AND c.refused_code = mine.refused_code"
            "   AND c.refused_at > clock_timestamp() - interval '1 day') first ON true WHERE mine.mailbox_id = :id"
        ),
        {"id": mailbox_id},
    ).one()
    return bool(row.everybodys)


def store_connected(
    tx: Transaction,
    sealer: Sealer,
    organization_id: UUID,
    mailbox_id: UUID,
    *,
    access_token: str,
    expires_at: datetime,
    refresh_token: str,
) -> None:
    """Store the tokens of a sign-in. The caller has locked the lane. The epoch advances, so older refreshes lose."""
    tx.execute(
        text(
            "INSERT INTO credentials (mailbox_id, organization_id, access_token, access_expires_at, refresh_token,"
            " version) VALUES (:id, :organization, :access, :expires, :refresh, 1)"
            " ON CONFLICT (mailbox_id) DO UPDATE SET access_token = :access,"
            " access_expires_at = :expires, refresh_token = :refresh, last_token_until = NULL,"
            " version = credentials.version + 1, epoch = credentials.epoch + 1, updated_at = clock_timestamp(),"
            " refresh_not_before = NULL, refused_at = NULL, refused_code = NULL"
        ),
        {
            "id": mailbox_id,
            "organization": organization_id,
            "access": sealer.encrypt(access_token, Place(organization_id, mailbox_id, ACCESS)),
            "expires": expires_at,
            "refresh": sealer.encrypt(refresh_token, Place(organization_id, mailbox_id, REFRESH)),
        },
    )


def store_waiting(
    tx: Transaction, ring: KeyRing, organization_id: UUID, mailbox_id: UUID, refresh_token: str
) -> None:
    """Store a sign-in's token for a mailbox that waits for an approval. We only try it; it sends nothing."""
    tx.execute(
        text(
            "UPDATE mailboxes SET tenant_id = coalesce(nullif(tenant_id, ''), (SELECT o.tenant_id FROM organizations o"
            " WHERE o.id = organization_id)) WHERE id = :id"
        ),
        {"id": mailbox_id},
    )
    tx.execute(
        text(
            "UPDATE credentials SET refresh_token = :refresh, access_token = NULL, access_expires_at = NULL,"
            " version = version + 1, epoch = epoch + 1, updated_at = clock_timestamp() WHERE mailbox_id = :id"
        ),
        {
            "id": mailbox_id,
            "refresh": ring.encrypt(refresh_token, Place(organization_id, mailbox_id, REFRESH)),
        },
    )


def erase(tx: Transaction, mailbox_id: UUID) -> None:
    """Erase both tokens, in the transaction that disconnects."""
    tx.execute(
        text(
            "UPDATE credentials SET access_token = NULL, access_expires_at = NULL, refresh_token = NULL,"
            " version = version + 1, epoch = epoch + 1, updated_at = clock_timestamp() WHERE mailbox_id = :id"
        ),
        {"id": mailbox_id},
    )


def try_single_flight(tx: Transaction, mailbox_id: UUID) -> bool:
    """May this transaction refresh the mailbox's tokens? If so, no other may until it ends.

    Uses an advisory lock: a row lock held during a request to Entra would block a disconnect.
    """
    held: bool = tx.execute(
        text("SELECT pg_try_advisory_xact_lock(hashtextextended('refresh:' || CAST(:id AS text), 0))"),
        {"id": str(mailbox_id)},
    ).scalar_one()
    return held


def rotate_keys(tx: Transaction, ring: KeyRing, limit: int) -> Rotation:
    """Re-encrypt up to ``limit`` tokens, passwords and webhook secrets each under the newest key. Call until ``left`` is 0.

    Skips rows that are being written: the writer uses the newest key, or the next round gets them.
    """
    older = (
        "(substr({0}, 2, 8) <> :newest)".format  # the key's id, see db/core/crypto.py
    )
    condition = f"({older(ACCESS)} OR {older(REFRESH)})"
    rows = tx.execute(
        text(
            "SELECT mailbox_id, organization_id, version, epoch, access_token, refresh_token FROM credentials"
            f" WHERE {condition} ORDER BY mailbox_id LIMIT :limit FOR UPDATE SKIP LOCKED"
        ),
        {"newest": ring.newest_id, "limit": limit},
    ).all()
    rotated = 0
    for row in rows:
        renew = _renewer(ring, row.organization_id, row.mailbox_id)
        changed = tx.execute(
            text(
                "UPDATE credentials SET access_token = :access, refresh_token = :refresh, version = version + 1,"
                " updated_at = clock_timestamp() WHERE mailbox_id = :id AND version = :version AND epoch = :epoch"
            ),
            {
                "id": row.mailbox_id,
                "version": row.version,
                "epoch": row.epoch,
                "access": renew(ACCESS, row.access_token),
                "refresh": renew(REFRESH, row.refresh_token),
            },
        )
        rotated += changed.rowcount
    left: int = tx.execute(
        text(f"SELECT count(*) FROM credentials WHERE {condition}"),
        {"newest": ring.newest_id},
    ).scalar_one()
    for others in (smtp_settings.rotate_keys, webhooks.rotate_keys):
        more, more_left = others(tx, ring, limit)
        rotated, left = rotated + more, left + more_left
    return Rotation(rotated, left)


def _renewer(
    ring: KeyRing, organization_id: UUID, mailbox_id: UUID
) -> Callable[[str, bytes | None], bytes | None]:
    def renew(column: str, sealed: bytes | None) -> bytes | None:
        place = Place(organization_id, mailbox_id, column)
        return None if sealed is None else ring.encrypt(ring.decrypt(bytes(sealed), place), place)

    return renew
