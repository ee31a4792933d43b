"""What a withdrawal stops, per sequence. The preview and the result use the same SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction, database_now
from db.core.statements import SqlFile, Statement
from db.withdrawing import losing
from db.withdrawing.drain import STOPPED, in_scope, parameters
from db.withdrawing.withdrawals import Scope


@dataclass(frozen=True, slots=True)
class Touched:
    """A sequence and how many of its emails a withdrawal stops. ``status``: a paused one sends nothing anyway."""

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
        """All emails that it would stop; one per waiting person."""
        return sum(each.emails for each in self.sequences)

    @property
    def next_due_at(self) -> datetime | None:
        """When the first of them would leave."""
        return min((each.next_due_at for each in self.sequences if each.next_due_at), default=None)


class _Grant(NamedTuple):
    organization_id: UUID
    mailbox_id: UUID
    grantee_id: UUID | None
    sequence_ids: list[UUID] | None


_TOUCHED = SqlFile(__name__).statement(
    "touched",
    Touched,
    in_scope=in_scope("g.id IS DISTINCT FROM :without", joins="JOIN members w ON w.id = s.owner_id"),
    stopped=STOPPED,
)
_ORGANIZATION = Statement("SELECT organization_id FROM mailboxes WHERE id = :id", UUID)
_MOVING = Statement(
    "SELECT s.id FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id"
    " WHERE b.id = :id AND b.owner_id IS NULL AND s.uses_sender_address",
    UUID,
)
_OWN = Statement("SELECT id FROM mailboxes WHERE owner_id = :id AND organization_id = :organization_id", UUID)
_OTHERS = Statement(
    "SELECT DISTINCT mailbox_id FROM sequences WHERE owner_id = :id AND organization_id = :organization_id"
    " AND mailbox_id <> ALL(:own)",
    UUID,
)
_GRANT = Statement(
    "SELECT organization_id, mailbox_id, grantee_id, sequence_ids FROM grants WHERE id = :id", _Grant
)


def touched(tx: Transaction, scope: Scope, *, without: UUID | None = None) -> list[Touched]:
    """Return the sequences of a scope with the emails it stops. ``without``: as if this grant had ended."""
    return _TOUCHED.all(tx, **parameters(scope), without=without)


def of_removal(tx: Transaction, mailbox_id: UUID) -> Impact:
    """Return what disconnecting a mailbox would stop."""
    organization_id = _ORGANIZATION.one(tx, id=mailbox_id)
    return Impact(touched(tx, Scope(organization_id, database_now(tx), mailbox_ids=[mailbox_id])))


def of_tenant(tx: Transaction, organization_id: UUID) -> Impact:
    """Return what disconnecting the organization's tenant would stop."""
    ids = losing.in_tenant(tx, organization_id)
    return Impact(touched(tx, Scope(organization_id, database_now(tx), mailbox_ids=ids)))


def of_disabling(tx: Transaction, mailbox_id: UUID) -> Impact:
    """Return what disabling a mailbox would stop. Company sequences continue from another address."""
    found = of_removal(tx, mailbox_id)
    moving = set(_MOVING.all(tx, id=mailbox_id))
    return Impact([each for each in found.sequences if each.id not in moving])


def of_revocation(tx: Transaction, grant_id: UUID) -> Impact:
    """Return what ending a grant would stop: its sequences that no other grant covers."""
    grant = _GRANT.one(tx, id=grant_id)
    scope = Scope(
        grant.organization_id,
        database_now(tx),
        mailbox_ids=[grant.mailbox_id],
        sequence_owner=grant.grantee_id,
        only_unauthorized=True,
        only_sequences=grant.sequence_ids,
    )
    return Impact(touched(tx, scope, without=grant_id))


def of_departure(tx: Transaction, organization_id: UUID, member_id: UUID) -> Impact:
    """Return what a member's departure would stop: what their mailboxes send, and what their own sequences send."""
    own = _OWN.all(tx, id=member_id, organization_id=organization_id)
    used = _OTHERS.all(tx, id=member_id, organization_id=organization_id, own=own)
    now = database_now(tx)
    found = [
        *touched(tx, Scope(organization_id, now, mailbox_ids=own)),
        *touched(tx, Scope(organization_id, now, mailbox_ids=used, sequence_owner=member_id)),
    ]
    return Impact(sorted(found, key=lambda each: (each.name.lower(), each.id)))
