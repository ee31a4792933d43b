"""Set a sequence back to draft, and find what keeps a draft from being activated."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.events import events
from db.withdrawing.withdrawals import Scope, close_lanes
from domain.completeness import Lack, StepText, lacks, wrong_fields
from domain.errors import NotFound, NotPermitted
from domain.event_payloads import SequenceSetBack

HELD = "sequence_not_active"  # why a draft's emails are held


class _Sequence(NamedTuple):
    organization_id: UUID
    mailbox_id: UUID
    name: str


class _Facts(NamedTuple):
    name: str
    fields: list[str]
    people: bool


class _Text(NamedTuple):
    sequence_id: UUID
    fields: list[str]
    subject: str | None
    body: str
    is_task: bool


_SQL = SqlFile(__name__)
_SEQUENCE = Statement("SELECT organization_id, mailbox_id, name FROM sequences WHERE id = :id", _Sequence)
_SET_BACK = _SQL.statement("set_back", int)
_STATUS = Statement("SELECT status FROM sequences WHERE id = :id", str)
_HOLD = Statement(
    "UPDATE deliveries SET held = true, reason = :reason WHERE sequence_id = :id AND state = 'pending'"
    " AND NOT held"
)
_END_PAUSES = Statement(
    "UPDATE pauses SET resumed_at = clock_timestamp() WHERE sequence_id = :id AND resumed_at IS NULL"
)
_FACTS = Statement(
    "SELECT s.name, s.fields, EXISTS (SELECT FROM enrollments e WHERE e.sequence_id = s.id) AS people"
    " FROM sequences s WHERE s.id = :id",
    _Facts,
)
_STEPS = Statement(
    "SELECT subject, body, kind = 'task' AS is_task FROM steps WHERE sequence_id = :id AND retired_at IS NULL"
    " ORDER BY position",
    StepText,
)
_TEXTS = Statement(
    "SELECT t.sequence_id, s.fields, t.subject, t.body, t.kind = 'task' AS is_task FROM steps t JOIN sequences s ON s.id = t.sequence_id"
    " WHERE s.id = ANY(:ids) AND t.retired_at IS NULL ORDER BY t.sequence_id, t.position",
    _Text,
)


def set_back(tx: Transaction, sequence_id: UUID, *, actor: str, reason: str, by_file: bool = False) -> Scope:
    """V1: from here on, no email of the sequence passes the gate. A file cannot restart what a person has set back.

    Raises ``NotFound``, ``NotPermitted`` (an archived sequence).
    """
    sequence = _SEQUENCE.one_or_none(tx, id=sequence_id)
    if sequence is None:
        raise NotFound("There is no such sequence.")
    now = close_lanes(tx, [sequence.mailbox_id])
    scope = Scope(sequence.organization_id, now, sequence_id=sequence_id)
    version = _SET_BACK.one_or_none(tx, id=sequence_id, by=None if by_file else actor)
    if version is None:
        status = _STATUS.one(tx, id=sequence_id)
        if status == "draft":
            return scope
        raise NotPermitted(f"{sequence.name} is {status}; only a running or paused sequence can be set back.")
    _HOLD.run(tx, id=sequence_id, reason=HELD)
    _END_PAUSES.run(tx, id=sequence_id)
    audit.write(
        tx,
        sequence.organization_id,
        actor,
        "sequence_set_back",
        f"sequence:{sequence_id}",
        {"reason": reason, "by_file": by_file},
    )
    payload = SequenceSetBack(
        sequence_id=sequence_id,
        sequence=sequence.name,
        actor=actor,
        recipient=events.recipient_for(tx, sequence_id),
    )
    cause = f"sequence_set_back:{sequence_id}:{version}"
    events.record(tx, sequence.organization_id, payload, cause, actor)
    return scope


def lacking(tx: Transaction, sequence_id: UUID, *, sender: Sequence[str]) -> list[Lack]:
    """Return what keeps a sequence from starting. ``sender``: why it cannot send (``db/access/authority.py``)."""
    facts = _FACTS.one(tx, id=sequence_id)
    return lacks(
        name=facts.name,
        steps=_steps(tx, sequence_id),
        fields=facts.fields,
        sender=sender,
        people=facts.people,
    )


def refused_texts(tx: Transaction, sequence_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Return template errors in the steps' texts, each with the correct spelling, by sequence; those without any are left out."""
    found: dict[UUID, list[str]] = {}
    for (key, fields), steps in groupby(
        _TEXTS.all(tx, ids=list(sequence_ids)), lambda each: (each.sequence_id, each.fields)
    ):
        wrong = wrong_fields([StepText(each.subject, each.body, each.is_task) for each in steps], fields)
        if wrong:
            found[key] = [each.what for each in wrong]
    return found


def _steps(tx: Transaction, sequence_id: UUID) -> list[StepText]:
    return _STEPS.all(tx, id=sequence_id)
