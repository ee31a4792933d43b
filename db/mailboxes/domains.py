"""Domains that an organization has proven it owns. Only there may it have sender addresses."""

from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement

_MAX_LABELS = 10


class _Asked(NamedTuple):
    id: UUID
    tenant_id: str


_SQL = SqlFile(__name__)
_IS_VERIFIED = Statement(
    "SELECT EXISTS (SELECT FROM organization_domains WHERE organization_id = :id AND domain = ANY(:domains))",
    bool,
)
_ADD = Statement(
    "INSERT INTO organization_domains (organization_id, domain, known_by) VALUES (:id, :domain, :known_by)"
    " ON CONFLICT DO NOTHING RETURNING domain",
    str,
)
_LISTING = Statement(
    "SELECT domain FROM organization_domains WHERE organization_id = :id ORDER BY domain", str
)
_ASKED_AT_MICROSOFT = _SQL.statement("asked_at_microsoft", _Asked)
_TRUSTS = Statement(
    "SELECT EXISTS (SELECT FROM organizations WHERE id = :id AND lower(tenant_id) = lower(:tenant))", bool
)


def is_verified(tx: Transaction, organization_id: UUID, domain: str) -> bool:
    """Does the organization own this domain, or one above it?"""
    labels = domain.split(".")[-_MAX_LABELS:]
    above = [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]
    return _IS_VERIFIED.one(tx, id=organization_id, domains=above)


def verify(tx: Transaction, organization_id: UUID, domain: str, known_by: str, *, actor: str) -> None:
    """Record that the organization owns the domain. ``known_by``: operator, dns or microsoft."""
    added = _ADD.one_or_none(tx, id=organization_id, domain=domain, known_by=known_by)
    if added is not None:
        data = {"domain": domain, "known_by": known_by}
        audit.write(tx, organization_id, actor, "domain_verified", f"organization:{organization_id}", data)


def listing(tx: Transaction, organization_id: UUID) -> list[str]:
    """Return the organization's domains, in order."""
    return _LISTING.all(tx, id=organization_id)


def asked_at_microsoft(tx: Transaction, organization_id: UUID) -> tuple[UUID, str] | None:
    """Return a connected mailbox in the tenant the organization trusts, and that tenant.

    Its owner may read the tenant's domains.
    """
    return _ASKED_AT_MICROSOFT.one_or_none(tx, id=organization_id)


def trusts(tx: Transaction, organization_id: UUID, tenant_id: str) -> bool:
    """Do the organization's members sign in from this tenant?"""
    return _TRUSTS.one(tx, id=organization_id, tenant=tenant_id)
