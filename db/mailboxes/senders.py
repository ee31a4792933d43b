"""Addresses of organizations and their legal entities, and which of them a company's sequences send from.

An entity's own address counts once it was connected; else its parent's, and so on up to the organization's; where none was
ever connected, the default address. One that was lost or removed keeps counting: its sequences pause, and nobody hears
from another address than before unless somebody decides so.
"""

import re
import unicodedata
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from db.audit import audit
from db.core.ids import new_id
from db.core.session import Transaction
from db.sequences.sequences import move_to
from domain.connection import Provider

_DAILY_CAP = 1000

# Nearest first. Taken out of use on purpose (disabled) is the one way back to an address further up.
_COUNTING = """
WITH RECURSIVE chain AS (
  SELECT y.id, y.parent_id, 0 AS depth FROM legal_entities y WHERE y.id = :entity
  UNION ALL SELECT y.id, y.parent_id, c.depth + 1 FROM chain c JOIN legal_entities y ON y.id = c.parent_id WHERE c.depth < 50)
SELECT b.id FROM mailboxes b LEFT JOIN chain c ON c.id = b.legal_entity_id
WHERE b.organization_id = :organization_id AND b.owner_id IS NULL
  AND (c.id IS NOT NULL OR b.legal_entity_id IS NULL)
  AND (b.provider = 'default' OR (b.connection_version > 0 AND b.status_reason IS DISTINCT FROM 'disabled'))
ORDER BY b.provider = 'default', c.depth NULLS LAST LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class SenderAddress:
    """An organization's (``entity_id`` None) or entity's own address, if it has one, and the one its sequences send from."""

    entity_id: UUID | None
    name: str
    mailbox_id: UUID | None
    address: str | None
    provider: str | None
    status: str | None
    status_reason: str | None
    sends_from: str | None


def sender_of(tx: Transaction, organization_id: UUID, entity_id: UUID | None) -> UUID | None:
    """The mailbox that a company's sequences send from. None: the operator offers no default mail service."""
    found: UUID | None = tx.execute(
        text(_COUNTING), {"organization_id": organization_id, "entity": entity_id}
    ).scalar_one_or_none()
    return found


def sender_for(tx: Transaction, member_id: UUID) -> UUID | None:
    """The mailbox that a company's sequence of this member sends from: that of their legal entity."""
    row = tx.execute(
        text("SELECT organization_id, legal_entity_id FROM members WHERE id = :id"), {"id": member_id}
    ).one()
    return sender_of(tx, row.organization_id, row.legal_entity_id)


def ensure_defaults(tx: Transaction, domain: str) -> int:
    """Give every organization without a default address one; returns how many."""
    without = (
        tx.execute(
            text(
                "SELECT o.id FROM organizations o WHERE NOT EXISTS ("
                " SELECT FROM mailboxes b WHERE b.organization_id = o.id AND b.provider = 'default') LIMIT 500"
            )
        )
        .scalars()
        .all()
    )
    for organization_id in without:
        ensure_default(tx, organization_id, domain)
    return len(without)


def ensure_default(tx: Transaction, organization_id: UUID, domain: str) -> None:
    """Give the organization its default address, if it has none: made of its name, and for ever."""
    name: str = tx.execute(
        text("SELECT name FROM organizations WHERE id = :id"), {"id": organization_id}
    ).scalar_one()
    base = f"{_slug(name)}-jobs"
    for address in (f"{base}@{domain}", f"{base}-{organization_id.hex[-6:]}@{domain}"):
        made = tx.execute(
            text(
                "INSERT INTO mailboxes (id, organization_id, address, provider, status, connection_version, connected_at)"
                " VALUES (:id, :organization_id, :address, 'default', 'connected', 1, clock_timestamp())"
                " ON CONFLICT DO NOTHING RETURNING id"
            ),
            {"id": new_id(), "organization_id": organization_id, "address": address},
        ).scalar_one_or_none()
        if made is not None:
            add_lane(tx, organization_id, made, open_=True)
            return
        if _default_of(tx, organization_id) is not None:
            return


def _default_of(tx: Transaction, organization_id: UUID) -> str | None:
    found: str | None = tx.execute(
        text("SELECT address FROM mailboxes WHERE organization_id = :id AND provider = 'default'"),
        {"id": organization_id},
    ).scalar_one_or_none()
    return found


