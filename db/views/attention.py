"""What needs a person's decision, sequence by sequence: emails in review, people blocked by an empty field, failed emails."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.core.session import Transaction

SHOWN = 50
BLOCKED = "missing_merge_field: "
# Over deliveries d, enrollments e: waits for a person. What a sequence's end has settled waits for nobody.
REVIEW = "d.state = 'review'"
FAILED = "d.state = 'closed' AND d.outcome = 'failed'"
BLOCK = f"e.status = 'paused' AND e.reason LIKE '{BLOCKED.strip(': ')}%'"
_PERSON = "coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email)"
_VALUES = (
    "c.fields || jsonb_build_object('first_name', c.first_name, 'last_name', c.last_name, 'company', c.company,"
    " 'title', c.title, 'location', c.location)"
)
_MINE = (
    "s.organization_id = :organization_id AND (CAST(:owner_id AS uuid) IS NULL OR s.owner_id = :owner_id)"
    " AND (CAST(:sequence_id AS uuid) IS NULL OR s.id = :sequence_id) AND s.status <> 'archived'"
)


@dataclass(frozen=True, slots=True)
class InReview:
    """Nobody knows whether this email left. ``settleable``: it passed our checks once, so that a receipt can be written."""

    delivery_id: UUID
    person: str
    email: str
    sequence_id: UUID
    sequence: str
    step: int
    sender: str
    sender_owner: str | None
    since: datetime | None
    settleable: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is blocked, or whose email failed. ``id``: of the enrollment, or of the delivery.

    ``value``: of the field that was empty, where it has been filled in since.
    """

    id: UUID
    name: str
    email: str
    value: str


@dataclass(frozen=True, slots=True)
class Group:
    """People of one sequence with one cause: an empty field, or a refusal. ``count``: of all of them, more than are listed."""

    sequence_id: UUID
    sequence: str
    status: str
    cause: str
    count: int
    people: Sequence[Person]


def count(tx: Transaction, organization_id: UUID, owner_id: UUID | None, *, most: int = 100) -> int:
    """How many decisions wait, up to ``most``: emails in review and groups of people with one cause."""
    values = {
        "organization_id": organization_id,
        "owner_id": owner_id,
        "sequence_id": None,
        "most": most,
    }
    found: int = tx.execute(
        text(
            "SELECT count(*) FROM ("
            f" (SELECT d.id::text AS one FROM deliveries d JOIN sequences s ON s.id = d.sequence_id"
            f"   WHERE d.organization_id = :organization_id AND {REVIEW} AND {_MINE} LIMIT :most)"
            f" UNION (SELECT s.id || e.reason FROM enrollments e JOIN sequences s ON s.id = e.sequence_id WHERE {BLOCK} AND {_MINE})"
            f" UNION (SELECT s.id || d.reason FROM deliveries d JOIN sequences s ON s.id = d.sequence_id WHERE {FAILED} AND {_MINE})"
            " ) waiting"
        ),
        values,
    ).scalar_one()
    return min(found, most)


def sequence_of_delivery(tx: Transaction, delivery_id: UUID) -> UUID | None:
    """Which sequence a delivery is of."""
    found: UUID | None = tx.execute(
        text("SELECT sequence_id FROM deliveries WHERE id = :id"), {"id": delivery_id}
    ).scalar_one_or_none()
    return found


def state_of_delivery(tx: Transaction, delivery_id: UUID) -> str:
    """Where a delivery is."""
    found: str = tx.execute(
        text("SELECT state FROM deliveries WHERE id = :id"), {"id": delivery_id}
    ).scalar_one()
    return found


def in_review(
    tx: Transaction, organization_id: UUID, owner_id: UUID | None, sequence_id: UUID | None = None
) -> list[InReview]:
    """Oldest first."""
    rows = tx.execute(
        text(
            f"SELECT d.id, {_PERSON}, c.email, s.id, s.name, t.position, b.address, h.name AS owner, d.send_started_at,"
            " d.authority IS NOT NULL FROM deliveries d JOIN sequences s ON s.id = d.sequence_id"
            " JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id"
            " JOIN steps t ON t.id = d.step_id JOIN mailboxes b ON b.id = d.mailbox_id LEFT JOIN members h ON h.id = b.owner_id"
            f" WHERE d.organization_id = :organization_id AND {REVIEW} AND {_MINE}"
            " ORDER BY d.send_started_at NULLS FIRST, d.id LIMIT :shown"
        ),
        {
            "organization_id": organization_id,
            "owner_id": owner_id,
            "sequence_id": sequence_id,
            "shown": SHOWN,
        },
    ).all()
    return [InReview(*row) for row in rows]


def blocked(
    tx: Transaction, organization_id: UUID, owner_id: UUID | None, sequence_id: UUID | None = None
) -> list[Group]:
    """People who wait because a field is empty: a group for each sequence and field. ``cause`` is the field."""
    found = _groups(tx, "enrollments e", "e.id", "e.reason", BLOCK, (organization_id, owner_id, sequence_id))
    return [replace(each, cause=each.cause.removeprefix(BLOCKED)) for each in found]


def failed(
    tx: Transaction, organization_id: UUID, owner_id: UUID | None, sequence_id: UUID | None = None
) -> list[Group]:
    """Emails that were refused for good: a group for each sequence and reason. ``cause`` is the reason's code."""
    source = "deliveries d JOIN enrollments e ON e.id = d.enrollment_id"
    return _groups(tx, source, "d.id", "d.reason", FAILED, (organization_id, owner_id, sequence_id))


def _groups(
    tx: Transaction,
    source: str,
    key: str,
    cause: str,
    condition: str,
    whose: tuple[UUID, UUID | None, UUID | None],
) -> list[Group]:
    rows = tx.execute(
        text(
            f"SELECT * FROM (SELECT s.id AS sequence_id, s.name AS sequence, s.status, {cause} AS cause, {key} AS id,"
            f" {_PERSON} AS name, c.email, {_VALUES} AS values, count(*) OVER same AS people,"
            " row_number() OVER (same ORDER BY lower(c.last_name), c.email) AS place"
            f" FROM {source} JOIN sequences s ON s.id = e.sequence_id JOIN candidates c ON c.id = e.candidate_id"
            f" WHERE {condition} AND {_MINE} WINDOW same AS (PARTITION BY s.id, {cause})) listed"
            " WHERE place <= :shown ORDER BY lower(sequence), sequence_id, cause, place LIMIT :most"
        ),
        {
            "organization_id": whose[0],
            "owner_id": whose[1],
            "sequence_id": whose[2],
            "shown": SHOWN,
            "most": 4 * SHOWN,
        },
    ).all()
    groups: dict[tuple[UUID, str], Group] = {}
    for row in rows:
        key_of = (row.sequence_id, row.cause)
        before = groups.get(key_of) or Group(
            row.sequence_id, row.sequence, row.status, row.cause, row.people, ()
        )
        value = row.values.get(row.cause.removeprefix(BLOCKED)) or ""
        person = Person(row.id, row.name, row.email, value)
        groups[key_of] = replace(before, people=[*before.people, person])
    return list(groups.values())
