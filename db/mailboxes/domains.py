"""Domains that an organization has shown to be its own. Only there may it have sender addresses."""

from uuid import UUID

from sqlalchemy import text

from db.audit import audit
from db.core.session import Transaction

_MAX_LABELS = 10


def is_verified(tx: Transaction, organization_id: UUID, domain: str) -> bool:
    """Is the domain, or one above it, the organization's?"""
    labels = domain.split(".")[-_MAX_LABELS:]
    above = [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]
    found: bool = tx.execute(
        text(
            "SELECT EXISTS (SELECT FROM organization_domains WHERE organization_id = :id AND domain = ANY(:domains))"
        ),
        {"id": organization_id, "domains": above},
    ).scalar_one()
    return found


def verify(tx: Transaction, organization_id: UUID, domain: str, known_by: str, *, actor: str) -> None:
    """It is the organization's from now on. ``known_by``: operator, dns or microsoft."""
    added = tx.execute(
        text(
            "INSERT INTO organization_domains (organization_id, domain, known_by) VALUES (:id, :domain, :known_by)"
            " ON CONFLICT DO NOTHING RETURNING domain"
        ),
        {"id": organization_id, "domain": domain, "known_by": known_by},
    ).one_or_none()
    if added is not None:
        data = {"domain": domain, "known_by": known_by}
        audit.write(tx, organization_id, actor, "domain_verified", f"organization:{organization_id}", data)


def listing(tx: Transaction, organization_id: UUID) -> list[str]:
    """The organization's domains, in order."""
    return list(
        tx.execute(
            text("SELECT domain FROM organization_domains WHERE organization_id = :id ORDER BY domain"),
            {"id": organization_id},
        ).scalars()
    )


def asked_at_microsoft(tx: Transaction, organization_id: UUID) -> tuple[UUID, str] | None:
    """A connected mailbox in the tenant that the organization trusts, and that tenant: its owner may read its domains."""
    row = tx.execute(
        text(
            "SELECT b.id, o.tenant_id FROM mailboxes b JOIN organizations o ON o.id = b.organization_id"
            " WHERE o.id = :id AND b.provider = 'graph' AND b.status = 'connected' AND lower(b.tenant_id) = lower(o.tenant_id)"
            " ORDER BY b.checked_at DESC NULLS LAST LIMIT 1"
        ),
        {"id": organization_id},
    ).one_or_none()
    return None if row is None else (row.id, row.tenant_id)


def trusts(tx: Transaction, organization_id: UUID, tenant_id: str) -> bool:
    """Is it the tenant whose accounts sign in as the organization's members?"""
    found: bool = tx.execute(
        text(
            "SELECT EXISTS (SELECT FROM organizations WHERE id = :id AND lower(tenant_id) = lower(:tenant))"
        ),
        {"id": organization_id, "tenant": tenant_id},
    ).scalar_one()
    return found
