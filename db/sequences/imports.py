"""Write imported organizations. Rows that are already correct stay untouched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from db.core.ids import new_id
from db.core.jsonb import Json, dump_json
from db.core.session import Transaction, database_now
from db.core.statements import SqlFile, Statement
from db.mailboxes.sender_addresses import give_way
from db.sending.enrollments import windows_of
from db.sequences.following import Plan, follow
from db.sequences.steps import Rewritten, rewrite
from domain.edit_report import EditReport
from domain.errors import NotPermitted
from domain.send_window import SendWindow
from domain.step_edits import Words


@dataclass(frozen=True, slots=True)
class ListedMailbox:
    """A mailbox that an organization lists. ``owner_id`` None: a sender address; ``used``: emails may have left from it."""

    owner_id: UUID | None
    used: bool


class Connection(NamedTuple):
    """How a mailbox is connected."""

    status: str
    provider: str


class KnownOrganization(NamedTuple):
    """An organization before an import. ``sending``: its hours, None: at any time."""

    sending: Json | None


class _Sending(NamedTuple):
    sending: Json | None
    organization_sending: Json | None
    mailbox_sending: Json | None


_SQL = SqlFile(__name__)
_LOCK_LANES_OF_ORGANIZATIONS = Statement(
    "SELECT 1 FROM lanes WHERE organization_id IN (SELECT id FROM organizations WHERE lower(name) = ANY(:names))"
    " ORDER BY mailbox_id FOR UPDATE"
)
_KNOWN_ORGANIZATION = Statement(
    "SELECT sending FROM organizations WHERE lower(name) = lower(:name) LIMIT 1", KnownOrganization
)
_CONNECTION_OF = Statement("SELECT status, provider FROM mailboxes WHERE id = :id", Connection)
_UPSERT_ORGANIZATION = _SQL.statement("upsert_organization", UUID)
_ORGANIZATION = Statement(
    "SELECT id FROM organizations WHERE lower(name) = lower(:name) ORDER BY name <> :name LIMIT 1", UUID
)
_UPSERT_MEMBER = _SQL.statement("upsert_member", UUID)
_MEMBER = Statement(
    "SELECT id FROM members WHERE organization_id = :organization_id AND email = :email", UUID
)
_ROLE = Statement("SELECT role FROM members WHERE organization_id = :organization_id AND email = :email", str)
_UPSERT_ENTITY = _SQL.statement("upsert_entity", UUID)
_ENTITY = Statement(
    "SELECT id FROM legal_entities WHERE organization_id = :organization_id AND name = :name", UUID
)
_ADD_MAILBOX = _SQL.statement("add_mailbox", UUID)
_MAILBOX = Statement(
    "SELECT id FROM mailboxes WHERE organization_id = :organization_id AND address = :address", UUID
)
_INACTIVE_MEMBERS = Statement("SELECT email FROM members WHERE organization_id = :id AND NOT active", str)
_LISTED_MAILBOX = Statement(
    "SELECT owner_id, connection_version > 0 AS used FROM mailboxes"
    " WHERE organization_id = :organization_id AND address = :address",
    ListedMailbox,
)
_UPSERT_LANE = _SQL.statement("upsert_lane", UUID)
_ADD_CREDENTIALS = Statement(
    "INSERT INTO credentials (mailbox_id, organization_id) VALUES (:id, :organization_id) ON CONFLICT DO NOTHING"
)
_SENDING = _SQL.statement("sending", _Sending)
_LOCK_LANES = _SQL.statement("lock_lanes")


def lock_lanes_of(tx: Transaction, names: Sequence[str]) -> None:
    """Lock every lane of these organizations, in id order, so nothing passes the gate while its facts change."""
    _LOCK_LANES_OF_ORGANIZATIONS.run(tx, names=[name.lower() for name in names])


def known_organization(tx: Transaction, name: str) -> KnownOrganization | None:
    """Return the organization with that name, ignoring case; None if it is new."""
    return _KNOWN_ORGANIZATION.one_or_none(tx, name=name)


def connection_of(tx: Transaction, mailbox_id: UUID) -> Connection:
    """Return a mailbox's ``status`` and ``provider``."""
    return _CONNECTION_OF.one(tx, id=mailbox_id)


