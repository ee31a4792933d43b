"""The append-only audit trail: write entries with the changes they record; read them back. ``db/audit/audit_chain.py`` seals them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from db.core.ids import new_id
from db.core.jsonb import Json, dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from domain.audit import Actor, digest

# Inserts one entry: alone, or as part of the statement that makes the change (optionally followed by ``FROM`` what that
# statement returns). ``entry`` gives the parameters.
INSERT = (
    "INSERT INTO audit_entries (id, organization_id, at, actor_kind, actor_id, actor_name, action, subject, data)"
    " SELECT :entry_id, :organization_id, clock_timestamp(), :actor_kind, :actor_id, :actor_name, :action, :subject,"
    " CAST(:data AS jsonb)"
)


class _Newest(NamedTuple):
    at: datetime
    organization: str
    actor: str
    actor_id: str
    action: str
    subject: str
    data: Json
    position: int | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A row of ``receipts``."""

    delivery_id: UUID
    organization_id: UUID
    owner_id: UUID
    mailbox_id: UUID
    sender: str
    authority: str
    grant_id: UUID | None
    grant_version: int | None
    connection_version: int
    lane_epoch: int
    checks: list[Any]
    template_version: str
    message_id: str | None
    internet_message_id: str | None
    conversation_id: str | None
    request_id: str | None
    known_by: str
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class _Signed(Receipt):
    signed: str | None  # its digest in the audit trail


_COLUMNS = tuple(each.name for each in fields(Receipt))
_SQL = SqlFile(__name__)
_WRITE = Statement(INSERT)
_ORGANIZATIONS = Statement("SELECT id FROM organizations ORDER BY id", UUID)
_UNSEALED = Statement(
    "SELECT count(*) FROM audit_entries WHERE organization_id = :organization_id AND position IS NULL", int
)
_NEWEST = _SQL.statement("newest", _Newest)
_RECEIPT_DIGEST = Statement(
    "SELECT a.data->>'receipt' FROM receipts r JOIN audit_entries a ON a.organization_id = r.organization_id"
    " WHERE r.delivery_id = :id AND a.subject = :subject AND a.action = 'email_sent'",
    str,
)
_RECEIPT = Statement("SELECT * FROM receipts WHERE delivery_id = :id", Receipt)
_RECEIPTS = _SQL.statement("receipts", _Signed)


def write(
    tx: Transaction,
    organization_id: UUID,
    actor: str,
    action: str,
    subject: str,
    data: Mapping[str, object],
) -> None:
    """Add one entry, in the transaction of the change.

    ``actor``: an ``Actor`` if somebody acted. ``subject`` is ``kind:id``; ``data`` holds ids, never addresses.
    """
    _WRITE.run(tx, **entry(organization_id, actor, action, subject, data))


def write_for_all(tx: Transaction, actor: str, action: str, data: Mapping[str, object]) -> None:
    """Add an entry to every organization's trail, for changes to the whole installation."""
    for organization_id in _ORGANIZATIONS.all(tx):
        write(tx, organization_id, actor, action, f"organization:{organization_id}", data)


def entry(
    organization_id: UUID, actor: str, action: str, subject: str, data: Mapping[str, object]
) -> dict[str, object]:
    """The parameters of ``INSERT``."""
    return {
        "entry_id": new_id(),
        "organization_id": organization_id,
        **columns_of(actor),
        "action": action,
        "subject": subject,
        "data": dump_json(data),
    }


def columns_of(actor: str) -> dict[str, str]:
    """Return the table columns for an actor."""
    who = Actor.of(actor)
    return {"actor_kind": str(who.kind), "actor_id": who.id, "actor_name": who.name}


def unsealed(tx: Transaction, organization_id: UUID) -> int:
    """Count entries that wait for the sealer."""
    return _UNSEALED.one(tx, organization_id=organization_id)


def newest(tx: Transaction, *, subject: str | None, limit: int) -> list[dict[str, object]]:
    """Return the newest entries as plain values."""
    return [row._asdict() for row in _NEWEST.all(tx, subject=subject, limit=limit)]


def receipt_digest(tx: Transaction, delivery_id: UUID) -> str | None:
    """Return a receipt's digest as the audit trail has it."""
    return _RECEIPT_DIGEST.one_or_none(tx, id=delivery_id, subject=f"delivery:{delivery_id}")


def receipt_as_signed(tx: Transaction, delivery_id: UUID) -> dict[str, object] | None:
    """Return a stored receipt in the form whose digest is in the audit trail."""
    row = _RECEIPT.one_or_none(tx, id=delivery_id)
    return None if row is None else _form(row)


def signed_form(receipt: Mapping[str, object]) -> dict[str, object]:
    """Write values as text where JSON has no type for them, so that a receipt hashes the same before and after storage."""
    return {
        name: value.astimezone(UTC).isoformat()
        if isinstance(value, datetime)
        else str(value)
        if isinstance(value, UUID)
        else value
        for name, value in receipt.items()
    }


def broken_receipts(tx: Transaction, organization_id: UUID) -> int:
    """Count receipts that differ from the audit trail. Receipts older than the trail's oldest month are not checked."""
    return sum(row.signed != digest(_form(row)) for row in _RECEIPTS.stream(tx, id=organization_id))


def _form(row: Receipt) -> dict[str, object]:
    return signed_form({name: getattr(row, name) for name in _COLUMNS})
