"""Connections that a provider ends, and tenant-wide connections that an administrator ends: the first half (V1) of both."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from db.access import sessions
from db.audit import audit
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.events import events
from db.mailboxes import tenants
from db.withdrawing.withdrawals import MAILBOX, Mailbox, Scope, close_lanes
from domain.connection import LOSES_TENANT, REFUSED_BY, Provider
from domain.errors import AccountDisabled, NotFound
from domain.event_payloads import ConnectionLost, TenantDisconnected, TenantLost
from domain.events import mailbox_cause, tenant_cause

_SQL = SqlFile(__name__)
_LOSE = _SQL.statement("lose", Mailbox)
_IN_TENANT = _SQL.statement("in_tenant", UUID)
_END_WITH_TENANT, _ARCHIVE_GRANTS = _SQL.statement("end_with_tenant", UUID), _SQL.statement("archive_grants")
_CLOSE_LANE = Statement("UPDATE lanes SET open = false WHERE mailbox_id = :id")
_CLOSE_EACH_LANE = Statement("UPDATE lanes SET open = false WHERE mailbox_id = ANY(:ids)")
_UNSUBSCRIBE = Statement("DELETE FROM subscriptions WHERE mailbox_id = ANY(:ids)")


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

    If it refuses the application in a whole tenant, all mailboxes that are connected by it are lost at once, for one cause.

    The refresh token stays, so that a check can see when the provider accepts it again. ``on_send``: the provider refused an
    email, so no check can tell when it would take one.
    """
    if reason in LOSES_TENANT and (box := MAILBOX.one(tx, id=mailbox_id)).provider == Provider.TENANT:
        return _lose_tenant(tx, box, connection_version, reason, detail)
    close_lanes(tx, [mailbox_id])
    refused = detail if on_send else None
    mailbox = _LOSE.one_or_none(tx, id=mailbox_id, version=connection_version, reason=reason, refused=refused)
    if reason == AccountDisabled.reason:
        sessions.end_for_mailbox(tx, mailbox_id, connection_version)
    if mailbox is None:
        return False
    _CLOSE_LANE.run(tx, id=mailbox_id)
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


def _lose_tenant(
    tx: Transaction, mailbox: Mailbox, connection_version: int, reason: str, detail: str
) -> bool:
    """All mailboxes of the tenant-wide connection are lost with it. ``mailbox``: the one that showed it."""
    organization_id = mailbox.organization_id
    if mailbox.status != "connected" or mailbox.connection_version != connection_version:
        return False
    version = tenants.end(tx, organization_id, "lost", reason=reason, code=detail)
    if version is None:
        found = tenants.of_organization(tx, organization_id)
        if found is None:
            return False
        version = found.version  # it is lost already, and this mailbox was connected meanwhile
    ids = _IN_TENANT.all(tx, id=organization_id, removed=False)
    _end(tx, ids, reason, version)
    data = {"reason": reason, "code": detail, "version": version, "mailboxes": len(ids)}
    audit.write(tx, organization_id, "onbehalf", "tenant_lost", f"organization:{organization_id}", data)
    payload = TenantLost(
        actor=REFUSED_BY[Provider.TENANT], tenant_version=version, mailboxes=len(ids), reason=reason
    )
    events.record(tx, organization_id, payload, tenant_cause(version), "onbehalf")
    return True


def in_tenant(tx: Transaction, organization_id: UUID) -> Sequence[UUID]:
    """Return the mailboxes that disconnecting the tenant ends."""
    return _IN_TENANT.all(tx, id=organization_id, removed=True)


def disconnect_tenant(tx: Transaction, organization_id: UUID, *, actor: str) -> Scope:
    """End the tenant-wide connection: remove all mailboxes that are connected by it, with their grants. Raises ``NotFound``."""
    # Before the mailboxes are read: whoever connects one waits for it, and then finds it ended.
    ended = tenants.end(tx, organization_id, "disconnected")
    found = tenants.of_organization(tx, organization_id)
    if found is None:
        raise NotFound("No Microsoft organization is connected as a whole.")
    ids = in_tenant(tx, organization_id)
    now = _end(tx, ids, "removed", found.version)
    if ended is not None:
        _ARCHIVE_GRANTS.run(tx, ids=list(ids))
        _UNSUBSCRIBE.run(tx, ids=list(ids))
        data = {"version": found.version, "mailboxes": len(ids)}
        audit.write(
            tx, organization_id, actor, "tenant_disconnected", f"organization:{organization_id}", data
        )
        payload = TenantDisconnected(actor=actor, tenant_version=found.version, mailboxes=len(ids))
        events.record(tx, organization_id, payload, tenant_cause(found.version), actor)
    return Scope(organization_id, now, mailbox_ids=ids, cause=tenant_cause(found.version))


def _end(tx: Transaction, ids: Sequence[UUID], reason: str, version: int) -> datetime:
    now = close_lanes(tx, ids)
    removed = reason == "removed"
    ended = _END_WITH_TENANT.all(tx, ids=list(ids), reason=reason, version=version, removed=removed)
    _CLOSE_EACH_LANE.run(tx, ids=ended)
    return now
