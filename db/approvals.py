"""An administrator's approval of the app: who waits for it, the link for whoever can give it, and when it was given."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db import audit, events, foresight
from db.session import Transaction
from domain.errors import NotFound, NotPermitted
from domain.events import EventKind


@dataclass(frozen=True, slots=True)
class Approver:
    """What the approval page needs: whose organization, and its Entra tenant if it is known."""

    organization_id: UUID
    organization: str
    tenant_id: str | None


def wait_for(tx: Transaction, organization_id: UUID, member_id: UUID) -> str:
    """The member's sign-in waits for an approval; returns the link's secret part."""
    tx.execute(
        text(
            "UPDATE members SET awaits_approval_since = coalesce(awaits_approval_since, clock_timestamp()) WHERE id = :id"
        ),
        {"id": member_id},
    )
    token: str = tx.execute(
        text(
            "UPDATE organizations SET approval_token = coalesce(approval_token, :token) WHERE id = :id RETURNING approval_token"
        ),
        {"id": organization_id, "token": secrets.token_urlsafe(24)},
    ).scalar_one()
    return token


def waiting(tx: Transaction, member_id: UUID) -> tuple[datetime, str] | None:
    """Since when this member waits, and the link's secret part; None when they do not."""
    row = tx.execute(
        text(
            "SELECT m.awaits_approval_since AS since, o.approval_token AS token FROM members m"
            " JOIN organizations o ON o.id = m.organization_id WHERE m.id = :id AND m.awaits_approval_since IS NOT NULL"
        ),
        {"id": member_id},
    ).one_or_none()
    return None if row is None else (row.since, row.token)


def approver(tx: Transaction, token: str) -> Approver:
    """Whose link this is. Raises ``NotFound``."""
    row = tx.execute(
        text("SELECT id, name, tenant_id FROM organizations WHERE approval_token = :token"), {"token": token}
    ).one_or_none()
    if row is None:
        raise NotFound("This link is not, or no longer, good. Ask your colleague for a new one.")
    return Approver(row.id, row.name, row.tenant_id)


def given(tx: Transaction, organization_id: UUID, tenant_id: str) -> int:
    """Microsoft says that the app is approved: tell who waits, and try lost mailboxes again. Returns how many wait.

    What the answer says is only a hint (its tenant is not authenticated): nothing is connected by it.
    Raises ``NotPermitted`` for another tenant than the organization's.
    """
    row = tx.execute(
        text("SELECT tenant_id FROM organizations WHERE id = :id FOR UPDATE"), {"id": organization_id}
    ).one()
    if row.tenant_id is not None and row.tenant_id.lower() != tenant_id.lower():
        raise NotPermitted(
            "That administrator belongs to another Microsoft organization. Ask one of your own to open the link."
        )
    members = tx.execute(
        text(
            "UPDATE members m SET awaits_approval_since = NULL FROM members before WHERE before.id = m.id"
            " AND m.organization_id = :id AND m.awaits_approval_since IS NOT NULL AND m.active"
            " RETURNING m.id, before.awaits_approval_since AS since"
        ),
        {"id": organization_id},
    ).all()
    for each in members:
        cause = f"admin_approved:{each.id}:{each.since.isoformat()}"
        events.record(
            tx, organization_id, EventKind.ADMIN_APPROVED, cause, "Microsoft", {"tell": str(each.id)}
        )
    foresight.recheck_lost(tx, organization_id, "admin_approval_required")
    tx.execute(text("UPDATE organizations SET approval_token = NULL WHERE id = :id"), {"id": organization_id})
    data = {"tenant": tenant_id, "waiting": len(members)}
    audit.write(tx, organization_id, "Microsoft", "admin_approved", f"organization:{organization_id}", data)
    return len(members)


def stop_waiting(tx: Transaction, member_id: UUID) -> None:
    """The member has connected after all."""
    tx.execute(text("UPDATE members SET awaits_approval_since = NULL WHERE id = :id"), {"id": member_id})
