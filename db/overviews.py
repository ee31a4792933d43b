"""What pages list: a member's sequences, and an organization's mailboxes and permissions for those who look after it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.authority import BY_HAND_OF
from db.session import Transaction
from domain.errors import NotFound


@dataclass(frozen=True, slots=True)
class SequenceLine:
    """A sequence as its owner sees it. ``waiting``: people with a step before them; ``next_due_at`` of those that go on."""

    id: UUID
    name: str
    status: str
    paused_reason: str | None
    paused_at: datetime | None
    address: str
    owner: str
    waiting: int
    sent: int
    in_doubt: int
    next_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class MailboxLine:
    """A mailbox of the organization. ``owner`` None: the company's."""

    address: str
    owner: str | None
    status: str
    status_reason: str | None


@dataclass(frozen=True, slots=True)
class GrantLine:
    """A standing permission of the organization. ``person`` None = everyone; ``by_hand_of`` None = its owner gave it."""

    id: UUID
    address: str
    holder: str
    person: str | None
    given_at: datetime
    expires_at: datetime | None
    by_hand_of: str | None
    confirmed_at: datetime | None


def sequences_of(
    tx: Transaction, organization_id: UUID, owner_id: UUID | None, *, only: UUID | None = None
) -> list[SequenceLine]:
    """Sequences of one owner, or of all (None); paused ones first."""
    rows = tx.execute(
        text(
            "SELECT s.id, s.name, s.status, s.paused_reason, s.paused_at, b.address, w.name AS owner,"
            " count(d.id) FILTER (WHERE d.state IN ('pending', 'queued', 'preparing', 'drafted', 'sending')),"
            " count(d.id) FILTER (WHERE d.state = 'sent'), count(d.id) FILTER (WHERE d.state IN ('reconciling', 'review')),"
            " min(d.due_at) FILTER (WHERE d.state = 'pending' AND NOT d.held AND s.status = 'active')"
            " FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id JOIN members w ON w.id = s.owner_id"
            " LEFT JOIN deliveries d ON d.sequence_id = s.id"
            " WHERE s.organization_id = :organization_id AND s.status <> 'archived'"
            " AND (CAST(:owner_id AS uuid) IS NULL OR s.owner_id = :owner_id) AND (CAST(:only AS uuid) IS NULL OR s.id = :only)"
            " GROUP BY s.id, b.address, w.name ORDER BY s.status <> 'paused', lower(s.name)"
        ),
        {"organization_id": organization_id, "owner_id": owner_id, "only": only},
    ).all()
    return [SequenceLine(*row) for row in rows]


def sequence_of(
    tx: Transaction, sequence_id: UUID, organization_id: UUID, owner_id: UUID | None
) -> SequenceLine:
    """One of them. Raises ``NotFound``."""
    for found in sequences_of(tx, organization_id, owner_id, only=sequence_id):
        return found
    raise NotFound("There is no such sequence of yours.")


def mailboxes(tx: Transaction, organization_id: UUID) -> list[MailboxLine]:
    """All mailboxes of an organization; those that need attention first."""
    rows = tx.execute(
        text(
            "SELECT b.address, m.name, b.status, b.status_reason FROM mailboxes b LEFT JOIN members m ON m.id = b.owner_id"
            " WHERE b.organization_id = :id ORDER BY b.status <> 'disconnected', b.address"
        ),
        {"id": organization_id},
    ).all()
    return [MailboxLine(*row) for row in rows]


def grants(tx: Transaction, organization_id: UUID) -> list[GrantLine]:
    """All permissions that stand in an organization."""
    rows = tx.execute(
        text(
            f"SELECT g.id, b.address, h.name, p.name, g.given_at, g.expires_at, {BY_HAND_OF}, g.confirmed_at"
            " FROM grants g"
            " JOIN mailboxes b ON b.id = g.mailbox_id JOIN members h ON h.id = g.grantor_id"
            " LEFT JOIN members p ON p.id = g.grantee_id"
            " WHERE g.organization_id = :id AND g.archived_at IS NULL ORDER BY b.address, p.name NULLS FIRST"
        ),
        {"id": organization_id},
    ).all()
    return [GrantLine(*row) for row in rows]


def grant(tx: Transaction, grant_id: UUID, organization_id: UUID) -> GrantLine:
    """One of them. Raises ``NotFound``."""
    for found in grants(tx, organization_id):
        if found.id == grant_id:
            return found
    raise NotFound("There is no such permission in your organization any more.")
