"""Writing imported worlds and candidates: rows that are as they should be are left alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.ids import new_id
from db.jsonb import dump_json
from db.sender_addresses import give_way
from db.session import Transaction
from domain.errors import NotPermitted

BATCH = 5000


def upsert_organization(
    tx: Transaction, name: str, time_zone: str, sending: Mapping[str, Any] | None
) -> tuple[UUID, bool]:
    """The organization of that name, made or changed; and whether anything was written."""
    return _upsert(
        tx,
        "INSERT INTO organizations (id, name, time_zone, sending) VALUES (:id, :name, :time_zone, CAST(:sending AS jsonb))"
        " ON CONFLICT (name) DO UPDATE SET time_zone = excluded.time_zone, sending = excluded.sending"
        " WHERE (organizations.time_zone, organizations.sending) IS DISTINCT FROM (excluded.time_zone, excluded.sending)"
        " RETURNING id",
        "SELECT id FROM organizations WHERE name = :name",
        {
            "name": name,
            "time_zone": time_zone,
            "sending": None if sending is None else dump_json(dict(sending)),
        },
    )


def upsert_member(
    tx: Transaction, organization_id: UUID, name: str, email: str, role: str, entity_id: UUID | None
) -> tuple[UUID, bool]:
    """The member of that address."""
    return _upsert(
        tx,
        "INSERT INTO members (id, organization_id, legal_entity_id, name, email, role)"
        " VALUES (:id, :organization_id, :entity_id, :name, :email, :role)"
        " ON CONFLICT (organization_id, email) DO UPDATE SET name = excluded.name, role = excluded.role,"
        " legal_entity_id = excluded.legal_entity_id WHERE (members.name, members.role, members.legal_entity_id)"
        " IS DISTINCT FROM (excluded.name, excluded.role, excluded.legal_entity_id) RETURNING id",
        "SELECT id FROM members WHERE organization_id = :organization_id AND email = :email",
        {
            "organization_id": organization_id,
            "name": name,
            "email": email,
            "role": role,
            "entity_id": entity_id,
        },
    )


def upsert_entity(tx: Transaction, organization_id: UUID, name: str, parent: str | None) -> bool:
    """The legal entity of that name, below ``parent``; whether anything was written."""
    _, written = _upsert(
        tx,
        "INSERT INTO legal_entities (id, organization_id, name, parent_id) VALUES (:id, :organization_id, :name,"
        "  (SELECT p.id FROM legal_entities p WHERE p.organization_id = :organization_id AND p.name = :parent))"
        " ON CONFLICT (organization_id, name) DO UPDATE SET parent_id = excluded.parent_id"
        " WHERE legal_entities.parent_id IS DISTINCT FROM excluded.parent_id RETURNING id",
        "SELECT id FROM legal_entities WHERE organization_id = :organization_id AND name = :name",
        {"organization_id": organization_id, "name": name, "parent": parent},
    )
    return written


@dataclass(frozen=True, slots=True)
class ListedMailbox:
    """One that an organization lists. ``owner_id`` None: it is the company's; ``used``: emails may have left it."""

    owner_id: UUID | None
    used: bool


def listed_mailbox(tx: Transaction, organization_id: UUID, address: str) -> ListedMailbox | None:
    """The organization's mailbox of that address, or None."""
    row = tx.execute(
        text(
            "SELECT owner_id, connection_version > 0 AS used FROM mailboxes"
            " WHERE organization_id = :organization_id AND address = :address"
        ),
        {"organization_id": organization_id, "address": address},
    ).one_or_none()
    return None if row is None else ListedMailbox(row.owner_id, row.used)


