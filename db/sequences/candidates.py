"""Write imported candidates, and show what an import would change. An import adds to what we know and never erases it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from db.core.ids import new_id
from db.core.jsonb import Json, dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement

BATCH = 5000
COLUMNS = ("first_name", "last_name", "company", "title", "location")


class _Known(NamedTuple):
    email: str
    first_name: str
    last_name: str
    company: str
    title: str
    location: str
    fields: Json


class Destination(NamedTuple):
    """The sequence to import into: its state, its sender, and the time zone its owner reads."""

    id: UUID
    name: str
    status: str
    fields: list[str]
    sender: str
    provider: str
    mailbox_status: str
    sender_name: str
    signature: str
    signature_version: int
    with_signature: bool
    time_zone: str


class Step(NamedTuple):
    """What a step says."""

    position: int
    subject: str | None
    body: str


class _Written(NamedTuple):
    created: int
    updated: int


_SQL = SqlFile(__name__)
_MERGED = {name: f"coalesce(nullif(excluded.{name}, ''), c.{name})" for name in COLUMNS} | {
    "fields": "c.fields || excluded.fields"
}
_UPSERT = _SQL.statement(
    "upsert",
    _Written,
    columns=", ".join(COLUMNS),
    typed=", ".join(f"{name} text" for name in COLUMNS),
    changes=", ".join(f"{name} = {value}" for name, value in _MERGED.items()),
    before=", ".join(f"c.{name}" for name in _MERGED),
    after=", ".join(_MERGED.values()),
)
_KNOWN = Statement(
    f"SELECT email, {', '.join(COLUMNS)}, fields FROM candidates"
    " WHERE organization_id = :organization_id AND email = ANY(:emails)",
    _Known,
)
_IDS_OF = Statement(
    "SELECT c.id FROM unnest(CAST(:emails AS text[])) WITH ORDINALITY AS x(email, place)"
    " JOIN candidates c ON c.organization_id = :organization_id AND c.email = x.email ORDER BY x.place",
    UUID,
)
_BRING_IN = Statement(
    "INSERT INTO brought_in (organization_id, member_id, candidate_id)"
    " SELECT c.organization_id, :member_id, c.id FROM candidates c"
    " WHERE c.organization_id = :organization_id AND c.email = ANY(CAST(:emails AS text[])) AND c.erased_at IS NULL"
    " ON CONFLICT DO NOTHING"
)
_PASS_ON = Statement(
    "INSERT INTO brought_in (organization_id, member_id, candidate_id)"
    " SELECT i.organization_id, :to, i.candidate_id FROM brought_in i WHERE i.member_id = :member_id ON CONFLICT DO NOTHING"
)
_HOW_MANY_BROUGHT_IN = Statement("SELECT count(*) FROM brought_in WHERE member_id = :member_id", int)
_DECLARED_FIELDS = Statement("SELECT DISTINCT unnest(fields) FROM sequences WHERE organization_id = :id", str)
_DESTINATION = _SQL.statement("destination", Destination)
_STEPS_OF = Statement(
    "SELECT position, subject, body FROM steps WHERE sequence_id = :id AND retired_at IS NULL ORDER BY position",
    Step,
)


def merge(known: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """Merge a row into a known candidate: blank or missing columns keep their values; other fields are added or replaced.

    ``upsert_candidates`` does the same in SQL.
    """
    return {
        **{name: row.get(name) or known[name] for name in COLUMNS},
        "fields": {**known["fields"], **_filled(row)},
    }


def bring_in(tx: Transaction, organization_id: UUID, member_id: UUID, emails: Sequence[str]) -> None:
    """Have a member see these people although no sequence of theirs has them. A repetition changes nothing."""
    _BRING_IN.run(tx, organization_id=organization_id, member_id=member_id, emails=list(emails))


def pass_on(tx: Transaction, member_id: UUID, *, to: UUID) -> None:
    """Have somebody else see the people whom a member has brought in."""
    _PASS_ON.run(tx, member_id=member_id, to=to)


def how_many_brought_in(tx: Transaction, member_id: UUID) -> int:
    """Count the people whom a member has brought in."""
    return _HOW_MANY_BROUGHT_IN.one(tx, member_id=member_id)


def upsert_candidates(
    tx: Transaction,
    organization_id: UUID,
    rows: Sequence[Mapping[str, Any]],
    progress: Callable[[int], None] | None = None,
) -> tuple[int, int]:
    """Create candidates, or add to known ones with the same address; returns (created, updated).

    A row has ``email``, any of ``COLUMNS``, and ``fields``. ``progress`` gets the number of rows done.
    """
    created = updated = 0
    rows = sorted(rows, key=lambda row: str(row["email"]))  # concurrent imports lock in the same order
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
        done = _UPSERT.one(tx, organization_id=organization_id, rows=dump_json(batch))
        created, updated = created + done.created, updated + done.updated
        if progress is not None:
            progress(start + len(batch))
    return created, updated


def known_candidates(
    tx: Transaction, organization_id: UUID, emails: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return ``COLUMNS`` and ``fields`` of the candidates with these addresses."""
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(emails), BATCH):
        rows = _KNOWN.all(tx, organization_id=organization_id, emails=list(emails[start : start + BATCH]))
        found.update({row.email: row._asdict() for row in rows})
    return found


def ids_of(tx: Transaction, organization_id: UUID, emails: Sequence[str]) -> list[UUID]:
    """Return the candidates' ids, in the order of the addresses."""
    return _IDS_OF.all(tx, organization_id=organization_id, emails=list(emails))


def declared_fields(tx: Transaction, organization_id: UUID) -> set[str]:
    """Return the merge fields that the organization's sequences declare."""
    return set(_DECLARED_FIELDS.all(tx, id=organization_id))


def destination(tx: Transaction, sequence_id: UUID) -> Destination:
    """Return the sequence to import into: its state, its sender, and the time zone its owner reads."""
    return _DESTINATION.one(tx, id=sequence_id)


def steps_of(tx: Transaction, sequence_id: UUID) -> Sequence[Step]:
    """Return the sequence's steps in order: position, subject, body."""
    return _STEPS_OF.all(tx, id=sequence_id)


def _filled(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in row.get("fields", {}).items() if value}
