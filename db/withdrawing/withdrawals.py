"""V1, the first half of every withdrawal: one transaction that closes the gate. After it, no C3 in its scope can pass.

Each function first locks the lanes it affects, in id order, and raises their epochs. The drain (``actions/withdraw.py``) then
waits for what had already passed the gate. A second call withdraws nothing more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Row, text

from db.access import sessions
from db.audit import audit
from db.core.session import Transaction
from db.core.statements import Statement
from db.events import events
from db.withdrawing import last_tokens
from domain.connection import REFUSED_BY, Provider
from domain.errors import AccountDisabled, NotFound, NotPermitted
from domain.event_payloads import (
    ConnectionLost,
    GrantExpired,
    GrantRevoked,
    MailboxDisconnected,
    MemberDeactivated,
)
from domain.events import grant_cause, mailbox_cause, member_cause


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
    candidate_id: UUID | None = None
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


# One statement: on a busy machine, each round trip waits for a processor twice, and an email may pass the gate in between.
_CLOSE_LANES = Statement(
    "WITH locked AS MATERIALIZED (SELECT mailbox_id FROM lanes WHERE mailbox_id = ANY(:ids) ORDER BY mailbox_id FOR UPDATE),"
    " closed AS (UPDATE lanes l SET epoch = epoch + 1 FROM locked WHERE l.mailbox_id = locked.mailbox_id RETURNING 1)"
    " SELECT count(*) AS closed, clock_timestamp() AS now FROM closed",
    _Closed,
)


_END_GRANT = Statement(
    "WITH ended AS (UPDATE grants SET archived_at = clock_timestamp(), archived_reason = :reason"
    f"   WHERE id = :id AND archived_at IS NULL RETURNING id) {audit.INSERT} FROM ended"
)


def close_lanes(tx: Transaction, mailbox_ids: Sequence[UUID]) -> datetime:
    """Lock the lanes in id order and raise their epochs; returns the database's time under the locks."""
    return _CLOSE_LANES.one(tx, ids=list(mailbox_ids)).now


def revoke_grant(tx: Transaction, grant_id: UUID, *, actor: str) -> Scope:
    """End a grant. Raises ``NotFound``."""
    grant = tx.execute(text(f"{_GRANT} WHERE g.id = :id"), {"id": grant_id}).one_or_none()
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
    grant = tx.execute(
        text(
            f"{_GRANT} WHERE g.archived_at IS NULL AND g.expires_at <= clock_timestamp() ORDER BY g.expires_at LIMIT 1"
        )
    ).one_or_none()
    if grant is None:
        return None
    _end_grant(tx, grant, "expired", GrantExpired, "onbehalf")
    found: UUID = grant.id
    return found


_GRANT = "SELECT g.*, b.address FROM grants g JOIN mailboxes b ON b.id = g.mailbox_id"