def overview(tx: Transaction, organization_id: UUID) -> list[SenderAddress]:
    """The organization's own address, then those of its legal entities."""
    rows = tx.execute(
        text(
            "SELECT y.id, y.name, b.id AS mailbox_id, b.address, b.provider, b.status, b.status_reason"
            " FROM (SELECT NULL::uuid AS id, o.name, 0 AS place FROM organizations o WHERE o.id = :id"
            "   UNION ALL SELECT y.id, y.name, 1 FROM legal_entities y WHERE y.organization_id = :id) y"
            " LEFT JOIN mailboxes b ON b.organization_id = :id AND b.owner_id IS NULL AND b.provider <> 'default'"
            "   AND b.legal_entity_id IS NOT DISTINCT FROM y.id ORDER BY y.place, lower(y.name)"
        ),
        {"id": organization_id},
    ).all()
    senders = {row.id: sender_of(tx, organization_id, row.id) for row in rows}
    names = {
        row.id: row.address
        for row in tx.execute(
            text("SELECT id, address FROM mailboxes WHERE id = ANY(:ids)"),
            {"ids": [each for each in senders.values() if each is not None]},
        )
    }
    return [
        SenderAddress(
            row.id,
            row.name,
            row.mailbox_id,
            row.address,
            row.provider,
            row.status,
            row.status_reason,
            names.get(sender),
        )
        for row in rows
        for sender in [senders[row.id]]
    ]


def is_sender_address(tx: Transaction, mailbox_id: UUID, organization_id: UUID) -> bool:
    """Is it one of the organization's own addresses (and not the default one, which nobody connects)?"""
    row = tx.execute(
        text(
            "SELECT 1 FROM mailboxes WHERE id = :id AND organization_id = :organization_id AND owner_id IS NULL"
            " AND provider <> :default"
        ),
        {"id": mailbox_id, "organization_id": organization_id, "default": Provider.DEFAULT},
    ).one_or_none()
    return row is not None


def set_sender_name(tx: Transaction, organization_id: UUID, kind: str, *, actor: str) -> None:
    """``kind``: company or employee, whose name company addresses show."""
    tx.execute(
        text("UPDATE organizations SET sender_name = :kind WHERE id = :id"),
        {"kind": kind, "id": organization_id},
    )
    audit.write(
        tx, organization_id, actor, "sender_name_set", f"organization:{organization_id}", {"kind": kind}
    )


def sender_name_of(tx: Transaction, organization_id: UUID) -> str:
    """``company`` or ``employee``."""
    kind: str = tx.execute(
        text("SELECT sender_name FROM organizations WHERE id = :id"), {"id": organization_id}
    ).scalar_one()
    return kind


def default_address_of(tx: Transaction, organization_id: UUID) -> str | None:
    """The default address, or None where the operator offers no default mail service."""
    return _default_of(tx, organization_id)


def lock_lanes(tx: Transaction, organization_id: UUID) -> None:
    """Lock the lanes of all the organization's own addresses, in id order, before any one of them changes its state."""
    tx.execute(
        text(
            "SELECT 1 FROM lanes WHERE mailbox_id IN (SELECT id FROM mailboxes WHERE organization_id = :id AND owner_id IS NULL)"
            " ORDER BY mailbox_id FOR UPDATE"
        ),
        {"id": organization_id},
    )


def repoint(tx: Transaction, organization_id: UUID) -> int:
    """Let the company's sequences send from where they should now; returns how many moved.

    What may have been submitted stays with the mailbox that it was submitted from. The caller holds ``lock_lanes``.
    """
    rows = tx.execute(
        text(
            "SELECT s.id, s.mailbox_id, m.legal_entity_id FROM sequences s JOIN members m ON m.id = s.owner_id"
            " WHERE s.organization_id = :id AND s.uses_sender_address AND s.status <> 'archived' ORDER BY s.id"
        ),
        {"id": organization_id},
    ).all()
    wanted = {
        entity: sender_of(tx, organization_id, entity) for entity in {row.legal_entity_id for row in rows}
    }
    moves = [
        (row.id, new)
        for row in rows
        if (new := wanted[row.legal_entity_id]) is not None and new != row.mailbox_id
    ]
    for sequence_id, new in moves:
        move_to(tx, sequence_id, new)
        audit.write(
            tx,
            organization_id,
            "onbehalf",
            "sender_changed",
            f"sequence:{sequence_id}",
            {"mailbox_id": str(new)},
        )
    return len(moves)


def add_lane(tx: Transaction, organization_id: UUID, mailbox_id: UUID, *, open_: bool) -> None:
    """The lane and the place for tokens that every mailbox has."""
    tx.execute(
        text(
            "INSERT INTO lanes (mailbox_id, organization_id, daily_cap, zone, open)"
            " SELECT :id, o.id, :cap, o.time_zone, :open FROM organizations o WHERE o.id = :organization_id"
        ),
        {"id": mailbox_id, "organization_id": organization_id, "cap": _DAILY_CAP, "open": open_},
    )
    tx.execute(
        text("INSERT INTO credentials (mailbox_id, organization_id) VALUES (:id, :organization_id)"),
        {"id": mailbox_id, "organization_id": organization_id},
    )


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "company"
