"""One planned email, as people change it: its time, its text, or not at all.

Whoever changes it holds its lane, as the gate does: it either changes before a worker takes it, or it is refused.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile
from db.sending.by_hand import KIND, ContentRow
from db.sending.enrollments import lock_lane_of, windows_of
from domain.approval import StepKind
from domain.changes import CHANGEABLE, Following, Plan
from domain.errors import NotFound


class Email(NamedTuple):
    """A planned email, and what decides whether it can be changed. ``following``: [position, delay] of each later step."""

    id: UUID
    organization_id: UUID
    enrollment_id: UUID
    candidate_id: UUID
    sequence_id: UUID
    step_id: UUID
    mailbox_id: UUID
    state: str
    outcome: str | None
    reason: str | None
    held: bool
    due_at: datetime
    not_before: datetime | None
    submitted: bool
    own_subject: str | None
    own_body: str | None
    step_subject: str | None
    step_body: str
    position: int
    step_kind: str
    sequence: str
    kind: str
    owner_id: UUID
    sequence_status: str
    enrollment_status: str
    enrollment_reason: str | None
    now: datetime
    sending: Json | None
    organization_sending: Json | None
    time_zone: str
    mailbox_sending: Json | None
    person: str
    suppressed: str | None
    sender: str
    following: list[list[object]]

    @property
    def by_hand(self) -> bool:
        """Did somebody write it, to this person alone?"""
        return self.kind == KIND

    @property
    def is_task(self) -> bool:
        """Does somebody do it by hand, and nothing leaves?"""
        return self.step_kind == StepKind.TASK

    @property
    def waits(self) -> bool:
        """Does it wait for a decision instead of its time?"""
        return self.held or self.sequence_status != "active" or self.enrollment_status != "active"

    @property
    def subject(self) -> str | None:
        """As it would leave, with merge fields; None: it answers in its thread."""
        return self.step_subject if self.own_subject is None else self.own_subject

    @property
    def body(self) -> str:
        """As it would leave, with merge fields."""
        return self.step_body if self.own_body is None else self.own_body

    @property
    def plan(self) -> Plan:
        """What ``domain.changes`` decides by."""
        return Plan(
            self.now,
            self.position,
            self.due_at,
            self.not_before,
            held=self.waits,
            by_hand=self.by_hand,
            following=[]
            if self.by_hand
            else [Following(int(str(at)), str(delay)) for at, delay in self.following],
            windows=windows_of(self.sending, self.organization_sending, self.mailbox_sending),
            zone=self.time_zone,
        )


_SQL = SqlFile(__name__)
_WAITS = _SQL.fragment("waits", changeable=f"state IN ({', '.join(repr(each.value) for each in CHANGEABLE)})")
_EMAIL, _LOCK = _SQL.statement("email", Email), _SQL.statement("lock", int)
_PLAN, _SAY = _SQL.statement("plan", waits=_WAITS), _SQL.statement("say", waits=_WAITS)
_CONTENT = _SQL.statement("content", ContentRow)


def email(tx: Transaction, delivery_id: UUID, *, lock: bool = False) -> Email:
    """Return an email. ``lock``: hold its lane, and then it. Raises ``NotFound``."""
    if lock:
        lock_lane_of(tx, delivery_id)
        _LOCK.one_or_none(tx, id=delivery_id)
    found = _EMAIL.one_or_none(tx, id=delivery_id)
    if found is None:
        raise NotFound("There is no such email.")
    return found


def plan(tx: Transaction, delivery_id: UUID, due_at: datetime, not_before: datetime | None) -> None:
    """Give an email that waits another time, and its lane work then. The caller holds the lane and has checked it."""
    _PLAN.run(tx, id=delivery_id, due_at=due_at, not_before=not_before)


def say(tx: Transaction, delivery_id: UUID, subject: str | None, body: str | None) -> None:
    """Give an email that waits a text of its own; ``body`` None: it says what its step says. The caller holds the lane."""
    _SAY.run(tx, id=delivery_id, subject=subject, body=body)


def content(tx: Transaction, delivery_id: UUID) -> ContentRow:
    """Return what the email consists of now, as ``content.content_of`` reads it."""
    return _CONTENT.one(tx, id=delivery_id)
