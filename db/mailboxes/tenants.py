"""An organization's tenant-wide Microsoft connection, and whose mailboxes it serves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.session import Transaction, database_now
from db.core.statements import SqlFile, Statement
from db.events import outbox
from domain.jobs import CheckMailbox
from domain.withdrawal import RETURNS_WITHIN


@dataclass(frozen=True, slots=True)
class TenantConnection:
    """``status``: connected; lost (Microsoft refuses, with ``reason`` and Microsoft's ``code``); disconnected by an administrator.

    ``version``: one more each time that it ends. ``mailboxes``: how many are connected by it.
    """

    organization_id: UUID
    tenant_id: str
    status: str
    reason: str | None
    code: str | None
    version: int
    connected_by: str
    connected_at: datetime
    ended_at: datetime | None
    mailboxes: int


class MemberIdentity(NamedTuple):
    """A member, the Microsoft account that they sign in with, and the tenant that their organization trusts."""

    organization_id: UUID
    name: str
    email: str
    account_id: str | None
    tenant_id: str | None
    organization: str


class _User(NamedTuple):
    tenant_id: str
    account_id: str
    address: str


class _Lost(NamedTuple):
    id: UUID
    address: str


_SQL = SqlFile(__name__)
_CONNECT, _RECOVER = _SQL.statement("connect"), _SQL.statement("recover")
_END = _SQL.statement("end", int)
_USERS = _SQL.statement("users", _User)
_USER_TO_TRY = _SQL.statement("user_to_try", _User)
_OF_ORGANIZATION = _SQL.statement("of_organization", TenantConnection)
_IDENTITY_OF = _SQL.statement("identity_of", MemberIdentity)
_LOST = _SQL.statement("lost", _Lost)
_IS_CONNECTED = Statement(
    "SELECT EXISTS (SELECT FROM tenant_connections WHERE organization_id = :id AND status = 'connected')",
    bool,
)
_TRUSTED = Statement("SELECT tenant_id FROM organizations WHERE id = :id AND tenant_id IS NOT NULL", str)
# A refusal and a recovery may come at the same time.
_LOCK = Statement("SELECT 1 FROM tenant_connections WHERE organization_id = :id FOR UPDATE")
_CONSENT = Statement(
    "UPDATE mailboxes SET tenant_wide = coalesce(tenant_wide, '{}') || jsonb_build_object('consented_at', clock_timestamp())"
    " WHERE id = :id"
)


def user_of(tx: Transaction, mailbox_id: UUID) -> tuple[str, str, str] | None:
    """Return the mailbox's tenant, account and address, or None if we may not use it."""
    return _USERS.one_or_none(tx, id=mailbox_id, lasts=RETURNS_WITHIN)


def of_organization(tx: Transaction, organization_id: UUID) -> TenantConnection | None:
    """Return the organization's connection, or None if there never was one."""
    return _OF_ORGANIZATION.one_or_none(tx, id=organization_id)


def user_to_try(
    tx: Transaction, organization_id: UUID, member_id: UUID | None, address: str
) -> tuple[str, str, str] | None:
    """Return the tenant, account and address of a member to try the connection with, if possible this one. None: nobody has signed in."""
    return _USER_TO_TRY.one_or_none(tx, id=organization_id, member=member_id, address=address)


def is_connected(tx: Transaction, organization_id: UUID) -> bool:
    """Can members connect through it?"""
    return _IS_CONNECTED.one(tx, id=organization_id)


def trusted(tx: Transaction, organization_id: UUID) -> str | None:
    """Return the tenant whose accounts may sign in: no other can be connected."""
    found: str | None = _TRUSTED.one_or_none(tx, id=organization_id)
    return found


def identity_of(tx: Transaction, member_id: UUID) -> MemberIdentity | None:
    """Return an active member, with the account that they have signed in with."""
    return _IDENTITY_OF.one_or_none(tx, id=member_id)


def connect(tx: Transaction, organization_id: UUID, tenant_id: str, *, actor: str) -> None:
    """Record that the application has access to the tenant, and check the mailboxes that it had lost."""
    _CONNECT.run(tx, id=organization_id, tenant_id=tenant_id, by=actor)
    _check_lost(tx, organization_id)
    data = {"tenant": tenant_id}
    audit.write(tx, organization_id, actor, "tenant_connected", f"organization:{organization_id}", data)


def lock(tx: Transaction, organization_id: UUID) -> TenantConnection | None:
    """Lock the connection, before any lane, and return it."""
    _LOCK.run(tx, id=organization_id)
    return of_organization(tx, organization_id)


def recovered(tx: Transaction, organization_id: UUID) -> None:
    """Microsoft gives tokens again, as one of the tenant's mailboxes has shown: check the others too. Does nothing unless it was lost."""
    if _RECOVER.run(tx, id=organization_id):
        _check_lost(tx, organization_id)
        audit.write(
            tx, organization_id, "Microsoft", "tenant_recovered", f"organization:{organization_id}", {}
        )


def end(
    tx: Transaction, organization_id: UUID, status: str, *, reason: str = "", code: str = ""
) -> int | None:
    """End the connection as lost or disconnected. Returns the version of this end, None if it has ended already.

    The caller has locked no lane: whoever changes a mailbox of the tenant locks the connection first.
    """
    _LOCK.run(tx, id=organization_id)
    version: int | None = _END.one_or_none(
        tx, id=organization_id, status=status, reason=reason or None, code=code or None
    )
    return version


def consent(tx: Transaction, mailbox_id: UUID) -> None:
    """Record that the mailbox's owner lets it be used by the tenant-wide connection, now."""
    _CONSENT.run(tx, id=mailbox_id)


def _check_lost(tx: Transaction, organization_id: UUID) -> Sequence[UUID]:
    lost = [each.id for each in _LOST.all(tx, id=organization_id)]
    for each in lost:
        outbox.put(tx, CheckMailbox(each, database_now(tx).isoformat()))
    return lost
