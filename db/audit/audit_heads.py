"""The heads of the audit chains, which are kept where the database's administrators cannot write: named, exported, asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from db.audit.audit_chain import rows_of, stored_of
from db.core.session import Transaction
from domain.audit import Keys, Link, same


def contains(tx: Transaction, organization_id: UUID, link: Link) -> str:
    """Empty if the history still holds ``link``, which was its head once; otherwise what became of it."""
    row = tx.execute(
        text(
            "SELECT c.dropped_position, c.dropped_hash, c.position AS head, a.hash FROM audit_chains c"
            " LEFT JOIN audit_entries a ON a.organization_id = c.organization_id AND a.position = :position"
            " WHERE c.organization_id = :id"
        ),
        {"id": organization_id, "position": link.position},
    ).first()
    if row is None:
        return "There is no chain any more."
    if link.position < row.dropped_position:
        return f"Entry {link.position} went with an old month. Compare with a newer head."
    if link.position > row.head:
        return f"The history ends at entry {row.head}, before entry {link.position}."
    here = row.dropped_hash if link.position == row.dropped_position else row.hash
    return "" if here is not None and same(here, link.hash) else f"Entry {link.position} is another one now."


@dataclass(frozen=True, slots=True)
class Head:
    """The newest link of one organization's chain. ``genuine``: its record was not changed."""

    organization_id: UUID
    organization: str
    link: Link
    genuine: bool


def heads(tx: Transaction, keys: Keys) -> list[Head]:
    """Every organization's head. One whose record is gone has position 0 and is not genuine."""
    rows = tx.execute(
        text(
            "SELECT o.id, o.name, c.*, c.organization_id IS NULL AND EXISTS (SELECT FROM audit_entries a"
            " WHERE a.organization_id = o.id AND a.position IS NOT NULL) AS gone"
            " FROM organizations o LEFT JOIN audit_chains c ON c.organization_id = o.id ORDER BY o.name, o.id"
        )
    ).all()
    return [
        Head(row.id, row.name, Link(), not row.gone)
        if row.organization_id is None
        else Head(row.id, row.name, Link(row.position, row.hash), stored_of(row, keys).genuine)
        for row in rows
    ]


def export(tx: Transaction, organization_id: UUID) -> Iterator[dict[str, object]]:
    """One chain for a place that the database's administrators cannot write to: its record first, then its sealed entries."""
    row = tx.execute(
        text("SELECT * FROM audit_chains WHERE organization_id = :id"), {"id": organization_id}
    ).one_or_none()
    if row is None:
        return
    yield {"kind": "head", **row._mapping}
    for sealed in rows_of(tx, organization_id, row.dropped_position, row.position):
        yield {"kind": "entry", **sealed._mapping}
