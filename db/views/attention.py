"""What needs a person's decision, per sequence: emails in review, people blocked by an empty field, failed emails."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from domain import task
from domain.approval import WAITS
from domain.connection import TRACEABLE

SHOWN = 50
EXAMINED = 10_000  # people who are blocked, and failed emails, that counting reads at most
BLOCKED = "missing_merge_field: "
# Conditions over deliveries d and enrollments e that wait for a person. Archived sequences wait for nobody.
REVIEW = "d.state = 'review'"
FAILED = "d.state = 'closed' AND d.outcome = 'failed'"
APPROVAL = f"d.state = 'pending' AND d.held AND d.reason = '{WAITS}'"
# Of tasks that are due, with their sequence s and person c. Whoever answered or opted out has no open task any more.
TASK = (
    f"d.state = 'pending' AND d.held AND d.reason = '{task.WAITS}' AND d.due_at <= now() AND s.status = 'active'"
    " AND e.status = 'active' AND suppressed(e.organization_id, c.email) IS NULL"
)
BLOCK = f"e.status = 'paused' AND e.reason LIKE '{BLOCKED.strip(': ')}%'"


@dataclass(frozen=True, slots=True)
class InReview:
    """An email that may or may not have left. ``settleable``: it passed the gate once, so we can write a receipt."""

    delivery_id: UUID
    person: str
    email: str
    sequence_id: UUID
    sequence: str
    step: int
    sender: str
    provider: str
    sender_owner: str | None
    since: datetime | None
    settleable: bool

    @property
    def searchable(self) -> bool:
        """Would its mailbox have a copy?"""
        return self.provider in TRACEABLE


class ToApprove(NamedTuple):
    """Emails of one sequence that wait for an approval. ``since``: when the first of them came due."""

    sequence_id: UUID
    sequence: str
    status: str
    emails: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Unsure:
    """A message that holds a person. ``kind``: opt_out (proposed, by ``words``) or unclear, ``until`` when it holds."""

    id: UUID
    kind: str
    words: str
    subject: str
    why: str
    received_at: datetime
    candidate_id: UUID
    person: str
    sequence_id: UUID
    sequence: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Person:
    """A person who is blocked or whose email failed. ``id``: of the enrollment, or of the delivery.

    ``value``: the field that was empty, if somebody has filled it in since.
    """

    id: UUID
    name: str
    email: str
    value: str


@dataclass(frozen=True, slots=True)
class Group:
    """People of one sequence with the same cause: an empty field or a refusal. ``count``: all of them, not only those listed."""

    sequence_id: UUID
    sequence: str
    status: str
    cause: str
    count: int
    people: Sequence[Person]


class _Listed(NamedTuple):
    sequence_id: UUID
    sequence: str
    status: str
    cause: str
    id: UUID
    name: str
    email: str
    values: dict[str, str]
    people: int


_SQL = SqlFile(__name__)
_COUNT = _SQL.statement("count", int, review=REVIEW, approval=APPROVAL, task=TASK, block=BLOCK, failed=FAILED)
_MESSAGES = _SQL.statement("messages", Unsure)
_SEQUENCE_OF_DELIVERY = Statement("SELECT sequence_id FROM deliveries WHERE id = :id", UUID)
_STATE_OF_DELIVERY = Statement("SELECT state FROM deliveries WHERE id = :id", str)
_IN_REVIEW = _SQL.statement("in_review", InReview, review=REVIEW)
_APPROVALS = _SQL.statement("approvals", ToApprove, approval=APPROVAL)
_BLOCKED = _SQL.statement("blocked", _Listed, block=BLOCK)
_FAILED = _SQL.statement("failed", _Listed, failed=FAILED)


def count(tx: Transaction, organization_id: UUID, owner_id: UUID | None, *, most: int = 100) -> int:
    """Count open decisions, up to ``most``: emails in review, sequences with emails to approve, tasks that are due, groups of people
    with the same cause, messages that nobody can tell, and what the owner is asked for: permissions and hand-overs.

    Each open page asks every two seconds: of more than ``EXAMINED`` people or emails, groups can be missing.
    """
    found = _COUNT.one(
        tx,
        organization_id=organization_id,
        owner_id=owner_id,
        sequence_id=None,
        most=most,
        examined=EXAMINED,
    )
    return min(found, most)


def sequence_of_delivery(tx: Transaction, delivery_id: UUID) -> UUID | None:
    """Return the sequence of a delivery."""
    return _SEQUENCE_OF_DELIVERY.one_or_none(tx, id=delivery_id)


def state_of_delivery(tx: Transaction, delivery_id: UUID) -> str:
    """Return the state of a delivery."""
    return _STATE_OF_DELIVERY.one(tx, id=delivery_id)


def in_review(
    tx: Transaction, organization_id: UUID, owner_id: UUID | None, sequence_id: UUID | None = None
) -> list[InReview]:
    """List emails in review, oldest first."""
    return _IN_REVIEW.all(
        tx, organization_id=organization_id, owner_id=owner_id, sequence_id=sequence_id, shown=SHOWN
    )


def unsure(
    tx: Transaction, organization_id: UUID, owner_id: UUID | None, sequence_id: UUID | None = None
) -> list[Unsure]:
    """List messages that hold a person until somebody says what they are, oldest first."""
    return _MESSAGES.all(
        tx, organization_id=organization_id, owner_id=owner_id, sequence_id=sequence_id, shown=SHOWN
    )


def to_approve(
    tx: Transaction, organization_id: UUID, owner_id: UUID | None, sequence_id: UUID | None = None
) -> list[ToApprove]:
    """Count emails that wait for an approval, by sequence; those that wait longest first."""
    return _APPROVALS.all(tx, **_page(organization_id, owner_id, sequence_id), examined=EXAMINED)


def blocked(
    tx: Transaction, organization_id: UUID, owner_id: UUID | None, sequence_id: UUID | None = None
) -> list[Group]:
    """People who wait because a field is empty, grouped by sequence and field. ``cause`` is the field."""
    found = _groups(_BLOCKED.all(tx, **_page(organization_id, owner_id, sequence_id)))
    return [replace(each, cause=each.cause.removeprefix(BLOCKED)) for each in found]


def failed(
    tx: Transaction, organization_id: UUID, owner_id: UUID | None, sequence_id: UUID | None = None
) -> list[Group]:
    """Emails refused permanently, grouped by sequence and reason. ``cause`` is the reason's code."""
    return _groups(_FAILED.all(tx, **_page(organization_id, owner_id, sequence_id)))


def _page(organization_id: UUID, owner_id: UUID | None, sequence_id: UUID | None) -> dict[str, object]:
    return {
        "organization_id": organization_id,
        "owner_id": owner_id,
        "sequence_id": sequence_id,
        "shown": SHOWN,
        "most": 4 * SHOWN,
    }


def _groups(rows: Sequence[_Listed]) -> list[Group]:
    groups: dict[tuple[UUID, str], Group] = {}
    for row in rows:
        key = (row.sequence_id, row.cause)
        before = groups.get(key) or Group(
            row.sequence_id, row.sequence, row.status, row.cause, row.people, ()
        )
        value = row.values.get(row.cause.removeprefix(BLOCKED)) or ""
        person = Person(row.id, row.name, row.email, value)
        groups[key] = replace(before, people=[*before.people, person])
    return list(groups.values())
