"""Stored results of withdrawals. Repeating a withdrawal returns the same result."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.withdrawing.impact import Touched
from db.withdrawing.withdrawals import Scope
from domain.errors import NotFound
from domain.withdrawal import Action, WithdrawalResult

# The kind of an action's subject, as the audit trail names it.
KINDS = {
    Action.END_GRANT: "grant",
    Action.REMOVE_MAILBOX: "mailbox",
    Action.DISABLE_MAILBOX: "mailbox",
    Action.DISCONNECT_TENANT: "organization",
    Action.DEACTIVATE_MEMBER: "member",
    Action.PAUSE_SEQUENCE: "sequence",
    Action.ARCHIVE_SEQUENCE: "sequence",
    Action.SET_BACK_SEQUENCE: "sequence",
    Action.CHANGE_SEQUENCE: "sequence",
    Action.HAND_OVER_SEQUENCE: "sequence",
    Action.HAND_OVER_MEMBER: "member",
    Action.CHANGE_SENDERS: "member",
    Action.END_ENROLLMENT: "enrollment",
    Action.STOP_PERSON: "candidate",
    Action.SUPPRESS_CANDIDATE: "candidate",
    Action.SUPPRESS_ENTRIES: "organization",
    Action.HOLD_MAILBOX: "mailbox",
    Action.HOLD_ORGANIZATION: "organization",
}


@dataclass(frozen=True, slots=True)
class Doubt:
    """An email that was in flight when the gate closed, and what we know of it now. ``sent_at``: it did leave."""

    person: str
    sequence: str
    state: str
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Result:
    """A withdrawal's current result. ``answered_at`` None: it waits for emails in flight.

    ``touched``: [{id, name, owner_id, emails}]. ``doubts``: the emails that were in doubt when it answered.
    """

    id: UUID
    action: Action
    subject_id: UUID
    actor: str
    created_at: datetime
    answered_at: datetime | None
    stopped: int
    already_sent: int
    last_sent_at: datetime | None
    touched: Sequence[dict[str, Any]]
    doubts: Sequence[Doubt]
    name: str
    address: str
    concerned: frozenset[UUID]

    @property
    def open(self) -> int:
        """The number of emails still in doubt."""
        return sum(each.state in ("sending", "in_doubt", "review") for each in self.doubts)


class _Withdrawal(NamedTuple):
    id: UUID
    action: str
    subject_id: UUID
    actor: str
    created_at: datetime
    answered_at: datetime | None
    stopped: int | None
    already_sent: int | None
    last_sent_at: datetime | None
    in_doubt: list[UUID]
    touched: list[dict[str, Any]]


class _Subject(NamedTuple):
    name: str
    address: str
    concerned: list[UUID | None]


_SQL = SqlFile(__name__)
_BEGIN, _FINISH = _SQL.statement("begin", UUID), _SQL.statement("finish")
_LOAD = Statement(
    "SELECT * FROM withdrawals WHERE id = :id"
    " AND (CAST(:organization_id AS uuid) IS NULL OR organization_id = :organization_id)",
    _Withdrawal,
)
_SUBJECTS = {
    "grant": _SQL.statement("of_grant", _Subject),
    "mailbox": _SQL.statement("of_mailbox", _Subject),
    "member": _SQL.statement("of_member", _Subject),
    "sequence": _SQL.statement("of_sequence", _Subject),
    "enrollment": _SQL.statement("of_enrollment", _Subject),
    "candidate": _SQL.statement("of_candidate", _Subject),
    "organization": _SQL.statement("of_organization", _Subject),
}
_DOUBTS = _SQL.statement("doubts", Doubt)
_OF_GRANT = Statement(
    "SELECT id FROM withdrawals WHERE action = :action AND subject_id = :id ORDER BY id LIMIT 1", UUID
)


def begin(tx: Transaction, scope: Scope, action: Action, subject_id: UUID, *, actor: str) -> UUID:
    """Record the withdrawal in the transaction that closes its gate; returns it, or the one on record for this cause."""
    return _BEGIN.one(
        tx,
        id=new_id(),
        organization_id=scope.organization_id,
        cause_key=f"{action}:{subject_id}:{scope.cause or new_id()}",
        action=action.value,
        subject_id=subject_id,
        actor=actor,
    )


def finish(tx: Transaction, answer: WithdrawalResult, touched: Sequence[Touched]) -> None:
    """Store the result. The first one stays: a repetition would find the same emails stopped, and none newly sent."""
    _FINISH.run(
        tx,
        id=answer.withdrawal_id,
        stopped=answer.stopped,
        already_sent=answer.already_sent,
        last_sent_at=answer.last_left_at,
        in_doubt=list(answer.in_doubt),
        touched=dump_json(
            [
                {"id": each.id, "name": each.name, "owner_id": each.owner_id, "emails": each.emails}
                for each in touched
            ]
        ),
    )


def load(tx: Transaction, withdrawal_id: UUID, organization_id: UUID | None) -> Result:
    """Return one of the organization's withdrawals; None: of any, for operators. Raises ``NotFound``."""
    row = _LOAD.one_or_none(tx, id=withdrawal_id, organization_id=organization_id)
    if row is None:
        raise NotFound("There is no such result.")
    action = Action(row.action)
    subject = _SUBJECTS[KINDS[action]].one_or_none(tx, id=row.subject_id)
    doubts = _DOUBTS.all(tx, ids=row.in_doubt)
    concerned = {UUID(each["owner_id"]) for each in row.touched}
    if subject is not None:
        concerned |= {each for each in subject.concerned if each is not None}
    return Result(
        row.id,
        action,
        row.subject_id,
        row.actor,
        row.created_at,
        row.answered_at,
        row.stopped or 0,
        row.already_sent or 0,
        row.last_sent_at,
        row.touched,
        doubts,
        "" if subject is None else subject.name or subject.address,
        "" if subject is None else subject.address,
        frozenset(concerned),
    )


def of_grant(tx: Transaction, grant_id: UUID) -> UUID | None:
    """Return the withdrawal that ended a grant, or None."""
    return _OF_GRANT.one_or_none(tx, action=Action.END_GRANT.value, id=grant_id)
