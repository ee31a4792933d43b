"""Customers' mail servers: stored per mailbox and provider, with the password encrypted."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.crypto import KeyRing, Place, Sealer, Tampered
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from domain.connection import SendsBy, SmtpServer, SmtpSettings

PASSWORD = "smtp_password"  # noqa: S105 - the name of a place


@dataclass(frozen=True, slots=True)
class Kept:
    """The part of a row that may be shown, and when it was last written."""

    server: SmtpServer
    account: str
    has_password: bool
    updated_at: datetime


class _Saved(NamedTuple):
    host: str
    port: int
    encryption: str
    account: str
    has_password: bool
    updated_at: datetime


class _Stored(NamedTuple):
    mailbox_id: UUID
    provider: str
    organization_id: UUID
    host: str
    port: int
    encryption: str
    account: str
    password: bytes | None


class _SendsBy(NamedTuple):
    address: str
    zone: str
    mailbox_owner: str | None
    organization: str
    entity: str | None
    sender_name: str
    writer: str | None
    writer_email: str | None


_OLDER = "password IS NOT NULL AND substr(password, 2, 8) <> :newest"  # the key's id, see db/core/crypto.py
_SQL = SqlFile(__name__)
_SAVED = Statement(
    "SELECT host, port, encryption, account, has_password, updated_at FROM smtp_settings"
    " WHERE mailbox_id = :id AND provider = :provider",
    _Saved,
)
_LOAD = Statement("SELECT * FROM smtp_settings WHERE mailbox_id = :id AND provider = :provider", _Stored)
_SENDS_BY = _SQL.statement("sends_by", _SendsBy)
_SAVE = _SQL.statement("save")
_TAKE_OLDER = Statement(
    f"SELECT * FROM smtp_settings WHERE {_OLDER} ORDER BY mailbox_id LIMIT :limit FOR UPDATE SKIP LOCKED",
    _Stored,
)
_ENCRYPT_AGAIN = Statement(
    "UPDATE smtp_settings SET password = :password WHERE mailbox_id = :id AND provider = :provider"
)
_COUNT_OLDER = Statement(f"SELECT count(*) FROM smtp_settings WHERE {_OLDER}", int)


def saved(tx: Transaction, mailbox_id: UUID, provider: str) -> Kept | None:
    """Return the stored settings without their password, or None."""
    row = _SAVED.one_or_none(tx, id=mailbox_id, provider=provider)
    if row is None:
        return None
    server = SmtpServer(row.host, row.port, row.encryption)
    return Kept(server, row.account, row.has_password, row.updated_at)


def load(tx: Transaction, ring: KeyRing, mailbox_id: UUID, provider: str) -> SmtpSettings | None:
    """The settings that are kept, or None. Raises ``db.core.crypto.Unreadable``."""
    row = _LOAD.one_or_none(tx, id=mailbox_id, provider=provider)
    if row is None:
        return None
    return SmtpSettings(SmtpServer(row.host, row.port, row.encryption), row.account, _opened(ring, row))


def _place(organization_id: UUID, mailbox_id: UUID, host: str) -> Place:
    # Bound to the host: if somebody changes the host in the row, the password cannot be decrypted for it.
    return Place(organization_id, mailbox_id, f"{PASSWORD} {host}")


def _opened(ring: KeyRing, row: _Stored) -> str:
    if row.password is None:
        return ""
    try:
        return ring.decrypt(row.password, _place(row.organization_id, row.mailbox_id, row.host))
    except Tampered:  # or an earlier release wrote it, without the host
        return ring.decrypt(row.password, Place(row.organization_id, row.mailbox_id, PASSWORD))


def sends_by(
    tx: Transaction, ring: KeyRing | None, mailbox_id: UUID, provider: str, writer_id: UUID | None
) -> SendsBy | None:
    """Return how a mailbox sends, or None if there is no such mailbox.

    ``writer_id``: the member whose sequence it is; a sender address may show their name. ``ring`` None: leave out the stored
    settings.
    """
    row = _SENDS_BY.one_or_none(tx, id=mailbox_id, writer=writer_id)
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
    _SAVE.run(
        tx,
        id=mailbox_id,
        provider=provider,
        organization_id=organization_id,
        host=settings.server.host,
        port=settings.server.port,
        encryption=settings.server.encryption,
        account=settings.account,
        password=sealed,
    )
    data = {"provider": provider, "host": settings.server.host, "port": settings.server.port}
    audit.write(tx, organization_id, actor, "smtp_settings_saved", f"mailbox:{mailbox_id}", data)


def rotate_keys(tx: Transaction, ring: KeyRing, limit: int) -> tuple[int, int]:
    """Re-encrypt up to ``limit`` passwords under the newest key; returns how many, and how many are left."""
    rows = _TAKE_OLDER.all(tx, newest=ring.newest_id, limit=limit)
    for row in rows:
        place = _place(row.organization_id, row.mailbox_id, row.host)
        _ENCRYPT_AGAIN.run(
            tx, id=row.mailbox_id, provider=row.provider, password=ring.encrypt(_opened(ring, row), place)
        )
    return len(rows), _COUNT_OLDER.one(tx, newest=ring.newest_id)
