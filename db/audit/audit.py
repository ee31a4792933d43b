"""The append-only audit trail: write entries beside the change they record; read them back. ``db/audit/audit_chain.py`` seals them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text

from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import Statement
from domain.audit import Actor, digest

# One entry, for a statement of its own or as a part of the one that makes the change (and then perhaps ``FROM`` what that
# returns); ``entry`` gives its parameters.
INSERT = (
    "INSERT INTO audit_entries (id, organization_id, at, actor_kind, actor_id, actor_name, action, subject, data)"
    " SELECT :entry_id, :organization_id, clock_timestamp(), :actor_kind, :actor_id, :actor_name, :action, :subject,"
    " CAST(:data AS jsonb)"
)
_WRITE = Statement(INSERT)


def write(
    tx: Transaction,
    organization_id: UUID,
    actor: str,
    action: str,
    subject: str,
    data: Mapping[str, object],
) -> None:
    """Add one entry, in the transaction of the change.

    ``actor``: an ``Actor`` where somebody acted. ``subject`` is ``kind:id``; ``data`` holds ids, never addresses.
    """
    _WRITE.run(tx, **entry(organization_id, actor, action, subject, data))


def write_for_all(tx: Transaction, actor: str, action: str, data: Mapping[str, object]) -> None:
    """One entry in the trail of each organization: of what concerns the whole installation."""
    for organization_id in tx.execute(text("SELECT id FROM organizations ORDER BY id")).scalars().all():
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
    """An actor as tables keep one."""
    who = Actor.of(actor)
    return {"actor_kind": str(who.kind), "actor_id": who.id, "actor_name": who.name}


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
            "SELECT a.at, o.name AS organization, a.actor_name AS actor, a.actor_kind || coalesce(':' || nullif(a.actor_id, ''), '')"
            " AS actor_id, a.action, a.subject, a.data, a.position FROM audit_entries a"
            " JOIN organizations o ON o.id = a.organization_id"
            " WHERE (CAST(:subject AS text) IS NULL OR a.subject = :subject) ORDER BY a.id DESC LIMIT :limit"
        ),
        {"subject": subject, "limit": limit},
    ).all()
    return [dict(row._mapping) for row in rows]


def receipt_digest(tx: Transaction, delivery_id: UUID) -> str | None:
    """The digest that the audit trail has of a receipt."""
    signed: str | None = tx.execute(
        text(
            "SELECT a.data->>'receipt' FROM receipts r JOIN audit_entries a ON a.organization_id = r.organization_id"
            " WHERE r.delivery_id = :id AND a.subject = :subject AND a.action = 'email_sent'"
        ),
        {"id": delivery_id, "subject": f"delivery:{delivery_id}"},
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
    """How many receipts are not what the audit trail says they were. One older than the trail's oldest month is not judged."""
    rows = tx.execute(
        text(
            "SELECT r.*, a.data->>'receipt' AS signed FROM receipts r"
            " LEFT JOIN audit_entries a ON a.action = 'email_sent' AND a.organization_id = r.organization_id"
            " AND a.subject = 'delivery:' || r.delivery_id"
            " LEFT JOIN audit_chains c ON c.organization_id = r.organization_id WHERE r.organization_id = :id"
            " AND (a.id IS NOT NULL OR c.kept_from IS NULL OR r.accepted_at >= c.kept_from)"
        ).execution_options(yield_per=1000),
        {"id": organization_id},
    )
    broken = 0
    for row in rows:
        receipt = dict(row._mapping)
        signed = receipt.pop("signed")
        broken += signed != digest(signed_form(receipt))
    return broken
