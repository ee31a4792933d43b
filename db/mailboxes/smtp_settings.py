"""Customers' mail servers: stored per mailbox and provider, with the password encrypted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from db.audit import audit
from db.core.crypto import KeyRing, Place, Sealer, Tampered
from db.core.session import Transaction
from domain.connection import SendsBy, SmtpServer, SmtpSettings

PASSWORD = "smtp_password"  # noqa: S105 - the name of a place


@dataclass(frozen=True, slots=True)
class Kept:
    """The part of a row that may be shown, and when it was last written."""

    server: SmtpServer
    account: str
    has_password: bool
    updated_at: datetime


def saved(tx: Transaction, mailbox_id: UUID, provider: str) -> Kept | None:
    """Return the stored settings without their password, or None."""
    row = tx.execute(
        text(
            "SELECT host, port, encryption, account, has_password, updated_at FROM smtp_settings"
            " WHERE mailbox_id = :id AND provider = :provider"
        ),
        {"id": mailbox_id, "provider": provider},
    ).one_or_none()
    if row is None:
        return None
    server = SmtpServer(row.host, row.port, row.encryption)
    return Kept(server, row.account, row.has_password, row.updated_at)


def load(tx: Transaction, ring: KeyRing, mailbox_id: UUID, provider: str) -> SmtpSettings | None:
    """The settings that are kept, or None. Raises ``db.core.crypto.Unreadable``."""
    row = tx.execute(
        text("SELECT * FROM smtp_settings WHERE mailbox_id = :id AND provider = :provider"),
        {"id": mailbox_id, "provider": provider},
    ).one_or_none()
    if row is None:
        return None
    password = "" if row.password is None else _opened(ring, row)
    return SmtpSettings(SmtpServer(row.host, row.port, row.encryption), row.account, password)


def _place(organization_id: UUID, mailbox_id: UUID, host: str) -> Place:
    # Bound to the host: if somebody changes the host in the row, the password cannot be decrypted for it.
    return Place(organization_id, mailbox_id, f"{PASSWORD} {host}")


def _opened(ring: KeyRing, row: Row[tuple[Any, ...]]) -> str:
    sealed = bytes(row.password)
    try:
        return ring.decrypt(sealed, _place(row.organization_id, row.mailbox_id, row.host))
    except Tampered:  # or an earlier release wrote it, without the host
        return ring.decrypt(sealed, Place(row.organization_id, row.mailbox_id, PASSWORD))


def sends_by(
    tx: Transaction, ring: KeyRing | None, mailbox_id: UUID, provider: str, writer_id: UUID | None
) -> SendsBy | None:
    """Return how a mailbox sends, or None if there is no such mailbox.

    ``writer_id``: the member whose sequence it is; a sender address may show their name. ``ring`` None: leave out the stored
    settings.
    """
    row = tx.execute(
        text(
            "SELECT b.address, l.zone, h.name AS mailbox_owner, o.name AS organization, y.name AS entity, o.sender_name,"
            " w.name AS writer, w.email AS writer_email FROM mailboxes b JOIN lanes l ON l.mailbox_id = b.id"
            " JOIN organizations o ON o.id = b.organization_id LEFT JOIN members h ON h.id = b.owner_id"
            " LEFT JOIN legal_entities y ON y.id = b.legal_entity_id LEFT JOIN members w ON w.id = :writer WHERE b.id = :id"
        ),
        {"id": mailbox_id, "writer": writer_id},
    ).one_or_none()
    if row is None:
        return None
    company = row.entity or row.organization
    name = row.mailbox_owner or (row.writer if row.sender_name == "employee" and row.writer else company)
    return SendsBy(
        row.address,
        name,
        row.zone,
        # Nobody reads mail to the default address, so replies go to the person who writes.
        (row.writer_email or "") if provider == "default" else "",
        None if ring is None else load(tx, ring, mailbox_id, provider),
    )


def save(
    tx: Transaction,
    sealer: Sealer,
    organization_id: UUID,
    mailbox_id: UUID,
    provider: str,
    settings: SmtpSettings,
    *,
    actor: str,
) -> None:
    """Store settings, replacing any earlier ones."""
    sealed = None
    if settings.password:
        sealed = sealer.encrypt(settings.password, _place(organization_id, mailbox_id, settings.server.host))
    tx.execute(
        text(
            "INSERT INTO smtp_settings (mailbox_id, provider, organization_id, host, port, encryption, account, password)"
            " VALUES (:id, :provider, :organization_id, :host, :port, :encryption, :account, :password)"
            " ON CONFLICT (mailbox_id, provider) DO UPDATE SET host = excluded.host, port = excluded.port,"
            " encryption = excluded.encryption, account = excluded.account, password = :password,"
            " updated_at = clock_timestamp()"
        ),
        {
            "id": mailbox_id,
            "provider": provider,
            "organization_id": organization_id,
            "host": settings.server.host,
            "port": settings.server.port,
            "encryption": settings.server.encryption,
            "account": settings.account,
            "password": sealed,
        },
    )
    data = {"provider": provider, "host": settings.server.host, "port": settings.server.port}
    audit.write(tx, organization_id, actor, "smtp_settings_saved", f"mailbox:{mailbox_id}", data)


def rotate_keys(tx: Transaction, ring: KeyRing, limit: int) -> tuple[int, int]:
    """Re-encrypt up to ``limit`` passwords under the newest key; returns how many, and how many are left."""
    older = (
        "password IS NOT NULL AND substr(password, 2, 8) <> :newest"  # the key's id, see db/core/crypto.py
    )
    rows = tx.execute(
        text(
            f"SELECT mailbox_id, provider, organization_id, host, password FROM smtp_settings WHERE {older}"
            " ORDER BY mailbox_id LIMIT :limit FOR UPDATE SKIP LOCKED"
        ),
        {"newest": ring.newest_id, "limit": limit},
    ).all()
    for row in rows:
        place = _place(row.organization_id, row.mailbox_id, row.host)
        tx.execute(
            text(
                "UPDATE smtp_settings SET password = :password WHERE mailbox_id = :id AND provider = :provider"
            ),
            {
                "id": row.mailbox_id,
                "provider": row.provider,
                "password": ring.encrypt(_opened(ring, row), place),
            },
        )
    left: int = tx.execute(
        text(f"SELECT count(*) FROM smtp_settings WHERE {older}"), {"newest": ring.newest_id}
    ).scalar_one()
    return len(rows), left
