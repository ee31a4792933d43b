"""An administrator's approval of the app: who waits for it, the link for whoever can give it, and when it was given."""

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db import audit, events, foresight
from db.crypto import KeyRing
from db.session import Transaction
from domain.errors import NotFound, NotPermitted
from domain.events import EventKind

_PURPOSE = "approval links"
_CODE = 23  # bytes: with the organization's id they fill 52 characters


@dataclass(frozen=True, slots=True)
class Approver:
    """What the approval page needs: whose organization, and its Entra tenant if it is known."""

    organization_id: UUID
    organization: str
    tenant_id: str | None


def wait_for(tx: Transaction, organization_id: UUID, member_id: UUID) -> None:
    """The member's sign-in waits for an approval; there is a link for whoever can give it from now on (``waiting``)."""
    tx.execute(
        text(
            "UPDATE members SET awaits_approval_since = coalesce(awaits_approval_since, clock_timestamp()) WHERE id = :id"
        ),
        {"id": member_id},
    )
    tx.execute(
        text("UPDATE organizations SET approval_token = coalesce(approval_token, :number) WHERE id = :id"),
        {"id": organization_id, "number": secrets.token_urlsafe(24)},
    )


def waiting(tx: Transaction, ring: KeyRing, member_id: UUID) -> tuple[datetime, str] | None:
    """Since when this member waits, and the link's secret part; None when they do not."""
    row = tx.execute(
        text(
            "SELECT m.awaits_approval_since AS since, o.id, o.approval_token AS number FROM members m"
            " JOIN organizations o ON o.id = m.organization_id WHERE m.id = :id AND m.awaits_approval_since IS NOT NULL"
        ),
        {"id": member_id},
    ).one_or_none()
    if row is None or row.number is None:
        return None
    code = ring.codes(_PURPOSE, row.id.bytes + row.number.encode())[0]
    return row.since, base64.urlsafe_b64encode(row.id.bytes + code[:_CODE]).decode()


def approver(tx: Transaction, ring: KeyRing, token: str) -> Approver:
    """Whose link this is. Raises ``NotFound``.

    It names the organization, and a key derives the rest: nothing that is kept opens the page.
    """
    try:
        said = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
        organization_id, code = UUID(bytes=said[:16]), said[16:]
    except (ValueError, binascii.Error):
        organization_id, code = UUID(int=0), b""
    row = tx.execute(
        text("SELECT id, name, tenant_id, approval_token FROM organizations WHERE id = :id"),
        {"id": organization_id},
    ).one_or_none()
    right = row is not None and row.approval_token is not None and len(code) == _CODE
    if (
        row is None
        or not right
        or not any(
            hmac.compare_digest(code, each[:_CODE])
            for each in ring.codes(_PURPOSE, row.id.bytes + row.approval_token.encode())
        )
    ):
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
