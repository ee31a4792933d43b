"""V1, the first half of every withdrawal: one transaction that closes the gate. After it, no C3 in its scope can pass.

Each function first locks the lanes it affects, in id order, and raises their epochs. The drain (``actions/draining.py``) then
waits for what had already passed the gate. A second call withdraws nothing more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.access import sessions
from db.audit import audit
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.events import events
from db.withdrawing import last_tokens
from domain.connection import Provider
from domain.errors import NotFound, NotPermitted
from domain.event_payloads import MailboxDisconnected, MemberDeactivated
from domain.events import grant_cause, mailbox_cause, member_cause
from domain.grant_payloads import GrantExpired, GrantRevoked


@dataclass(frozen=True, slots=True)
class Scope:
    """What a withdrawal covers, as conditions on deliveries. All given conditions must hold.

    ``closed_at``: the database's time when the gate closed. ``only_unauthorized``: leave out sequences whose owner may still
    send on another authority. ``cause``: the same for everybody who withdraws the same thing. ``cancels``: the reason on
    deliveries that it cancels. ``last_tokens``: mailboxes whose tokens it erased, with an access token put aside for workers to
    remove drafts until it is answered.
    """

    organization_id: UUID
    closed_at: datetime
    mailbox_ids: Sequence[UUID] = ()
    sequence_owner: UUID | None = None
    only_unauthorized: bool = False
    sequence_id: UUID | None = None
    enrollment_id: UUID | None = None
    candidate_ids: Sequence[UUID] | None = None
    only_sequences: Sequence[UUID] | None = None
    cause: str = ""
    cancels: str = ""
    last_tokens: Sequence[UUID] = ()

    @property
    def whole_mailboxes(self) -> bool:
        """Does it forbid everything that its mailboxes could send?"""
        return bool(self.mailbox_ids) and self.sequence_owner is None and not self.only_unauthorized


class _Closed(NamedTuple):
    closed: int
    now: datetime


class _Grant(NamedTuple):
    id: UUID
    organization_id: UUID
    mailbox_id: UUID
    grantee_id: UUID | None
    sequence_ids: list[UUID] | None
    version: int
    address: str


class Mailbox(NamedTuple):
    """What a withdrawal reads of a mailbox."""

    organization_id: UUID
    owner_id: UUID | None
    address: str
    provider: str
    status: str
    status_reason: str | None
    connection_version: int


class _Member(NamedTuple):
    organization_id: UUID
    name: str
    activity_version: int


_SQL = SqlFile(__name__)
_CLOSE_LANES = _SQL.statement("close_lanes", _Closed)
_GRANT, _EXPIRED_GRANT = _SQL.statement("grant", _Grant), _SQL.statement("expired_grant", _Grant)
_END_GRANT = _SQL.statement("end_grant", audit_entry=audit.INSERT)
_ARCHIVE_MAILBOXS_GRANTS = Statement(_SQL.fragment("archive_grants", condition="g.mailbox_id = :id"))
_ARCHIVE_MEMBERS_GRANTS = Statement(
    _SQL.fragment("archive_grants", condition="g.mailbox_owner_id = :id OR g.grantee_id = :id")
)
MAILBOX = Statement("SELECT * FROM mailboxes WHERE id = :id", Mailbox)
_DISCONNECT = _SQL.statement("disconnect")
_CLOSE_EACH_LANE = Statement("UPDATE lanes SET open = false WHERE mailbox_id = ANY(:ids)")
_MEMBER = Statement("SELECT * FROM members WHERE id = :id", _Member)
_OWN = Statement("SELECT id FROM mailboxes WHERE owner_id = :id", UUID)
_OTHERS = Statement(
    "SELECT DISTINCT mailbox_id FROM sequences WHERE owner_id = :id AND mailbox_id <> ALL(:own)", UUID
)
_DEACTIVATE = Statement(
    "UPDATE members SET active = false, deactivated_at = clock_timestamp()"
    " WHERE id = :id AND active RETURNING activity_version",
    int,
)
_FORGET_PASSWORDS = Statement("UPDATE smtp_settings SET password = NULL WHERE mailbox_id = ANY(:ids)")
_UNSUBSCRIBE = Statement("DELETE FROM subscriptions WHERE mailbox_id = ANY(:ids)")


def close_lanes(tx: Transaction, mailbox_ids: Sequence[UUID]) -> datetime:
    """Lock the lanes in id order and raise their epochs; returns the database's time under the locks."""
    return _CLOSE_LANES.one(tx, ids=list(mailbox_ids)).now


def revoke_grant(tx: Transaction, grant_id: UUID, *, actor: str) -> Scope:
    """End a grant. Raises ``NotFound``."""
    grant = _GRANT.one_or_none(tx, id=grant_id)
    if grant is None:
        raise NotFound("There is no such permission.")
    now = _end_grant(tx, grant, "revoked", GrantRevoked, actor)
    return Scope(
        grant.organization_id,
        now,
        mailbox_ids=[grant.mailbox_id],
        sequence_owner=grant.grantee_id,
        only_unauthorized=True,
        only_sequences=grant.sequence_ids,
        cause=grant_cause(grant.id, grant.version),
    )


