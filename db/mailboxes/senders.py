"""Addresses of organizations and their legal entities, and which of them company sequences send from.

An entity uses its own address once that was connected; otherwise its parent's, and so on up to the organization's; if none was
ever connected, the default address. A lost or removed address still counts: its sequences pause, and nobody gets email from
a different address unless somebody decides so.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.ids import new_id
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.sequences.sequences import move_to
from domain.connection import Provider

_DAILY_CAP = 1000

# Nearest first. Only a disabled address falls back to one further up.


@dataclass(frozen=True, slots=True)
class SenderAddress:
    """The own address, if any, of an organization (``entity_id`` None) or entity, and the one its sequences send from."""

    entity_id: UUID | None
    name: str
    mailbox_id: UUID | None
    address: str | None
    provider: str | None
    status: str | None
    status_reason: str | None
    sends_from: str | None


class _MemberOf(NamedTuple):
    organization_id: UUID
    legal_entity_id: UUID | None


class _Own(NamedTuple):
    id: UUID | None
    name: str
    mailbox_id: UUID | None
    address: str | None
    provider: str | None
    status: str | None
    status_reason: str | None


class _Address(NamedTuple):
    id: UUID
    address: str


class _Sequence(NamedTuple):
    id: UUID
    mailbox_id: UUID
    legal_entity_id: UUID | None


_SQL = SqlFile(__name__)
_COUNTING = _SQL.statement("counting", UUID)
_MEMBER_OF = Statement("SELECT organization_id, legal_entity_id FROM members WHERE id = :id", _MemberOf)
_WITHOUT_DEFAULT = Statement(
    "SELECT o.id FROM organizations o WHERE NOT EXISTS ("
    " SELECT FROM mailboxes b WHERE b.organization_id = o.id AND b.provider = 'default') LIMIT 500",
    UUID,
)
_NAME = Statement("SELECT name FROM organizations WHERE id = :id", str)
_ADD_DEFAULT = _SQL.statement("add_default", UUID)
_DEFAULT = Statement(
    "SELECT address FROM mailboxes WHERE organization_id = :id AND provider = 'default'", str
)
_OVERVIEW = _SQL.statement("overview", _Own)
_ADDRESSES = Statement("SELECT id, address FROM mailboxes WHERE id = ANY(:ids)", _Address)
_IS_SENDER_ADDRESS = Statement(
    "SELECT 1 FROM mailboxes WHERE id = :id AND organization_id = :organization_id AND owner_id IS NULL"
    " AND provider <> :default",
    int,
)
_SET_SENDER_NAME = Statement("UPDATE organizations SET sender_name = :kind WHERE id = :id")
_SENDER_NAME_OF = Statement("SELECT sender_name FROM organizations WHERE id = :id", str)
_LOCK_LANES = Statement(
    "SELECT 1 FROM lanes WHERE mailbox_id IN (SELECT id FROM mailboxes WHERE organization_id = :id AND owner_id IS NULL)"
    " ORDER BY mailbox_id FOR UPDATE"
)
_BY_SENDER_ADDRESS = Statement(
    "SELECT s.id, s.mailbox_id, m.legal_entity_id FROM sequences s JOIN members m ON m.id = s.owner_id"
    " WHERE s.organization_id = :id AND s.uses_sender_address AND s.status <> 'archived' ORDER BY s.id",
    _Sequence,
)
_ADD_LANE = Statement(
    "INSERT INTO lanes (mailbox_id, organization_id, daily_cap, zone, open)"
    " SELECT :id, o.id, :cap, o.time_zone, :open FROM organizations o WHERE o.id = :organization_id"
)
_ADD_CREDENTIALS = Statement(
    "INSERT INTO credentials (mailbox_id, organization_id) VALUES (:id, :organization_id)"
)


def sender_of(tx: Transaction, organization_id: UUID, entity_id: UUID | None) -> UUID | None:
    """Return the mailbox that company sequences send from; None if the operator offers no default mail service."""
    return _COUNTING.one_or_none(tx, organization_id=organization_id, entity=entity_id)


def sender_for(tx: Transaction, member_id: UUID) -> UUID | None:
    """Return the mailbox that this member's company sequences send from: that of their legal entity."""
    row = _MEMBER_OF.one(tx, id=member_id)
    return sender_of(tx, row.organization_id, row.legal_entity_id)


