"""Find things by the names people use, and suggest similar names if there is no match."""

import difflib
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from db.access.authority import BY_HAND_OF
from db.audit.audit import Receipt
from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from domain.errors import InvalidInput, NotFound
from domain.processes import SILENT_AFTER


class _Named(NamedTuple):
    id: UUID
    name: str
    organization: str


class Situation(NamedTuple):
    """Everything that decides whether an enrollment's next email leaves. The delivery's are None if there is none.

    ``address``: of the delivery's mailbox, or of its sequence's if there is none. ``lost_key``: the id of the key that the
    mailbox's sign-in is sealed under, if no worker that sends has it. ``stuck_in``: from whose Drafts ``stuck_step`` has not left.
    ``hold``: what keeps the mailbox from sending, as ``domain.holds.SendingHold`` reads it.
    """

    status: str
    reason: str | None
    sequence_id: UUID
    email: str
    sequence: str
    sequence_status: str
    paused_reason: str | None
    paused_at: datetime | None
    address: str
    delivery_id: UUID | None
    state: str | None
    outcome: str | None
    delivery_reason: str | None
    held: bool | None
    due_at: datetime | None
    sent_at: datetime | None
    attempts: int | None
    position: int | None
    owner: str
    retry_after_until: datetime | None
    wait_reason: str | None
    lost_key: str | None
    zone: str
    provider: str
    still_draft_at: datetime | None
    now: datetime
    suppressed: str | None
    hold: Json | None
    stuck_step: int | None
    stuck_in: str | None
    before: int  # emails that the mailbox sends first, if this one is due
    grace_until: datetime | None
    sent: int
    last_sent: datetime | None


@dataclass(frozen=True, slots=True)
class _Receipt(Receipt):
    still_draft_at: datetime | None
    owner: str
    sequence: str
    step: int
    grant_given_at: datetime | None
    granted_by: str | None
    grant_given_by_kind: str | None
    grant_given_by: str | None
    grant_by_hand_of: str | None
    grant_confirmed_at: datetime | None


class _Organization(NamedTuple):
    id: UUID
    name: str
    time_zone: str


class _Sequence(NamedTuple):
    id: UUID
    organization: str
    name: str
    status: str
    reason: str
    owner: str
    sender: str
    people: int
    sent: int
    waiting: int


class _Mailbox(NamedTuple):
    id: UUID
    organization: str
    address: str
    owner: str | None
    status: str
    reason: str
    connection_version: int
    scopes: str


class _Member(NamedTuple):
    id: UUID
    organization: str
    name: str
    email: str
    role: str
    active: bool


class _ApiKey(NamedTuple):
    organization: str
    name: str
    scopes: str
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


class _Request(NamedTuple):
    id: UUID
    asked_by: str
    mailbox: str
    words: str
    status: str
    created_at: datetime
    settled_at: datetime | None


class _Grant(NamedTuple):
    id: UUID
    mailbox: str
    given_to: str
    mailbox_owner: str
    given_by_kind: str
    given_by: str
    confirmed_at: datetime | None
    version: int
    given_at: datetime
    expires_at: datetime | None
    daily_limit: int | None
    first_email: str | None
    only_for: str | None
    archived_at: datetime | None
    archived_reason: str


_SQL = SqlFile(__name__)
# A kind's table, and the column that people call it by.
_NAMED = {
    "organization": ("organizations", "name"),
    "sequence": ("sequences", "name"),
    "mailbox": ("mailboxes", "address"),
    "member": ("members", "email"),
    "candidate": ("candidates", "email"),
    "legal_entity": ("legal_entities", "name"),
}
_ALL = {
    kind: f"SELECT x.id, x.{column} AS name, o.name AS organization FROM {table} x"
    f" JOIN organizations o ON o.id = x.{'id' if kind == 'organization' else 'organization_id'}"
    for kind, (table, column) in _NAMED.items()
}
_BY_ID = {kind: Statement(f"{every} WHERE x.id = :id", _Named) for kind, every in _ALL.items()}
_BY_NAME = {
    kind: Statement(
        f"{every} WHERE lower(x.{_NAMED[kind][1]}) = lower(:name)"
        " AND (CAST(:organization AS text) IS NULL OR lower(o.name) = lower(:organization))",
        _Named,
    )
    for kind, every in _ALL.items()
}
_SOME = {kind: Statement(f"{every} LIMIT 2000", _Named) for kind, every in _ALL.items()}
_BEGINNING = {
    kind: Statement(
        f"SELECT DISTINCT n.name FROM ({every}) n WHERE starts_with(lower(n.name), lower(:beginning)) ORDER BY n.name LIMIT :limit",
        str,
    )
    for kind, every in _ALL.items()
}
_OF_ORGANIZATION = {kind: Statement(f"{every} WHERE o.id = :id", _Named) for kind, every in _ALL.items()}
_ENROLLMENTS_OF_PERSON = Statement(
    "SELECT e.id FROM enrollments e JOIN candidates c ON c.id = e.candidate_id"
    " WHERE c.email = lower(:email) AND e.reason IS DISTINCT FROM 'address_corrected' ORDER BY e.created_at",
    UUID,
)
_ENROLLMENT = Statement("SELECT id FROM enrollments WHERE id = :id", UUID)
_SITUATION = _SQL.statement("situation", Situation)
_RECEIPT = _SQL.statement("receipt", _Receipt, by_hand_of=BY_HAND_OF)
_ORGANIZATION_OF_PERSON = Statement("SELECT organization_id FROM candidates WHERE id = :id", UUID)
_ORGANIZATION_OF = Statement("SELECT organization_id FROM sequences WHERE id = :id", UUID)
_LISTS: dict[str, Statement[Any]] = {
    "organization": Statement("SELECT id, name, time_zone FROM organizations ORDER BY name", _Organization),
    "sequence": _SQL.statement("sequences", _Sequence),
    "mailbox": _SQL.statement("mailboxes", _Mailbox),
    "member": _SQL.statement("members", _Member),
    "api_key": _SQL.statement("api_keys", _ApiKey),
    "request": _SQL.statement("requests", _Request),
    "grant": _SQL.statement("grants", _Grant),
}
_STANDING_GRANT = Statement(
    "SELECT 1 FROM grants WHERE mailbox_id = :mailbox_id AND archived_at IS NULL"
    " AND grantee_id IS NOT DISTINCT FROM CAST(:grantee_id AS uuid)",
    int,
)


