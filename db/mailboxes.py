"""Mailboxes and their connections: connect in place, keep the settings snapshot, and what a check needs to know."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from db import absences, audit, companies, events
from db.gate import lock_lane
from db.jsonb import dump_json
from db.session import Transaction
from domain.events import EventKind


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox as stored. ``status_reason`` is set only while it is disconnected."""

    id: UUID
    organization_id: UUID
    owner_id: UUID | None  # None: a company's
    address: str
    provider: str
    status: str
    status_reason: str | None
    connection_version: int
    tenant_id: str | None
    scopes: frozenset[str]


def load(tx: Transaction, mailbox_id: UUID) -> Mailbox | None:
    """One mailbox, or None."""
    row = tx.execute(text("SELECT * FROM mailboxes WHERE id = :id"), {"id": mailbox_id}).one_or_none()
    if row is None:
        return None
    return Mailbox(
        row.id,
        row.organization_id,
        row.owner_id,
        row.address,
        row.provider,
        row.status,
        row.status_reason,
        row.connection_version,
        row.tenant_id,
        frozenset(row.scopes),
    )


def zone_of(tx: Transaction, mailbox_id: UUID) -> str:
    """The time zone whose days a mailbox counts by."""
    zone: str = tx.execute(
        text("SELECT zone FROM lanes WHERE mailbox_id = :id"), {"id": mailbox_id}
    ).scalar_one()
    return zone


def lock(tx: Transaction, mailbox: Mailbox) -> None:
    """Lock what a change of the mailbox's state touches: its lane, and for a company's address those of all of them."""
    if mailbox.owner_id is None:
        companies.lock_lanes(tx, mailbox.organization_id)
    lock_lane(tx, mailbox.id)


def mark_connected(
    tx: Transaction,
    mailbox: Mailbox,
    *,
    actor: str,
    provider: str,
    scopes: Iterable[str],
    tenant_id: str,
    account_id: str,
    settings: Mapping[str, object],
) -> None:
    """A new connection, in place of any other: its version counts up and the lane opens, which the caller has locked (``lock``).

    Nothing resumes by itself, and grants that were archived stay so.
    """
    version: int = tx.execute(
        text(
            "UPDATE mailboxes SET status = 'connected', status_reason = NULL, connection_version = connection_version + 1,"
            " provider = :provider, scopes = :scopes, tenant_id = :tenant_id, account_id = :account_id, settings = CAST(:settings AS jsonb),"
            " settings_at = clock_timestamp(), checked_at = clock_timestamp(), connected_at = clock_timestamp(),"
            " disconnected_at = NULL WHERE id = :id RETURNING connection_version"
        ),
        {
            "id": mailbox.id,
            "provider": provider,
            "scopes": sorted(scopes),
            "tenant_id": tenant_id,
            "account_id": account_id,
            "settings": dump_json(settings),
        },
    ).scalar_one()
    tx.execute(
        text(
            "UPDATE lanes SET open = true, epoch = epoch + 1, retry_after_until = NULL, zone = :zone,"
            " next_due_at = (SELECT min(due_at) FROM deliveries WHERE mailbox_id = :id AND state = 'pending' AND NOT held)"
            " WHERE mailbox_id = :id"
        ),
        {"id": mailbox.id, "zone": str(settings.get("zone") or "UTC")},
    )
    if mailbox.owner_id is None:
        companies.repoint(tx, mailbox.organization_id)
    data = {"connection_version": version, "provider": provider, "scopes": sorted(scopes)}
    audit.write(
        tx,
        mailbox.organization_id,
        actor,
        "mailbox_connected",
        f"mailbox:{mailbox.id}",
        data,
    )
    if mailbox.status == "disconnected":
        events.record(
            tx,
            mailbox.organization_id,
            EventKind.MAILBOX_RECONNECTED,
            f"mailbox_connected:{mailbox.id}:{version}",
            actor,
            {"mailbox": mailbox.address, "mailbox_id": str(mailbox.id), "actor": actor},
        )


def refresh_settings(
    tx: Transaction,
    mailbox_id: UUID,
    connection_version: int,
    settings: Mapping[str, object],
) -> None:
    """Keep the snapshot of what the provider says of the mailbox (zone, hours, absence); emails that waited for the sender move."""
    settings = absences.refresh(tx, mailbox_id, settings)
    tx.execute(
        text(
            "UPDATE mailboxes SET settings = CAST(:settings AS jsonb), settings_at = clock_timestamp(),"
            " reading_until = NULL, unread_until = NULL, checked_at = clock_timestamp() WHERE id = :id AND connection_version = :version"
        ),
        {
            "id": mailbox_id,
            "version": connection_version,
            "settings": dump_json(settings),
        },
    )
    tx.execute(
        text("UPDATE lanes SET zone = :zone WHERE mailbox_id = :id AND zone <> :zone"),
        {"id": mailbox_id, "zone": str(settings.get("zone") or "UTC")},
    )
