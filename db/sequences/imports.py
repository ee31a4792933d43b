"""Write imported organizations: rows that are as they should be are left alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction, database_now
from db.mailboxes.sender_addresses import give_way
from db.sending.enrollments import windows_of
from db.sequences.following import Plan, follow
from db.sequences.steps import rewrite
from domain.edit_report import EditReport
from domain.errors import NotPermitted
from domain.send_window import SendWindow
from domain.step_edits import Words


def lock_lanes_of(tx: Transaction, names: Sequence[str]) -> None:
    """Lock every lane of these organizations, in id order: no gate passes while what it asks is being changed."""
    tx.execute(
        text(
            "SELECT 1 FROM lanes WHERE organization_id IN (SELECT id FROM organizations WHERE lower(name) = ANY(:names))"
            " ORDER BY mailbox_id FOR UPDATE"
        ),
        {"names": [name.lower() for name in names]},
    )


def sending_of(tx: Transaction, name: str) -> dict[str, Any] | None:
    """The sending hours of the organization of that name, as stored; None: at any time, or it is new."""
    found: dict[str, Any] | None = tx.execute(
        text("SELECT sending FROM organizations WHERE lower(name) = lower(:name) LIMIT 1"), {"name": name}
    ).scalar_one_or_none()
    return found


def connection_of(tx: Transaction, mailbox_id: UUID) -> Any:
    """A mailbox's ``status`` and ``provider``."""
    return tx.execute(text("SELECT status, provider FROM mailboxes WHERE id = :id"), {"id": mailbox_id}).one()


def upsert_organization(
    tx: Transaction, name: str, time_zone: str, sending: Mapping[str, Any] | None
) -> tuple[UUID, bool]:
    """The organization of that name, whatever its case, made or changed; and whether anything was written."""
    return _upsert(
        tx,
        "INSERT INTO organizations (id, name, time_zone, sending) VALUES (:id,"
        "   coalesce((SELECT o.name FROM organizations o WHERE lower(o.name) = lower(:name) ORDER BY o.name <> :name LIMIT 1), :name),"
        "   :time_zone, CAST(:sending AS jsonb))"
        " ON CONFLICT (name) DO UPDATE SET time_zone = excluded.time_zone, sending = excluded.sending"
        " WHERE (organizations.time_zone, organizations.sending) IS DISTINCT FROM (excluded.time_zone, excluded.sending)"
        " RETURNING id",
        "SELECT id FROM organizations WHERE lower(name) = lower(:name) ORDER BY name <> :name LIMIT 1",
        {
            "name": name,
            "time_zone": time_zone,
            "sending": None if sending is None else dump_json(dict(sending)),
        },
    )


def upsert_member(
    tx: Transaction,
    organization_id: UUID,
    name: str,
    email: str,
    role: str | None,
    entity_id: UUID | None,
    *,
    keep_entity: bool = False,
) -> tuple[UUID, bool]:
    """The member of that address. ``role`` None: as it is (a new one: member). Whoever was deactivated stays so."""
    return _upsert(
        tx,
        "INSERT INTO members (id, organization_id, legal_entity_id, name, email, role)"
        " VALUES (:id, :organization_id, :entity_id, :name, :email, coalesce(:role, 'member'))"
        " ON CONFLICT (organization_id, email) DO UPDATE SET name = excluded.name, role = coalesce(:role, members.role),"
        " legal_entity_id = CASE WHEN :keep THEN members.legal_entity_id ELSE excluded.legal_entity_id END"
        " WHERE (members.name, members.role, members.legal_entity_id) IS DISTINCT FROM (excluded.name,"
        " coalesce(:role, members.role), CASE WHEN :keep THEN members.legal_entity_id ELSE excluded.legal_entity_id END)"
        " RETURNING id",
        "SELECT id FROM members WHERE organization_id = :organization_id AND email = :email",
        {
            "organization_id": organization_id,
            "name": name,
            "email": email,
            "role": role,
            "entity_id": entity_id,
            "keep": keep_entity,
        },
    )


def inactive_members(tx: Transaction, organization_id: UUID) -> frozenset[str]:
    """Addresses of members who were deactivated."""
    return frozenset(
        tx.execute(
            text("SELECT email FROM members WHERE organization_id = :id AND NOT active"),
            {"id": organization_id},
        ).scalars()
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
    tx: Transaction,
    organization_id: UUID,
    owner_id: UUID,
    address: str,
    daily_cap: int,
    zone: str,
    *,
    keep_cap: bool = False,
) -> tuple[UUID, bool]:
    """The organization's mailbox of that address with its lane; a new one is not connected yet, one that was disconnected stays so.

    ``keep_cap``: ``daily_cap`` is for a new one.
    """
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
            " WHERE lanes.daily_cap <> excluded.daily_cap AND NOT :keep RETURNING mailbox_id"
        ),
        {
            "id": mailbox_id,
            "organization_id": organization_id,
            "cap": daily_cap,
            "zone": zone,
            "keep": keep_cap,
        },
    ).one_or_none()
    tx.execute(
        text(
            "INSERT INTO credentials (mailbox_id, organization_id) VALUES (:id, :organization_id) ON CONFLICT DO NOTHING"
        ),
        {"id": mailbox_id, "organization_id": organization_id},
    )
    return mailbox_id, made or changed is not None


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


def sending_windows(
    tx: Transaction,
    sequence_id: UUID,
    *,
    organization: dict[str, Any] | None = None,
    of_organization: bool = False,
) -> list[SendWindow]:
    """When the sequence's emails may leave, as things stand; ``of_organization``: with these hours of its organization instead."""
    row = tx.execute(
        text(
            "SELECT s.sending, o.sending AS organization_sending, b.settings->'window' AS mailbox_sending FROM sequences s"
            " JOIN organizations o ON o.id = s.organization_id JOIN mailboxes b ON b.id = s.mailbox_id WHERE s.id = :id"
        ),
        {"id": sequence_id},
    ).one()
    hours = organization if of_organization else row.organization_sending
    return windows_of(row.sending, hours, row.mailbox_sending)


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