def upsert_organization(
    tx: Transaction,
    name: str,
    time_zone: str,
    sending: Mapping[str, Any] | None,
    *,
    keep_sending: bool = False,
) -> tuple[UUID, bool]:
    """Create or update the organization with that name, ignoring case; returns its id and whether anything was written.

    ``sending``: its hours, None: at any time. ``keep_sending``: they are of a new one alone.
    """
    return _upsert(
        tx,
        _UPSERT_ORGANIZATION,
        _ORGANIZATION,
        name=name,
        time_zone=time_zone,
        sending=None if sending is None else dump_json(dict(sending)),
        keep=keep_sending,
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
    """Create or update the member with that address. ``role``: of a new one, None: member. Never reactivates anybody."""
    return _upsert(
        tx,
        _UPSERT_MEMBER,
        _MEMBER,
        organization_id=organization_id,
        name=name,
        email=email,
        role=role,
        entity_id=entity_id,
        keep=keep_entity,
    )


def role_of(tx: Transaction, organization_id: UUID, email: str) -> str | None:
    """Return the role of the member with that address, or None: there is none."""
    return _ROLE.one_or_none(tx, organization_id=organization_id, email=email)


def inactive_members(tx: Transaction, organization_id: UUID) -> frozenset[str]:
    """Return the addresses of deactivated members."""
    return frozenset(_INACTIVE_MEMBERS.all(tx, id=organization_id))


def upsert_entity(tx: Transaction, organization_id: UUID, name: str, parent: str | None) -> bool:
    """Create or update the legal entity with that name, below ``parent``; returns whether anything was written."""
    _, written = _upsert(
        tx, _UPSERT_ENTITY, _ENTITY, organization_id=organization_id, name=name, parent=parent
    )
    return written


def listed_mailbox(tx: Transaction, organization_id: UUID, address: str) -> ListedMailbox | None:
    """Return the organization's mailbox with that address, or None."""
    return _LISTED_MAILBOX.one_or_none(tx, organization_id=organization_id, address=address)


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
    """Create or update the organization's mailbox and its lane. Never connects: a new or disconnected mailbox stays so.

    ``keep_cap``: ``daily_cap`` applies only to a new mailbox.
    """
    give_way(tx, organization_id, address)
    mailbox_id, made = _upsert(
        tx,
        _ADD_MAILBOX,
        _MAILBOX,
        organization_id=organization_id,
        owner_id=owner_id,
        address=address,
    )
    changed = _UPSERT_LANE.one_or_none(
        tx, id=mailbox_id, organization_id=organization_id, cap=daily_cap, zone=zone, keep=keep_cap
    )
    _ADD_CREDENTIALS.run(tx, id=mailbox_id, organization_id=organization_id)
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
    """Set the sequence's steps (delay, subject, body), and have the people in it follow. The report is falsy if nothing changed.

    ``windows_before``: the sending windows behind the current due times, if they have changed.
    """
    lock_lanes_of_sequence(tx, sequence_id)
    wanted = [each if isinstance(each, Words) else Words(*each) for each in steps]
    edit = rewrite(tx, organization_id, sequence_id, wanted)
    return follow_edit(tx, sequence_id, edit, windows_before=windows_before, go_on=go_on)


def follow_edit(
    tx: Transaction,
    sequence_id: UUID,
    edit: Rewritten,
    *,
    windows_before: Sequence[SendWindow] | None = None,
    go_on: bool = False,
) -> EditReport:
    """Have the people in a sequence follow what became of its steps and windows. The caller holds its lanes."""
    now = sending_windows(tx, sequence_id)
    plan = Plan(database_now(tx), now if windows_before is None else windows_before, now)
    if not edit.changed and plan.before == plan.after and not go_on:
        return EditReport()
    return follow(tx, sequence_id, edit, plan, go_on=go_on)


def sending_windows(
    tx: Transaction,
    sequence_id: UUID,
    *,
    organization: Json | None = None,
    of_organization: bool = False,
) -> list[SendWindow]:
    """Return when the sequence's emails may leave.

    ``of_organization``: use the hours in ``organization`` for its organization.
    """
    row = _SENDING.one(tx, id=sequence_id)
    hours = organization if of_organization else row.organization_sending
    return windows_of(row.sending, hours, row.mailbox_sending)


def lock_lanes_of_sequence(tx: Transaction, sequence_id: UUID, also: UUID | None = None) -> None:
    """Lock every lane from which the sequence's emails may leave, in id order. An email in doubt stays with a former mailbox.

    ``also``: a mailbox from which it will send.
    """
    _LOCK_LANES.run(tx, id=sequence_id, also=also)


def _upsert(
    tx: Transaction, write: Statement[UUID], read: Statement[UUID], **values: object
) -> tuple[UUID, bool]:
    written = write.one_or_none(tx, id=new_id(), **values)
    if written is not None:
        return written, True
    known = read.one_or_none(tx, **values)
    if known is None:  # it belongs to another organization, which is invisible to this one
        raise NotPermitted(
            "That name or address is already listed elsewhere. Ask an administrator to correct it."
        )
    return known, False
