"""What an email would say now to somebody in a sequence, and what stands between them and it."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.sending.content import Content, content_of


class _Content(NamedTuple):
    step_id: UUID
    position: int
    version: int
    subject: str | None
    body: str
    extra_fields: list[str]
    sender_name: str
    sender: str
    signature: str
    signature_version: int
    with_signature: bool
    opt_out_line: str | None
    handed_over: dict[str, str] | None
    thread_subject: str | None
    sender_changed: bool
    email: str
    first_name: str
    last_name: str
    company: str
    title: str
    location: str
    fields: dict[str, Any]


class StepOnTheWay(NamedTuple):
    """A step as one person meets it. What is of the email is None if it is not planned yet."""

    step_id: UUID
    position: int
    kind: str
    delay: str
    delivery_id: UUID | None
    state: str | None
    outcome: str | None
    held: bool | None
    reason: str | None
    due_at: datetime | None
    sent_at: datetime | None


class Standing(NamedTuple):
    """Whom the preview is about, and what keeps emails from them. ``away_until``, ``unclear_until``: only while they hold."""

    id: UUID
    name: str
    candidate_id: UUID
    status: str
    reason: str | None
    suppressed: str | None
    away_until: datetime | None
    unclear_until: datetime | None


class Around(NamedTuple):
    """Who joined the sequence before and after somebody."""

    before: UUID | None
    after: UUID | None


class _Myself(NamedTuple):
    email: str
    name: str


_SQL = SqlFile(__name__)
_AS_CANDIDATE = _SQL.statement("as_candidate", _Content)
_AROUND, _ENROLLMENT_OF = _SQL.statement("around", Around), _SQL.statement("enrollment_of", UUID)
_AS_PERSON, _AS_MEMBER = _SQL.statement("as_person", _Content), _SQL.statement("as_member", _Content)
_WAY, _STANDING = _SQL.statement("way", StepOnTheWay), _SQL.statement("standing", Standing)

_IS_TASK = Statement("SELECT kind = 'task' FROM steps WHERE id = :id", bool)
_ADDRESS_OF = Statement(
    "SELECT email, name FROM members WHERE id = :id AND organization_id = :organization_id AND active",
    _Myself,
)


def content(
    tx: Transaction,
    sequence_id: UUID,
    step_id: UUID | None,
    *,
    enrollment_id: UUID | None,
    member_id: UUID,
    candidate_id: UUID | None = None,
    position: int = 0,
) -> Content | None:
    """Return what a step's email would consist of for this person: somebody in the sequence (``enrollment_id``), somebody who is not
    (``candidate_id``) or, without either, as if the member were the person. ``step_id`` None: of one that is being written, at
    ``position``.
    """
    values = {"step": step_id, "sequence": sequence_id, "position": position}
    if enrollment_id is not None:
        row = _AS_PERSON.one_or_none(tx, enrollment=enrollment_id, **values)
    elif candidate_id is not None:
        row = _AS_CANDIDATE.one_or_none(tx, candidate=candidate_id, **values)
    else:
        row = _AS_MEMBER.one_or_none(tx, member=member_id, **values)
    return None if row is None else content_of(row, row.opt_out_line, row.handed_over)


def way(tx: Transaction, sequence_id: UUID, enrollment_id: UUID | None) -> list[StepOnTheWay]:
    """Return the steps in order, with what became of each for this person."""
    return _WAY.all(tx, sequence=sequence_id, enrollment=enrollment_id)


def is_task(tx: Transaction, step_id: UUID) -> bool:
    """Does a step send nothing?"""
    return _IS_TASK.one(tx, id=step_id)


def standing(tx: Transaction, sequence_id: UUID, enrollment_id: UUID) -> Standing | None:
    """Return where a person stands in the sequence, or None if they are not in it."""
    return _STANDING.one_or_none(tx, sequence=sequence_id, enrollment=enrollment_id)


def around(tx: Transaction, sequence_id: UUID, enrollment_id: UUID) -> Around:
    """Return whom to look at before and after this person."""
    return _AROUND.one(tx, sequence=sequence_id, enrollment=enrollment_id)


def enrollment_of(tx: Transaction, sequence_id: UUID, candidate_id: UUID) -> UUID | None:
    """Return the person's enrollment in the sequence, or None."""
    return _ENROLLMENT_OF.one_or_none(tx, sequence=sequence_id, candidate=candidate_id)


def address_of(tx: Transaction, organization_id: UUID, member_id: UUID) -> _Myself | None:
    """Return an active member's address and name, or None."""
    return _ADDRESS_OF.one_or_none(tx, id=member_id, organization_id=organization_id)
