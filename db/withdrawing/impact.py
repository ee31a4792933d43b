"""What a withdrawal stops, sequence by sequence: asked before it, answered after it, in the same words of SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.core.session import Transaction, database_now
from db.withdrawing.drain import STOPPED, in_scope, parameters
from db.withdrawing.withdrawals import Scope


@dataclass(frozen=True, slots=True)
class Touched:
    """A sequence, and how many emails of it a withdrawal stops. ``status``: a paused one stands already."""

    id: UUID
    name: str
    owner_id: UUID
    owner: str
    status: str
    emails: int
    next_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Impact:
    """What a withdrawal would stop now."""

    sequences: Sequence[Touched]

    @property
    def emails(self) -> int:
        """Of all of them; one for each person who waits."""
        return sum(each.emails for each in self.sequences)

    @property
    def next_due_at(self) -> datetime | None:
        """When the first of them would leave."""
        return min((each.next_due_at for each in self.sequences if each.next_due_at), default=None)


def touched(tx: Transaction, scope: Scope, *, without: UUID | None = None) -> list[Touched]:
    """The sequences of a scope with emails that it stops. ``without``: as if this grant had ended."""
    rows = tx.execute(
        text(
            "SELECT s.id, s.name, s.owner_id, w.name AS owner, s.status, count(*),"
            " min(d.due_at) FILTER (WHERE d.state = 'pending' AND NOT d.held AND s.status = 'active')"
            f" {in_scope('g.id IS DISTINCT FROM :without').replace('WHERE', 'JOIN members w ON w.id = s.owner_id WHERE', 1)}"
            f" AND {STOPPED} GROUP BY s.id, w.name ORDER BY lower(s.name), s.id"
        ),
        {**parameters(scope), "without": without},
    ).all()
    return [Touched(*row) for row in rows]


def of_removal(tx: Transaction, mailbox_id: UUID) -> Impact:
    """What disconnecting a mailbox would stop."""
    organization_id: UUID = tx.execute(
        text("SELECT organization_id FROM mailboxes WHERE id = :id"), {"id": mailbox_id}
    ).scalar_one()
    return Impact(touched(tx, Scope(organization_id, database_now(tx), mailbox_ids=[mailbox_id])))


def of_disabling(tx: Transaction, mailbox_id: UUID) -> Impact:
    """What taking a mailbox out of use would stop: a company's own sequences go on from another address."""
    found = of_removal(tx, mailbox_id)
    moving = set(
        tx.execute(
            text(
                "SELECT s.id FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id"
                " WHERE b.id = :id AND b.owner_id IS NULL AND s.uses_sender_address"
            ),
            {"id": mailbox_id},
        ).scalars()
    )
    return Impact([each for each in found.sequences if each.id not in moving])


def of_revocation(tx: Transaction, grant_id: UUID) -> Impact:
    """What ending a permission would stop: its sequences that have no other permission."""
    grant = tx.execute(
        text("SELECT organization_id, mailbox_id, grantee_id, sequence_ids FROM grants WHERE id = :id"),
        {"id": grant_id},
    ).one()
    scope = Scope(
        grant.organization_id,
        database_now(tx),
        mailbox_ids=[grant.mailbox_id],
        sequence_owner=grant.grantee_id,
        only_unauthorized=True,
        only_sequences=grant.sequence_ids,
    )
    return Impact(touched(tx, scope, without=grant_id))