def by_name(tx: Transaction, kind: str, name: str, *, organization: str | None = None) -> UUID:
    """Return the id of a ``kind`` (organization, sequence, mailbox, member, candidate) by name, ignoring case, or by id.

    Raises ``NotFound`` with the nearest names, and ``InvalidInput`` if several organizations have the name.
    """
    try:
        as_id: UUID | None = UUID(name)
    except ValueError:
        as_id = None
    if as_id is not None and kind != "organization":
        found = _BY_ID[kind].all(tx, id=as_id)
    else:
        found = _BY_NAME[kind].all(tx, name=name, organization=organization)
    if len(found) == 1:
        return found[0].id
    if found:
        places = ", ".join(sorted(row.organization for row in found))
        raise InvalidInput(
            f"{name!r} is in several organizations ({places})", fix="Say which with --organization."
        )
    names = _SOME[kind].all(tx)
    near = difflib.get_close_matches(name.lower(), [row.name.lower() for row in names], n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise NotFound(f"There is no {kind} {name!r}.{hint}")


def beginning(tx: Transaction, kind: str, text: str, *, limit: int) -> list[str]:
    """Return names of a ``kind`` that begin so, ignoring case."""
    return _BEGINNING[kind].all(tx, beginning=text, limit=limit)


def only_organization(tx: Transaction) -> UUID:
    """Return the organization, if there is one. Raises ``InvalidInput`` if there are several."""
    found = _LISTS["organization"].all(tx)
    if len(found) != 1:
        raise InvalidInput("There are several organizations", fix="Say which with --organization.")
    return UUID(str(found[0].id))


def enrollments_of(tx: Transaction, text_or_id: str) -> list[UUID]:
    """Return enrollments by id, or by the person's address."""
    try:
        wanted = UUID(text_or_id)
    except ValueError:
        return _ENROLLMENTS_OF_PERSON.all(tx, email=text_or_id)
    return _ENROLLMENT.all(tx, id=wanted)


def listing(tx: Transaction, kind: str) -> list[dict[str, Any]]:
    """Return all sequences, mailboxes, members, grants, requests, keys or organizations, as plain values for a table."""
    return [row._asdict() for row in _LISTS[kind].all(tx)]


def situation(tx: Transaction, enrollment_id: UUID) -> Situation | None:
    """Return everything that decides whether an enrollment's next email leaves, in one row."""
    return _SITUATION.one_or_none(tx, id=enrollment_id, silent=SILENT_AFTER)


def receipt(tx: Transaction, delivery_id: UUID) -> dict[str, Any] | None:
    """Return a delivery's receipt with the names behind its ids, or None."""
    row = _RECEIPT.one_or_none(tx, id=delivery_id)
    return None if row is None else asdict(row)


def organization_of(tx: Transaction, sequence_id: UUID) -> UUID:
    """Return the organization of a sequence."""
    return _ORGANIZATION_OF.one(tx, id=sequence_id)


def organization_of_person(tx: Transaction, candidate_id: UUID) -> UUID:
    """Return the organization of a candidate."""
    return _ORGANIZATION_OF_PERSON.one(tx, id=candidate_id)


def ids_of(tx: Transaction, kind: str, organization_id: UUID) -> dict[str, UUID]:
    """Return the ids of an organization's members, mailboxes or legal entities by address or name."""
    return {row.name: row.id for row in _OF_ORGANIZATION[kind].all(tx, id=organization_id)}


def standing_grant(tx: Transaction, mailbox_id: UUID, grantee_id: UUID | None) -> bool:
    """Is there an active grant on this mailbox for exactly this grantee?"""
    return _STANDING_GRANT.one_or_none(tx, mailbox_id=mailbox_id, grantee_id=grantee_id) is not None
