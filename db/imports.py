"""Writing imported worlds: rows that are as they should be are left alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.enrollments import windows_of
from db.following import Plan, follow
from db.ids import new_id
from db.jsonb import dump_json
from db.sender_addresses import give_way
from db.session import Transaction, database_now
from db.steps import rewrite
from domain.edit_report import EditReport
from domain.errors import NotPermitted
from domain.send_window import SendWindow
from domain.step_edits import Words


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
    tx: Transaction,
    organization_id: UUID,
    sequence_id: UUID,
    steps: Sequence[Words | tuple[str, str | None, str]],
    *,
    windows_before: Sequence[SendWindow] | None = None,
    go_on: bool = False,
) -> EditReport:
    """Make the sequence's steps these (delay, subject, body), and let the people in it follow; falsy: nothing changed.

    ``windows_before``: the sending windows that present due times were made with, where they have changed.
    """
    _lock_lanes_of(tx, sequence_id)
    wanted = [each if isinstance(each, Words) else Words(*each) for each in steps]
    edit = rewrite(tx, organization_id, sequence_id, wanted)
    now = sending_windows(tx, sequence_id)
    plan = Plan(database_now(tx), now if windows_before is None else windows_before, now)
    if not edit.changed and plan.before == plan.after and not go_on:
        return EditReport()
    return follow(tx, sequence_id, edit, plan, go_on=go_on)


def sending_windows(tx: Transaction, sequence_id: UUID) -> list[SendWindow]:
    """When the sequence's emails may leave, as things stand."""
    row = tx.execute(
        text(
            "SELECT s.sending, o.sending AS organization_sending, b.settings->'window' AS mailbox_sending FROM sequences s"
            " JOIN organizations o ON o.id = s.organization_id JOIN mailboxes b ON b.id = s.mailbox_id WHERE s.id = :id"
        ),
        {"id": sequence_id},
    ).one()
    return windows_of(row.sending, row.organization_sending, row.mailbox_sending)


def _lock_lanes_of(tx: Transaction, sequence_id: UUID) -> None:
    """Lock every lane that an email of the sequence may leave by, in id order: what is in doubt stays with a former mailbox."""
    tx.execute(
        text(
            "SELECT 1 FROM lanes WHERE mailbox_id IN (SELECT mailbox_id FROM sequences WHERE id = :id"
            "   UNION SELECT mailbox_id FROM deliveries WHERE sequence_id = :id AND state NOT IN ('sent', 'closed'))"
            " ORDER BY mailbox_id FOR UPDATE"
        ),
        {"id": sequence_id},
    )


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
