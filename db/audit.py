"""The append-only audit trail: write entries beside the change they tell of; seal them into the chain; read it back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text

from db.ids import new_id
from db.jsonb import dump_json
from db.session import Transaction
from db.statements import Statement
from domain.audit import Entry, Link, chain_hash, digest, first_break

_LOCK = 7_266_242_535_032  # advisory: one sealer at a time, over all processes
# One entry, for a statement of its own or as a part of the one that makes the change (and then perhaps ``FROM`` what that
# returns); ``entry`` gives its parameters.
INSERT = (
    "INSERT INTO audit_entries (id, organization_id, at, actor, action, subject, data)"
    " SELECT :entry_id, :organization_id, clock_timestamp(), :actor, :action, :subject, CAST(:data AS jsonb)"
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
    """Add one entry, in the transaction of the change. ``subject`` is ``kind:id``; ``data`` holds ids, never addresses."""
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
        "actor": actor,
        "action": action,
        "subject": subject,
        "data": dump_json(data),
    }


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
    if not rows:
        return 0
    heads = {each: Link() for each in {row.organization_id for row in rows}}
    known = tx.execute(
        text(
            "SELECT organization_id, position, hash FROM audit_chains WHERE organization_id = ANY(:ids) FOR UPDATE"
        ),
        {"ids": list(heads)},
    )
    heads.update({row.organization_id: Link(row.position, row.hash) for row in known})
    ids, positions, hashes = [], [], []
    for row in rows:
        previous = heads[row.organization_id]
        written = Entry(
            row.organization_id,
            row.id,
            previous.position + 1,
            row.at,
            row.actor,
            row.action,
            row.subject,
            row.data,
        )
        heads[row.organization_id] = Link(written.position, chain_hash(previous.hash, written))
        ids.append(row.id)
        positions.append(written.position)
        hashes.append(heads[row.organization_id].hash)
    tx.execute(
        text(
            "UPDATE audit_entries a SET position = r.position, hash = r.hash FROM unnest(CAST(:ids AS uuid[]),"
            " CAST(:positions AS bigint[]), CAST(:hashes AS text[])) AS r(id, position, hash) WHERE a.id = r.id"
        ),
        {"ids": ids, "positions": positions, "hashes": hashes},
    )
    tx.execute(
        text(
            "INSERT INTO audit_chains (organization_id, position, hash) VALUES (:id, :position, :hash)"
            " ON CONFLICT (organization_id) DO UPDATE SET position = excluded.position, hash = excluded.hash"
        ),
        [{"id": id_, "position": head.position, "hash": head.hash} for id_, head in heads.items()],
    )
    return len(ids)


@dataclass(frozen=True, slots=True)
class Verified:
    """What a walk along a chain found. ``kept_from``: older entries were dropped because of their age; None = none were."""

    entries: int
    broken_at: int | None
    kept_from: datetime | None


def verify(tx: Transaction, organization_id: UUID) -> Verified:
    """Walk an organization's sealed entries from the oldest kept to the newest and check every hash."""
    chain = tx.execute(
        text("SELECT * FROM audit_chains WHERE organization_id = :id"), {"id": organization_id}
    ).one_or_none()
    if chain is None:
        return Verified(0, None, None)
    with tx.execute(
        text(
            "SELECT organization_id, id, position, at, actor, action, subject, data, hash FROM audit_entries"
            " WHERE organization_id = :organization_id AND position > :after ORDER BY position"
        ).execution_options(yield_per=1000),
        {"organization_id": organization_id, "after": chain.dropped_position},
    ) as rows:
        broken = first_break(
            ((Entry(*entry), sealed) for *entry, sealed in rows),
            after=Link(chain.dropped_position, chain.dropped_hash),
            head=Link(chain.position, chain.hash),
        )
    return Verified(chain.position - chain.dropped_position, broken, chain.kept_from)


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
