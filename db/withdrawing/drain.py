"""V2's questions: what of a scope is past the gate, what will not leave, what has left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.access.authority import authorized
from db.core.session import Transaction
from db.withdrawing.withdrawals import Scope
from domain.delivery import GRACE


def in_scope(besides: str = "true") -> str:
    """From where, and under which conditions, a scope's deliveries ``d`` come. ``besides``: which grants ``g`` count."""
    return f"""
FROM deliveries d JOIN sequences s ON s.id = d.sequence_id JOIN enrollments e ON e.id = d.enrollment_id
JOIN mailboxes b ON b.id = d.mailbox_id
WHERE d.organization_id = :organization_id
  AND (:any_mailbox OR d.mailbox_id = ANY(CAST(:mailbox_ids AS uuid[])))
  AND (CAST(:sequence_owner AS uuid) IS NULL OR s.owner_id = :sequence_owner)
  AND (CAST(:sequence_id AS uuid) IS NULL OR d.sequence_id = :sequence_id)
  AND (CAST(:enrollment_id AS uuid) IS NULL OR d.enrollment_id = :enrollment_id)
  AND (CAST(:candidate_id AS uuid) IS NULL OR e.candidate_id = :candidate_id)
  AND (CAST(:only_sequences AS uuid[]) IS NULL OR d.sequence_id = ANY(CAST(:only_sequences AS uuid[])))
  AND (NOT :only_unauthorized OR (s.owner_id <> b.owner_id AND NOT {authorized(besides)}))
"""


# What will not leave: by a withdrawal of the scope, and in the preview of one.
STOPPED = (
    "(d.state IN ('pending', 'queued', 'preparing', 'drafted')"
    " OR (d.state = 'closed' AND d.outcome = 'cancelled' AND d.reason = :cancels))"
)
_IN_SCOPE = in_scope()


def parameters(scope: Scope) -> dict[str, object]:
    """The values of a scope's conditions."""
    return {
        "organization_id": scope.organization_id,
        # A scope without mailboxes covers all; one of an owner's mailboxes may be empty and then covers none.
        "any_mailbox": not scope.mailbox_ids
        and any((scope.sequence_id, scope.enrollment_id, scope.candidate_id)),
        "mailbox_ids": list(scope.mailbox_ids),
        "sequence_owner": scope.sequence_owner,
        "sequence_id": scope.sequence_id,
        "enrollment_id": scope.enrollment_id,
        "candidate_id": scope.candidate_id,
        "only_unauthorized": scope.only_unauthorized,
        "only_sequences": None if scope.only_sequences is None else list(scope.only_sequences),
        "closed_at": scope.closed_at,
        "cancels": scope.cancels,
    }


@dataclass(frozen=True, slots=True)
class InFlight:
    """A delivery that had passed the gate before it closed and whose end is not known yet."""

    delivery_id: UUID
    mailbox_id: UUID
    state: str
    draft_id: str
    provider: str
    correlation_id: str


def in_flight(tx: Transaction, scope: Scope) -> list[InFlight]:
    """Deliveries of the scope that are sending or in doubt since before the gate closed."""
    rows = tx.execute(
        text(
            f"SELECT d.id, d.mailbox_id, d.state, d.draft_id, b.provider, d.correlation_id {_IN_SCOPE}"
            " AND d.state IN ('sending', 'in_doubt') AND d.send_started_at <= :closed_at ORDER BY d.id"
        ),
        parameters(scope),
    ).all()
    return [InFlight(*row) for row in rows]


def one(tx: Transaction, organization_id: UUID, delivery_id: UUID) -> InFlight | None:
    """One of an organization's deliveries that has a draft."""
    row = tx.execute(
        text(
            "SELECT d.id, d.mailbox_id, d.state, d.draft_id, b.provider, d.correlation_id FROM deliveries d"
            " JOIN mailboxes b ON b.id = d.mailbox_id WHERE d.id = :id AND d.organization_id = :organization_id"
            " AND d.draft_id IS NOT NULL"
        ),
        {"id": delivery_id, "organization_id": organization_id},
    ).one_or_none()
    return None if row is None else InFlight(*row)


def asked_about_lately(tx: Transaction, scope: Scope) -> list[UUID]:
    """Deliveries of the scope that a person has to settle and that may still be on their way.

    Who cannot look it up (SMTP) asks a person at once, while what was submitted may yet arrive over a connection that seemed lost.
    """
    rows = tx.execute(
        text(f"SELECT d.id {_IN_SCOPE} AND d.state = 'review' AND d.send_started_at > :closed_at - :grace"),
        {**parameters(scope), "grace": GRACE},
    )
    return list(rows.scalars())


def drafts_left(tx: Transaction, scope: Scope, limit: int = 200) -> list[InFlight]:
    """Certainly unsent drafts of the scope that still lie in mailboxes."""
    rows = tx.execute(
        text(
            f"SELECT d.id, d.mailbox_id, d.state, d.draft_id, b.provider, d.correlation_id {_IN_SCOPE}"
            " AND d.state IN ('pending', 'queued', 'preparing', 'drafted') AND d.draft_id IS NOT NULL"
            " ORDER BY d.id LIMIT :limit"
        ),
        {**parameters(scope), "limit": limit},
    ).all()
    return [InFlight(*row) for row in rows]


def mark_recalled(tx: Transaction, each: InFlight) -> bool:
    """Note, before its draft is removed, that it is: from here an answer to its submission is doubt. False: it is settled.

    A doubt goes on for another minute at least, so that the removal has arrived before anybody trusts what still lies there.
    """
    row = tx.execute(
        text(
            "UPDATE deliveries SET recalled_draft = draft_id,"
            " grace_until = CASE WHEN state = 'in_doubt' THEN greatest(grace_until, clock_timestamp() + interval '1 minute')"
            "   ELSE grace_until END"
            " WHERE id = :id AND draft_id = :draft_id AND state NOT IN ('sent', 'closed', 'review') RETURNING id"
        ),
        {"id": each.delivery_id, "draft_id": each.draft_id},
    ).one_or_none()
    return row is not None


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of a scope after its drain."""

    stopped: int
    already_sent: int
    last_left_at: datetime | None


def count(tx: Transaction, scope: Scope) -> Counts:
    """What of the scope will not leave, and what has left."""
    row = tx.execute(
        text(
            f"SELECT count(*) FILTER (WHERE {STOPPED}) AS stopped,"
            " count(*) FILTER (WHERE d.state = 'sent') AS already_sent,"
            f" max(d.sent_at) AS last_left_at {_IN_SCOPE}"
        ),
        parameters(scope),
    ).one()
    return Counts(row.stopped, row.already_sent, row.last_left_at)


def states_of(tx: Transaction, delivery_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The present states of some deliveries."""
    rows = tx.execute(
        text("SELECT id, state FROM deliveries WHERE id = ANY(:ids)"),
        {"ids": list(delivery_ids)},
    )
    return {row.id: row.state for row in rows}