def _end_grant(
    tx: Transaction,
    grant: Row[tuple[object, ...]],
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
    mailbox = tx.execute(text("SELECT * FROM mailboxes WHERE id = :id"), {"id": mailbox_id}).one_or_none()
    if mailbox is None:
        raise NotFound("There is no such mailbox.")
    if mailbox.provider == Provider.DEFAULT:
        raise NotPermitted(f"{mailbox.address} cannot be removed: it sends when no other address is in use.")
    now = close_lanes(tx, [mailbox_id])
    kept = _erase_tokens(tx, [mailbox_id])
    # Read again under the lock: a reconnection or another disconnection may have come first.
    mailbox = tx.execute(text("SELECT * FROM mailboxes WHERE id = :id"), {"id": mailbox_id}).one()
    if mailbox.status != "never_connected" and mailbox.status_reason != "removed":
        set_disconnected(tx, [mailbox_id], "removed")
        _archive_grants(tx, "g.mailbox_id = :id", mailbox_id, "mailbox_disconnected")
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


def lose_connection(
    tx: Transaction,
    mailbox_id: UUID,
    *,
    connection_version: int,
    reason: str,
    detail: str,
    on_send: bool = False,
) -> bool:
    """The provider refuses this connection: close the lane until a person acts. Returns False if that already happened.

    The refresh token stays, so that a check can see when the provider accepts it again. ``on_send``: the provider refused an
    email, so no check can tell when it would take one.
    """
    close_lanes(tx, [mailbox_id])
    refused = detail if on_send else None
    mailbox = tx.execute(
        text(
            "UPDATE mailboxes SET status = 'disconnected', status_reason = :reason, disconnected_at = clock_timestamp(),"
            " refused_sending = CAST(:refused AS text)"
            " WHERE id = :id AND status = 'connected' AND connection_version = :version RETURNING *"
        ),
        {"id": mailbox_id, "version": connection_version, "reason": reason, "refused": refused},
    ).one_or_none()
    if reason == AccountDisabled.reason:
        sessions.end_for_mailbox(tx, mailbox_id, connection_version)
    if mailbox is None:
        return False
    tx.execute(text("UPDATE lanes SET open = false WHERE mailbox_id = :id"), {"id": mailbox_id})
    audit.write(
        tx,
        mailbox.organization_id,
        "onbehalf",
        "connection_lost",
        f"mailbox:{mailbox_id}",
        {"reason": reason, "code": detail, "connection_version": connection_version},
    )
    events.record(
        tx,
        mailbox.organization_id,
        ConnectionLost(
            mailbox=mailbox.address,
            mailbox_id=mailbox_id,
            actor=REFUSED_BY[mailbox.provider],
            reason=reason,
            proved_by="test_email" if on_send else None,
        ),
        mailbox_cause(mailbox_id, connection_version),
        "onbehalf",
    )
    return True


def deactivate_member(tx: Transaction, member_id: UUID, *, actor: str) -> tuple[Scope, Scope]:
    """Deactivate a member: disconnect their mailboxes, and archive the grants they gave or received.

    Returns two scopes: what their mailboxes send, and what their own sequences send. Raises ``NotFound``.
    """
    member = tx.execute(text("SELECT * FROM members WHERE id = :id"), {"id": member_id}).one_or_none()
    if member is None:
        raise NotFound("There is no such member.")
    own = tx.execute(text("SELECT id FROM mailboxes WHERE owner_id = :id"), {"id": member_id}).scalars().all()
    # The first scope covers what their own mailboxes send, so nothing counts twice.
    others = "SELECT DISTINCT mailbox_id FROM sequences WHERE owner_id = :id AND mailbox_id <> ALL(:own)"
    used = tx.execute(text(others), {"id": member_id, "own": list(own)}).scalars().all()
    now = close_lanes(tx, sorted({*own, *used}))
    kept = _erase_tokens(tx, own)
    deactivated = tx.execute(
        text(
            "UPDATE members SET active = false, deactivated_at = clock_timestamp()"
            " WHERE id = :id AND active RETURNING activity_version"
        ),
        {"id": member_id},
    ).one_or_none()
    sessions.end_all(tx, member_id)
    if deactivated is not None:
        set_disconnected(tx, own, "removed")
        _archive_grants(
            tx,
            "g.mailbox_owner_id = :id OR g.grantee_id = :id",
            member_id,
            "member_deactivated",
        )
        audit.write(tx, member.organization_id, actor, "member_deactivated", f"member:{member_id}", {})
        events.record(
            tx,
            member.organization_id,
            MemberDeactivated(member_id=member_id, person=member.name, actor=actor),
            member_cause(member_id, deactivated.activity_version),
            actor,
        )
    version = member.activity_version if deactivated is None else deactivated.activity_version
    cause = member_cause(member_id, version)
    return (
        Scope(member.organization_id, now, mailbox_ids=own, last_tokens=kept, cause=cause),
        Scope(member.organization_id, now, mailbox_ids=used, sequence_owner=member_id),
    )


def _erase_tokens(tx: Transaction, mailbox_ids: Sequence[UUID]) -> list[UUID]:
    kept = last_tokens.put_aside(tx, mailbox_ids)
    tx.execute(
        text("UPDATE smtp_settings SET password = NULL WHERE mailbox_id = ANY(:ids)"),
        {"ids": list(mailbox_ids)},
    )
    tx.execute(text("DELETE FROM subscriptions WHERE mailbox_id = ANY(:ids)"), {"ids": list(mailbox_ids)})
    return kept


def set_disconnected(tx: Transaction, mailbox_ids: Sequence[UUID], reason: str) -> None:
    """Close the mailboxes' lanes and record why. The caller has locked them."""
    tx.execute(
        text(
            "UPDATE mailboxes SET status = 'disconnected', status_reason = :reason, disconnected_at = clock_timestamp(),"
            " refused_sending = NULL WHERE id = ANY(:ids) AND status <> 'never_connected'"
        ),
        {"ids": list(mailbox_ids), "reason": reason},
    )
    tx.execute(
        text("UPDATE lanes SET open = false WHERE mailbox_id = ANY(:ids)"),
        {"ids": list(mailbox_ids)},
    )


def _archive_grants(tx: Transaction, condition: str, value: UUID, reason: str) -> None:
    tx.execute(
        text(
            "UPDATE grants g SET archived_at = clock_timestamp(), archived_reason = :reason"
            f" WHERE g.archived_at IS NULL AND ({condition})"
        ),
        {"id": value, "reason": reason},
    )
