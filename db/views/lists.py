"""What operators list, over all organizations or in one, and what they look at one by one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile


@dataclass(frozen=True, slots=True)
class Enrollment:
    """A person in a sequence. ``sent``: emails."""

    id: UUID
    organization: str
    sequence: str
    person: str
    status: str
    reason: str
    sent: int
    next_due_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person. ``suppressed``: why, or "". ``sequences``: how many they are in that are not over."""

    id: UUID
    organization: str
    email: str
    name: str
    company: str
    suppressed: str
    away_until: datetime | None
    sequences: int


@dataclass(frozen=True, slots=True)
class WholeCandidate:
    """A person with all that is stored of them by name."""

    id: UUID
    organization: str
    email: str
    name: str
    company: str
    title: str
    location: str
    fields: Json
    suppressed: str
    away_until: datetime | None
    unclear_until: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A sequence that a person is or was in."""

    enrollment_id: UUID
    sequence: str
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox: its connection, its pace, and what it is for. ``owner`` "": a sender address. ``open``: may emails leave?"""

    id: UUID
    organization: str
    address: str
    owner: str
    provider: str
    status: str
    reason: str
    connected_at: datetime | None
    disconnected_at: datetime | None
    checked_at: datetime | None
    connection_version: int
    scopes: str
    open: bool | None
    zone: str | None
    daily_cap: int | None
    sent_today: int | None
    next_due_at: datetime | None
    retry_after_until: datetime | None
    wait_reason: str
    permissions: int
    sequences: list[str]


@dataclass(frozen=True, slots=True)
class Member:
    """A member. ``may_send_from``: mailboxes of others, by a permission. ``sequences``: theirs, without archived ones."""

    id: UUID
    organization_id: UUID
    organization: str
    name: str
    email: str
    role: str
    active: bool
    legal_entity: str
    mailboxes: list[str]
    may_send_from: list[str]
    sequences: list[str]


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization and its rules. ``sending``: its hours as stored, None: at any time."""

    id: UUID
    name: str
    time_zone: str
    sending: Json | None
    tenant: str
    recontact_days: int
    stop_scope: str
    away_days: int
    unread_hours: int
    members: int
    mailboxes: int
    connected: int
    active_sequences: int
    domains: list[str]


_SQL = SqlFile(__name__)
_ENROLLMENTS = _SQL.statement("enrollments", Enrollment)
_CANDIDATES = _SQL.statement("candidates", Candidate)
_CANDIDATES_BY_NAME = _SQL.statement("candidates_by_name", Candidate)
_CANDIDATE = _SQL.statement("candidate", WholeCandidate)
_PLACES = _SQL.statement("places", Place)
_MAILBOX = _SQL.statement("mailbox", Mailbox)
_MEMBER = _SQL.statement("member", Member)
_ORGANIZATION = _SQL.statement("organization", Organization)


def enrollments(
    tx: Transaction,
    *,
    organization_id: UUID | None = None,
    sequence_id: UUID | None = None,
    status: str | None = None,
    limit: int = 50,
) -> list[Enrollment]:
    """Return people in sequences who match all given filters, those who joined last first."""
    return _ENROLLMENTS.all(
        tx, organization_id=organization_id, sequence_id=sequence_id, status=status, limit=limit
    )


def candidates(
    tx: Transaction,
    *,
    organization_id: UUID | None = None,
    words: str = "",
    by_name: bool = False,
    limit: int = 50,
) -> list[Candidate]:
    """Return people, the newest first, or ``by_name``. ``words``: in their name, company or address."""
    wanted = _CANDIDATES_BY_NAME if by_name else _CANDIDATES
    return wanted.all(tx, organization_id=organization_id, words=words.strip(), limit=limit)


def candidate(tx: Transaction, candidate_id: UUID) -> WholeCandidate:
    """Return the person with this id."""
    return _CANDIDATE.one(tx, id=candidate_id)


def places(tx: Transaction, candidate_id: UUID) -> list[Place]:
    """Return the sequences that a person is or was in, the newest first."""
    return _PLACES.all(tx, id=candidate_id)


def mailbox(tx: Transaction, mailbox_id: UUID) -> Mailbox:
    """Return the mailbox with this id."""
    return _MAILBOX.one(tx, id=mailbox_id)


def member(tx: Transaction, member_id: UUID) -> Member:
    """Return the member with this id."""
    return _MEMBER.one(tx, id=member_id)


def organization(tx: Transaction, organization_id: UUID) -> Organization:
    """Return the organization with this id."""
    return _ORGANIZATION.one(tx, id=organization_id)