def expire_grant(tx: Transaction) -> UUID | None:
    """Archive one expired grant, which the gate already refuses; returns it, or None if there is none."""
    grant = _EXPIRED_GRANT.one_or_none(tx)
    if grant is None:
        return None
    _end_grant(tx, grant, "expired", GrantExpired, "onbehalf")
    return grant.id


def _end_grant(
    tx: Transaction,
    grant: _Grant,
    reason: str,
    ended: type[GrantRevoked | GrantExpired],
    actor: str,
) -> datetime:
    """End a grant unless it has already ended; returns when the gate closed."""
    now = close_lanes(tx, [grant.mailbox_id])
    entry = audit.entry(grant.organization_id, actor, f"grant_{reason}", f"grant:{grant.id}", {})
    if _END_GRANT.run(tx, id=grant.id, reason=reason, **entry):
        payload = ended(
            mailbox=grant.address,
            mailbox_id=grant.mailbox_id,
            actor=actor,
            grant_id=grant.id,
            grantee_id=grant.grantee_id,
        )
        events.record(tx, grant.organization_id, payload, grant_cause(grant.id, grant.version), actor)
    return now


def disconnect_mailbox(tx: Transaction, mailbox_id: UUID, *, actor: str) -> Scope:
    """Remove a connection: erase tokens, archive grants, delete nothing else. Raises ``NotFound``, ``NotPermitted``."""
    mailbox = MAILBOX.one_or_none(tx, id=mailbox_id)
    if mailbox is None:
        raise NotFound("There is no such mailbox.")
    if mailbox.provider == Provider.DEFAULT:
        raise NotPermitted(f"{mailbox.address} cannot be removed: it sends when no other address is in use.")
    now = close_lanes(tx, [mailbox_id])
    kept = _erase_tokens(tx, [mailbox_id])
    # Read again under the lock: a reconnection or another disconnection may have come first.
    mailbox = MAILBOX.one(tx, id=mailbox_id)
    if mailbox.status != "never_connected" and mailbox.status_reason != "removed":
        set_disconnected(tx, [mailbox_id], "removed")
        _ARCHIVE_MAILBOXS_GRANTS.run(tx, id=mailbox_id, reason="mailbox_disconnected")
        audit.write(
            tx,
            mailbox.organization_id,
            actor,
            "mailbox_disconnected",
            f"mailbox:{mailbox_id}",
            {"connection_version": mailbox.connection_version},
        )
        events.record(
            tx,
            mailbox.organization_id,
            MailboxDisconnected(
                mailbox=mailbox.address, mailbox_id=mailbox_id, actor=actor, reason="removed"
            ),
            mailbox_cause(mailbox_id, mailbox.connection_version),
            actor,
        )
    cause = mailbox_cause(mailbox_id, mailbox.connection_version)
    return Scope(mailbox.organization_id, now, mailbox_ids=[mailbox_id], last_tokens=kept, cause=cause)


def deactivate_member(tx: Transaction, member_id: UUID, *, actor: str) -> tuple[Scope, Scope]:
    """Deactivate a member: disconnect their mailboxes, and archive the grants they gave or received.

    Returns two scopes: what their mailboxes send, and what their own sequences send. Raises ``NotFound``.
    """
    member = _MEMBER.one_or_none(tx, id=member_id)
    if member is None:
        raise NotFound("There is no such member.")
    own = _OWN.all(tx, id=member_id)
    # The first scope covers what their own mailboxes send, so nothing counts twice.
    used = _OTHERS.all(tx, id=member_id, own=own)
    now = close_lanes(tx, sorted({*own, *used}))
    kept = _erase_tokens(tx, own)
    deactivated = _DEACTIVATE.one_or_none(tx, id=member_id)
    sessions.end_all(tx, member_id)
    if deactivated is not None:
        set_disconnected(tx, own, "removed")
        _ARCHIVE_MEMBERS_GRANTS.run(tx, id=member_id, reason="member_deactivated")
        audit.write(tx, member.organization_id, actor, "member_deactivated", f"member:{member_id}", {})
        events.record(
            tx,
            member.organization_id,
            MemberDeactivated(member_id=member_id, person=member.name, actor=actor),
            member_cause(member_id, deactivated),
            actor,
        )
    version = member.activity_version if deactivated is None else deactivated
    cause = member_cause(member_id, version)
    return (
        Scope(member.organization_id, now, mailbox_ids=own, last_tokens=kept, cause=cause),
        Scope(member.organization_id, now, mailbox_ids=used, sequence_owner=member_id),
    )


def _erase_tokens(tx: Transaction, mailbox_ids: Sequence[UUID]) -> list[UUID]:
    kept = last_tokens.put_aside(tx, mailbox_ids)
    _FORGET_PASSWORDS.run(tx, ids=list(mailbox_ids))
    _UNSUBSCRIBE.run(tx, ids=list(mailbox_ids))
    return kept


def set_disconnected(tx: Transaction, mailbox_ids: Sequence[UUID], reason: str) -> None:
    """Close the mailboxes' lanes and record why. The caller has locked them."""
    _DISCONNECT.run(tx, ids=list(mailbox_ids), reason=reason)
    _CLOSE_EACH_LANE.run(tx, ids=list(mailbox_ids))
