"""Withdrawals as they were answered, to be read again. Whoever withdraws the same thing twice reads one result."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.withdrawing.impact import Touched
from db.withdrawing.withdrawals import Scope
from domain.errors import NotFound
from domain.withdrawal import Action, WithdrawalResult

# What an action is about, as the audit trail calls it.
KINDS = {
    Action.END_GRANT: "grant",
    Action.REMOVE_MAILBOX: "mailbox",
    Action.DISABLE_MAILBOX: "mailbox",
    Action.DEACTIVATE_MEMBER: "member",
    Action.PAUSE_SEQUENCE: "sequence",
    Action.ARCHIVE_SEQUENCE: "sequence",
    Action.SET_BACK_SEQUENCE: "sequence",
    Action.CHANGE_SEQUENCE: "sequence",
    Action.END_ENROLLMENT: "enrollment",
    Action.SUPPRESS_CANDIDATE: "candidate",
}


def begin(tx: Transaction, scope: Scope, action: Action, subject_id: UUID, *, actor: str) -> UUID:
    """Note the withdrawal in the transaction that closes its gate; the one on record if this cause is known."""
    row: UUID = tx.execute(
        text(
            "INSERT INTO withdrawals (id, organization_id, cause_key, action, subject_id, actor)"
            " VALUES (:id, :organization_id, :cause_key, :action, :subject_id, :actor)"
            " ON CONFLICT (organization_id, cause_key) DO UPDATE SET action = excluded.action RETURNING id"
        ),
        {
            "id": new_id(),
            "organization_id": scope.organization_id,
            "cause_key": f"{action}:{subject_id}:{scope.cause or new_id()}",
            "action": action.value,
            "subject_id": subject_id,
            "actor": actor,
        },
    ).scalar_one()
    return row


def finish(tx: Transaction, answer: WithdrawalResult, touched: Sequence[Touched]) -> None:
    """Keep the answer. The first one stays: a repetition finds the same emails stopped, and none newly sent."""
    tx.execute(
        text(
            "UPDATE withdrawals SET answered_at = clock_timestamp(), stopped = :stopped, already_sent = :already_sent,"
            " last_sent_at = :last_sent_at, in_doubt = :in_doubt, touched = CAST(:touched AS jsonb)"
            " WHERE id = :id AND answered_at IS NULL"
        ),
        {
            "id": answer.withdrawal_id,
            "stopped": answer.stopped,
            "already_sent": answer.already_sent,
            "last_sent_at": answer.last_left_at,
            "in_doubt": list(answer.in_doubt),
            "touched": dump_json(
                [
                    {"id": each.id, "name": each.name, "owner_id": each.owner_id, "emails": each.emails}
                    for each in touched
                ]
            ),
        },
    )


@dataclass(frozen=True, slots=True)
class Doubt:
    """An email that was on its way when the gate closed, and what is known of it now. ``sent_at``: it did leave."""

    person: str
    sequence: str
    state: str
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Result:
    """A withdrawal as it stands now. ``answered_at`` None: it waits for emails on their way.

    ``touched``: [{id, name, owner_id, emails}]. ``doubts``: those that were in doubt when it answered.
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
        """How many emails are in doubt still."""
        return sum(each.state in ("sending", "in_doubt", "review") for each in self.doubts)


# What the subject is called, from which address it sends, and whom it concerns by itself.
_SUBJECTS = {
    "grant": (
        "SELECT coalesce(p.name, 'everyone') AS name, b.address, ARRAY[g.mailbox_owner_id, g.grantee_id] AS concerned FROM grants g"
        " JOIN mailboxes b ON b.id = g.mailbox_id LEFT JOIN members p ON p.id = g.grantee_id WHERE g.id = :id"
    ),
    "mailbox": (
        "SELECT b.address AS name, b.address, ARRAY[b.owner_id] AS concerned FROM mailboxes b WHERE b.id = :id"
    ),
    "member": "SELECT name, email AS address, ARRAY[]::uuid[] AS concerned FROM members WHERE id = :id",
    "sequence": (
        "SELECT s.name, b.address, ARRAY[s.owner_id] AS concerned FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id"
        " WHERE s.id = :id"
    ),
    "enrollment": (
        "SELECT trim(c.first_name || ' ' || c.last_name) AS name, c.email AS address, ARRAY[s.owner_id] AS concerned"
        " FROM enrollments e JOIN candidates c ON c.id = e.candidate_id JOIN sequences s ON s.id = e.sequence_id WHERE e.id = :id"
    ),
    "candidate": (
        "SELECT trim(first_name || ' ' || last_name) AS name, email AS address, ARRAY[]::uuid[] AS concerned"
        " FROM candidates WHERE id = :id"
    ),
}


def load(tx: Transaction, withdrawal_id: UUID, organization_id: UUID) -> Result:
    """One of the organization's. Raises ``NotFound``."""
    row = tx.execute(
        text("SELECT * FROM withdrawals WHERE id = :id AND organization_id = :organization_id"),
        {"id": withdrawal_id, "organization_id": organization_id},
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such result.")
    action = Action(row.action)
    subject = tx.execute(text(_SUBJECTS[KINDS[action]]), {"id": row.subject_id}).one_or_none()
    doubts = tx.execute(
        text(
            "SELECT coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) AS person, s.name, d.state, d.sent_at"
            " FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id"
            " JOIN sequences s ON s.id = d.sequence_id WHERE d.id = ANY(:ids) ORDER BY 1"
        ),
        {"ids": row.in_doubt},
    ).all()
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
        [Doubt(*each) for each in doubts],
        "" if subject is None else subject.name or subject.address,
        "" if subject is None else subject.address,
        frozenset(concerned),
    )


def of_grant(tx: Transaction, grant_id: UUID) -> UUID | None:
    """The result of the withdrawal that ended a permission, if it was ended by one."""
    found: UUID | None = tx.execute(
        text("SELECT id FROM withdrawals WHERE action = :action AND subject_id = :id ORDER BY id LIMIT 1"),
        {"action": Action.END_GRANT.value, "id": grant_id},
    ).scalar_one_or_none()
    return found
