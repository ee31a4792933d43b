"""Writing imported candidates, and what an import would meet. An import adds to what is known and never erases it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction

BATCH = 5000
COLUMNS = ("first_name", "last_name", "company", "title", "location")


def merge(known: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """What a known candidate becomes: columns that the row lacks or leaves blank stay, other fields are added or replaced.

    ``upsert_candidates`` says the same in SQL.
    """
    return {
        **{name: row.get(name) or known[name] for name in COLUMNS},
        "fields": {**known["fields"], **_filled(row)},
    }


def upsert_candidates(
    tx: Transaction,
    organization_id: UUID,
    rows: Sequence[Mapping[str, Any]],
    progress: Callable[[int], None] | None = None,
) -> tuple[int, int]:
    """Make people, or add to what is known of them, by their address; returns (created, updated).

    A row: ``email``, any of ``COLUMNS``, ``fields``. ``progress`` gets the number of rows done.
    """
    created = updated = 0
    rows = sorted(rows, key=lambda row: str(row["email"]))  # two imports at once lock in the same order
    for start in range(0, len(rows), BATCH):
        batch = [
            {
                **dict.fromkeys(COLUMNS, ""),
                **row,
                "fields": _filled(row),
                "id": str(new_id()),
            }
            for row in rows[start : start + BATCH]
        ]
        done = tx.execute(_UPSERT, {"organization_id": organization_id, "rows": dump_json(batch)}).one()
        created, updated = created + done.created, updated + done.updated
        if progress is not None:
            progress(start + len(batch))
    return created, updated


def known_candidates(
    tx: Transaction, organization_id: UUID, emails: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """What is known of the people of these addresses: ``COLUMNS`` and ``fields``."""
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(emails), BATCH):
        rows = tx.execute(
            text(
                f"SELECT email, {', '.join(COLUMNS)}, fields FROM candidates"
                " WHERE organization_id = :organization_id AND email = ANY(:emails)"
            ),
            {"organization_id": organization_id, "emails": list(emails[start : start + BATCH])},
        )
        found.update({row.email: dict(row._mapping) for row in rows})
    return found


def not_enrollable(
    tx: Transaction, organization_id: UUID, sequence_id: UUID | None, emails: Sequence[str]
) -> dict[str, str]:
    """Who of these addresses cannot be enrolled into the sequence: ``suppressed``, or ``already`` in it."""
    rows = tx.execute(
        text(
            "SELECT x.email, CASE WHEN p.email IS NOT NULL THEN 'suppressed' ELSE 'already' END AS how"
            " FROM unnest(CAST(:emails AS text[])) AS x(email)"
            " LEFT JOIN suppressions p ON p.organization_id = :organization_id AND p.email = x.email"
            " LEFT JOIN candidates c ON c.organization_id = :organization_id AND c.email = x.email"
            " LEFT JOIN enrollments e ON e.candidate_id = c.id AND e.sequence_id = CAST(:sequence_id AS uuid)"
            " WHERE p.email IS NOT NULL OR e.id IS NOT NULL"
        ),
        {"organization_id": organization_id, "sequence_id": sequence_id, "emails": list(emails)},
    )
    return {row.email: row.how for row in rows}


def ids_of(tx: Transaction, organization_id: UUID, emails: Sequence[str]) -> list[UUID]:
    """The ids of the people of these addresses, in the order of the addresses."""
    rows = tx.execute(
        text(
            "SELECT c.id FROM unnest(CAST(:emails AS text[])) WITH ORDINALITY AS x(email, place)"
            " JOIN candidates c ON c.organization_id = :organization_id AND c.email = x.email ORDER BY x.place"
        ),
        {"organization_id": organization_id, "emails": list(emails)},
    )
    return list(rows.scalars())


def declared_fields(tx: Transaction, organization_id: UUID) -> set[str]:
    """The merge fields that the organization's sequences declare."""
    found = tx.execute(
        text("SELECT DISTINCT unnest(fields) FROM sequences WHERE organization_id = :id"),
        {"id": organization_id},
    )
    return set(found.scalars())


def destination(tx: Transaction, sequence_id: UUID) -> Row[tuple[Any, ...]]:
    """The sequence that people are imported into: its state, its sender, and the zone its owner reads times in."""
    return tx.execute(
        text(
            "SELECT s.id, s.name, s.status, s.fields, b.address AS sender, b.provider, b.status AS mailbox_status,"
            " coalesce(h.name, w.name) AS sender_name, o.time_zone FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id"
            " JOIN organizations o ON o.id = s.organization_id JOIN members w ON w.id = s.owner_id"
            " LEFT JOIN members h ON h.id = b.owner_id WHERE s.id = :id"
        ),
        {"id": sequence_id},
    ).one()


def steps_of(tx: Transaction, sequence_id: UUID) -> Sequence[Row[tuple[Any, ...]]]:
    """The sequence's steps in their order: position, subject, body."""
    return tx.execute(
        text(
            "SELECT position, subject, body FROM steps WHERE sequence_id = :id AND retired_at IS NULL ORDER BY position"
        ),
        {"id": sequence_id},
    ).all()


def _filled(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in row.get("fields", {}).items() if value}


_MERGED = {name: f"coalesce(nullif(excluded.{name}, ''), c.{name})" for name in COLUMNS} | {
    "fields": "c.fields || excluded.fields"
}
_UPSERT = text(
    f"WITH written AS (INSERT INTO candidates AS c (organization_id, id, email, {', '.join(COLUMNS)}, fields)"
    " SELECT :organization_id, r.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id uuid, email text,"
    f"   {', '.join(f'{name} text' for name in COLUMNS)}, fields jsonb)"
    f" ON CONFLICT (organization_id, email) DO UPDATE SET {', '.join(f'{name} = {value}' for name, value in _MERGED.items())}"
    f" WHERE ({', '.join(f'c.{name}' for name in _MERGED)}) IS DISTINCT FROM ({', '.join(_MERGED.values())})"
    # A row that was there before carries the transaction that locked it; a new one carries none.
    " RETURNING c.xmax = 0 AS created)"
    " SELECT count(*) FILTER (WHERE created) AS created, count(*) FILTER (WHERE NOT created) AS updated FROM written"
)
