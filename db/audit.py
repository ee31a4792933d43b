"""The append-only audit trail: write entries beside the change they tell of; seal them into the chain; read it back."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text

from db.ids import new_id
from db.jsonb import dump_json
from db.session import Transaction
from domain.audit import GENESIS, Entry, chain_hash, digest

_LOCK = 7_266_242_535_032  # advisory: one sealer at a time, over all processes


def write(
    tx: Transaction,
    organization_id: UUID,
    actor: str,
    action: str,
    subject: str,
    data: Mapping[str, object],
) -> None:
    """Add one entry, in the transaction of the change. ``subject`` is ``kind:id``; ``data`` holds ids, never addresses."""
    tx.execute(
        text(
            "INSERT INTO audit_entries (id, organization_id, at, actor, action, subject, data)"
            " VALUES (:id, :organization_id, clock_timestamp(), :actor, :action, :subject, CAST(:data AS jsonb))"
        ),
        {
            "id": new_id(),
            "organization_id": organization_id,
            "actor": actor,
            "action": action,
            "subject": subject,
            "data": dump_json(data),
        },
    )


def seal(tx: Transaction, limit: int = 2000) -> int:
    """Give unsealed entries their place and hash; returns how many. Nothing when another process is sealing."""
    if not tx.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}).scalar_one():
        return 0
    rows = tx.execute(
        text(
            "SELECT id, organization_id, at, actor, action, subject, data FROM audit_entries"
            " WHERE position IS NULL ORDER BY organization_id, id LIMIT :limit"
        ),
        {"limit": limit},
    ).all()
    heads: dict[UUID, tuple[int, str]] = {}
    for organization_id in {row.organization_id for row in rows}:
        head = tx.execute(
            text(
                "SELECT position, hash FROM audit_entries WHERE organization_id = :organization_id"
                " AND position IS NOT NULL ORDER BY position DESC LIMIT 1"
            ),
            {"organization_id": organization_id},
        ).one_or_none()
        heads[organization_id] = (0, GENESIS) if head is None else (head.position, head.hash)
    sealed = []
    for row in rows:
        position, previous = heads[row.organization_id]
        entry = Entry(
            row.organization_id,
            row.id,
            position + 1,
            row.at,
            row.actor,
            row.action,
            row.subject,
            row.data,
        )
        heads[row.organization_id] = (entry.position, chain_hash(previous, entry))
        sealed.append(
            {
                "id": row.id,
                "position": entry.position,
                "hash": heads[row.organization_id][1],
            }
        )
    if sealed:
        tx.execute(
            text("UPDATE audit_entries SET position = :position, hash = :hash WHERE id = :id"),
            sealed,
        )
    return len(sealed)


def chain(tx: Transaction, organization_id: UUID) -> Iterator[tuple[Entry, str]]:
    """All sealed entries of an organization with their hashes, in order of position."""
    with tx.execute(
        text(
            "SELECT organization_id, id, position, at, actor, action, subject, data, hash FROM audit_entries"
            " WHERE organization_id = :organization_id AND position IS NOT NULL ORDER BY position"
        ).execution_options(yield_per=1000),
        {"organization_id": organization_id},
    ) as rows:
        for *entry, sealed in rows:
            yield Entry(*entry), sealed


def unsealed(tx: Transaction, organization_id: UUID) -> int:
    """How many entries wait for the sealer."""
    count: int = tx.execute(
        text(
            "SELECT count(*) FROM audit_entries WHERE organization_id = :organization_id AND position IS NULL"
        ),
        {"organization_id": organization_id},
    ).scalar_one()
    return count


def newest(tx: Transaction, *, subject: str | None, limit: int) -> list[dict[str, object]]:
    """The newest entries, as plain values."""
    rows = tx.execute(
        text(
            "SELECT a.at, o.name AS organization, a.actor, a.action, a.subject, a.data, a.position FROM audit_entries a"
            " JOIN organizations o ON o.id = a.organization_id"
            " WHERE (CAST(:subject AS text) IS NULL OR a.subject = :subject) ORDER BY a.id DESC LIMIT :limit"
        ),
        {"subject": subject, "limit": limit},
    ).all()
    return [dict(row._mapping) for row in rows]


def receipt_digest(tx: Transaction, delivery_id: UUID) -> str | None:
    """The digest that the audit trail has of a receipt."""
    signed: str | None = tx.execute(
        text("SELECT data->>'receipt' FROM audit_entries WHERE action = 'email_sent' AND subject = :subject"),
        {"subject": f"delivery:{delivery_id}"},
    ).scalar_one_or_none()
    return signed


def receipt_as_signed(tx: Transaction, delivery_id: UUID) -> dict[str, object] | None:
    """A stored receipt in the form whose digest is in the audit trail."""
    row = tx.execute(
        text("SELECT * FROM receipts WHERE delivery_id = :id"), {"id": delivery_id}
    ).one_or_none()
    if row is None:
        return None
    return signed_form(dict(row._mapping))


def signed_form(receipt: Mapping[str, object]) -> dict[str, object]:
    """Values as text where JSON has no type of its own, so that what was written and what is read hash alike."""
    return {
        name: value.astimezone(UTC).isoformat()
        if isinstance(value, datetime)
        else str(value)
        if isinstance(value, UUID)
        else value
        for name, value in receipt.items()
    }


def broken_receipts(tx: Transaction, organization_id: UUID) -> int:
    """How many receipts are not what the audit trail says they were."""
    rows = tx.execute(
        text(
            "SELECT r.*, a.data->>'receipt' AS signed FROM receipts r"
            " LEFT JOIN audit_entries a ON a.action = 'email_sent' AND a.organization_id = r.organization_id"
            " AND a.subject = 'delivery:' || r.delivery_id WHERE r.organization_id = :id"
        ).execution_options(yield_per=1000),
        {"id": organization_id},
    )
    broken = 0
    for row in rows:
        receipt = dict(row._mapping)
        signed = receipt.pop("signed")
        broken += signed != digest(signed_form(receipt))
    return broken