def upsert_mailbox(
    tx: Transaction, organization_id: UUID, owner_id: UUID, address: str, daily_cap: int, zone: str
) -> tuple[UUID, bool]:
    """The organization's mailbox of that address with its lane; a new one is not connected yet."""
    give_way(tx, organization_id, address)
    mailbox_id, made = _upsert(
        tx,
        "INSERT INTO mailboxes (id, organization_id, owner_id, address, provider)"
        " VALUES (:id, :organization_id, :owner_id, :address, 'graph') ON CONFLICT (organization_id, address) DO NOTHING RETURNING id",
        "SELECT id FROM mailboxes WHERE organization_id = :organization_id AND address = :address",
        {"organization_id": organization_id, "owner_id": owner_id, "address": address},
    )
    changed = tx.execute(
        text(
            "INSERT INTO lanes (mailbox_id, organization_id, daily_cap, zone) VALUES (:id, :organization_id, :cap, :zone)"
            " ON CONFLICT (mailbox_id) DO UPDATE SET daily_cap = excluded.daily_cap"
            " WHERE lanes.daily_cap <> excluded.daily_cap RETURNING mailbox_id"
        ),
        {"id": mailbox_id, "organization_id": organization_id, "cap": daily_cap, "zone": zone},
    ).one_or_none()
    tx.execute(
        text(
            "INSERT INTO credentials (mailbox_id, organization_id) VALUES (:id, :organization_id) ON CONFLICT DO NOTHING"
        ),
        {"id": mailbox_id, "organization_id": organization_id},
    )
    return mailbox_id, made or changed is not None


def find_sequence(tx: Transaction, organization_id: UUID, name: str) -> Any:
    """The sequence of that name, its lane locked so that no gate passes while it is being edited; or None."""
    row = tx.execute(
        text(
            "SELECT * FROM sequences WHERE organization_id = :organization_id AND lower(name) = lower(:name)"
        ),
        {"organization_id": organization_id, "name": name},
    ).one_or_none()
    if row is not None:
        tx.execute(text("SELECT 1 FROM lanes WHERE mailbox_id = :id FOR UPDATE"), {"id": row.mailbox_id})
    return row


def make_sequence(tx: Transaction, values: Mapping[str, Any]) -> UUID:
    """A new sequence without steps."""
    sequence_id = new_id()
    tx.execute(
        text(
            "INSERT INTO sequences (id, organization_id, owner_id, mailbox_id, company, name, status, sending, fields) VALUES"
            " (:id, :organization_id, :owner_id, :mailbox_id, :company, :name, :status, CAST(:sending AS jsonb), :fields)"
        ),
        {
            **values,
            "id": sequence_id,
            "sending": None if values["sending"] is None else dump_json(values["sending"]),
        },
    )
    return sequence_id


def change_sequence(
    tx: Transaction, sequence_id: UUID, *, sending: Mapping[str, Any] | None, fields: Sequence[str]
) -> bool:
    """Change what an import may change of a running sequence; False: nothing to change."""
    return (
        tx.execute(
            text(
                "UPDATE sequences SET sending = CAST(:sending AS jsonb), fields = :fields, version = version + 1 WHERE id = :id"
                " AND (sending, fields) IS DISTINCT FROM (CAST(:sending AS jsonb), CAST(:fields AS text[])) RETURNING id"
            ),
            {
                "id": sequence_id,
                "sending": None if sending is None else dump_json(dict(sending)),
                "fields": list(fields),
            },
        ).one_or_none()
        is not None
    )


def write_steps(
    tx: Transaction, organization_id: UUID, sequence_id: UUID, steps: Sequence[tuple[str, str | None, str]]
) -> bool:
    """Make the sequence's steps these (delay, subject, body), in place; False: they were."""
    changed = False
    for position, (delay, subject, body) in enumerate(steps, start=1):
        values = {
            "delay": delay,
            "subject": subject,
            "body": body,
            "sequence_id": sequence_id,
            "position": position,
        }
        known = tx.execute(
            text(
                "SELECT id, (delay, subject, body) IS DISTINCT FROM (:delay, CAST(:subject AS text), :body) AS differs FROM steps"
                " WHERE sequence_id = :sequence_id AND position = :position AND retired_at IS NULL"
            ),
            values,
        ).one_or_none()
        if known is None:
            tx.execute(
                text(
                    "INSERT INTO steps (id, organization_id, sequence_id, position, delay, subject, body)"
                    " VALUES (:id, :organization_id, :sequence_id, :position, :delay, :subject, :body)"
                ),
                {**values, "id": new_id(), "organization_id": organization_id},
            )
            changed = True
        elif known.differs:
            tx.execute(
                text(
                    "UPDATE steps SET delay = :delay, subject = :subject, body = :body, version = version + 1 WHERE id = :id"
                ),
                {**values, "id": known.id},
            )
            changed = True
    retired = tx.execute(
        text(
            "UPDATE steps SET retired_at = clock_timestamp() WHERE sequence_id = :id AND position > :count"
            " AND retired_at IS NULL"
        ),
        {"id": sequence_id, "count": len(steps)},
    ).rowcount
    if changed or retired:
        tx.execute(text("UPDATE sequences SET version = version + 1 WHERE id = :id"), {"id": sequence_id})
    return bool(changed or retired)