def ensure_defaults(tx: Transaction, domain: str) -> int:
    """Give every organization its default address if it has none; returns how many got one."""
    without = _WITHOUT_DEFAULT.all(tx)
    for organization_id in without:
        ensure_default(tx, organization_id, domain)
    return len(without)


def ensure_default(tx: Transaction, organization_id: UUID, domain: str) -> None:
    """Give the organization its default address if it has none. It derives from the name at that time and never changes."""
    name: str = _NAME.one(tx, id=organization_id)
    base = f"{_slug(name)}-jobs"
    for address in (f"{base}@{domain}", f"{base}-{organization_id.hex[-6:]}@{domain}"):
        made = _ADD_DEFAULT.one_or_none(tx, id=new_id(), organization_id=organization_id, address=address)
        if made is not None:
            add_lane(tx, organization_id, made, open_=True)
            return
        if _default_of(tx, organization_id) is not None:
            return


def _default_of(tx: Transaction, organization_id: UUID) -> str | None:
    return _DEFAULT.one_or_none(tx, id=organization_id)


def overview(tx: Transaction, organization_id: UUID) -> list[SenderAddress]:
    """Return the organization's own address, then those of its legal entities."""
    rows = _OVERVIEW.all(tx, id=organization_id)
    senders = {row.id: sender_of(tx, organization_id, row.id) for row in rows}
    names = {
        row.id: row.address
        for row in _ADDRESSES.all(tx, ids=[each for each in senders.values() if each is not None])
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
            None if sender is None else names[sender],
        )
        for row in rows
        for sender in [senders[row.id]]
    ]


def is_sender_address(tx: Transaction, mailbox_id: UUID, organization_id: UUID) -> bool:
    """Is it a sender address of the organization, other than the default one, which nobody connects?"""
    row = _IS_SENDER_ADDRESS.one_or_none(
        tx, id=mailbox_id, organization_id=organization_id, default=Provider.DEFAULT
    )
    return row is not None


def set_sender_name(tx: Transaction, organization_id: UUID, kind: str, *, actor: str) -> None:
    """Set whose name sender addresses show. ``kind``: company or employee."""
    _SET_SENDER_NAME.run(tx, kind=kind, id=organization_id)
    audit.write(
        tx, organization_id, actor, "sender_name_set", f"organization:{organization_id}", {"kind": kind}
    )


def sender_name_of(tx: Transaction, organization_id: UUID) -> str:
    """Return ``company`` or ``employee``."""
    return _SENDER_NAME_OF.one(tx, id=organization_id)


def default_address_of(tx: Transaction, organization_id: UUID) -> str | None:
    """Return the default address; None if the operator offers no default mail service."""
    return _default_of(tx, organization_id)


def lock_lanes(tx: Transaction, organization_id: UUID) -> None:
    """Lock the lanes of all the organization's sender addresses, in id order, before any of them changes."""
    _LOCK_LANES.run(tx, id=organization_id)


def repoint(tx: Transaction, organization_id: UUID) -> int:
    """Move company sequences to the address that now applies; returns how many moved.

    An email that may have been submitted stays with its mailbox. The caller holds ``lock_lanes``.
    """
    rows = _BY_SENDER_ADDRESS.all(tx, id=organization_id)
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
    """Add the lane and the credentials row that every mailbox has."""
    _ADD_LANE.run(tx, id=mailbox_id, organization_id=organization_id, cap=_DAILY_CAP, open=open_)
    _ADD_CREDENTIALS.run(tx, id=mailbox_id, organization_id=organization_id)


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "company"