def upsert_candidates(
    tx: Transaction,
    organization_id: UUID,
    rows: Sequence[Mapping[str, Any]],
    progress: Callable[[int], None] | None = None,
) -> tuple[int, int]:
    """Make or change people by their address; returns (created, updated). ``progress`` is told the rows done."""
    created = updated = 0
    for start in range(0, len(rows), BATCH):
        batch = [{**row, "id": str(new_id())} for row in rows[start : start + BATCH]]
        done = tx.execute(
            text(
                "WITH written AS (INSERT INTO candidates AS c (organization_id, id, email, first_name, last_name, company,"
                "   title, location, fields)"
                " SELECT :organization_id, r.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id uuid, email text,"
                "   first_name text, last_name text, company text, title text, location text, fields jsonb)"
                " ON CONFLICT (organization_id, email) DO UPDATE SET first_name = excluded.first_name,"
                "   last_name = excluded.last_name, company = excluded.company, title = excluded.title,"
                "   location = excluded.location, fields = excluded.fields"
                " WHERE (c.first_name, c.last_name, c.company, c.title, c.location, c.fields) IS DISTINCT FROM"
                "   (excluded.first_name, excluded.last_name, excluded.company, excluded.title, excluded.location, excluded.fields)"
                # A row that was there before carries the transaction that locked it; a new one carries none.
                " RETURNING c.xmax = 0 AS created)"
                " SELECT count(*) FILTER (WHERE created) AS created, count(*) FILTER (WHERE NOT created) AS updated FROM written"
            ),
            {"organization_id": organization_id, "rows": dump_json(batch)},
        ).one()
        created, updated = created + done.created, updated + done.updated
        if progress is not None:
            progress(start + len(batch))
    return created, updated


def enrollable(
    tx: Transaction, organization_id: UUID, sequence_id: UUID, emails: Sequence[str]
) -> dict[str, list[UUID]]:
    """The people of these addresses, by what can be done with them: new, suppressed, already."""
    rows = tx.execute(
        text(
            "SELECT c.id, CASE WHEN p.email IS NOT NULL THEN 'suppressed' WHEN e.id IS NOT NULL THEN 'already' ELSE 'new' END AS how"
            " FROM candidates c LEFT JOIN suppressions p ON p.organization_id = c.organization_id AND p.email = c.email"
            " LEFT JOIN enrollments e ON e.candidate_id = c.id AND e.sequence_id = :sequence_id"
            " WHERE c.organization_id = :organization_id AND c.email = ANY(:emails)"
        ),
        {"organization_id": organization_id, "sequence_id": sequence_id, "emails": list(emails)},
    ).all()
    found: dict[str, list[UUID]] = {"new": [], "suppressed": [], "already": []}
    for row in rows:
        found[row.how].append(row.id)
    return found


def _upsert(tx: Transaction, write: str, read: str, values: Mapping[str, Any]) -> tuple[UUID, bool]:
    written: UUID | None = tx.execute(text(write), {**values, "id": new_id()}).scalar_one_or_none()
    if written is not None:
        return written, True
    known: UUID | None = tx.execute(text(read), values).scalar_one_or_none()
    if known is None:  # it is another organization's, of which this one sees nothing
        raise NotPermitted(
            "That name or address is listed elsewhere. Ask an administrator to have that corrected."
        )
    return known, False
