"""An administrator's approval of the app: who waits for it, the link for whoever can give it, and when it was given."""

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.audit import audit
from db.core.crypto import KeyRing
from db.core.session import Transaction, database_now
from db.events import early_warnings, events, outbox
from db.mailboxes.checks import ONLY_TRIED
from domain.errors import NotFound, NotPermitted
from domain.events import EventKind
from domain.jobs import CheckMailbox

_PURPOSE = "approval links"
_CODE = 23  # bytes: with the organization's id they fill 52 characters


@dataclass(frozen=True, slots=True)
class Approver:
    """What the approval page needs: whose organization, and its Entra tenant if it is known."""

    organization_id: UUID
    organization: str
    tenant_id: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A member who waits. ``mailbox_id``: theirs, where a token of a sign-in can be tried."""

    id: UUID
    since: datetime
    mailbox_id: UUID | None


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


def claimed(tx: Transaction, organization_id: UUID, tenant_id: str) -> None:
    """Somebody comes back from Microsoft's page saying that the app is approved: find out at once whether it is.

    Anybody with the link can say so, and nobody is notified of a fact before a token proves it (``proved``). Those who wait
    without a token to try are asked to try themselves. Raises ``NotPermitted`` for another tenant than the organization's.
    """
    trusted: str | None = tx.execute(
        text("SELECT tenant_id FROM organizations WHERE id = :id FOR UPDATE"), {"id": organization_id}
    ).scalar_one()
    if trusted is not None and trusted.lower() != tenant_id.lower():
        raise NotPermitted(
            "That administrator belongs to another Microsoft organization. Ask one of your own to open the link."
        )
    for each in _waiting_in(tx, organization_id):
        if each.mailbox_id is not None:
            outbox.put(tx, CheckMailbox(each.mailbox_id, database_now(tx).isoformat()))
        else:
            _notify(tx, organization_id, each, "admin_approval_claimed", {"claimed": "yes"})
    early_warnings.recheck_lost(tx, organization_id, "admin_approval_required")
    data = {"tenant": tenant_id[:64]}
    audit.write(
        tx, organization_id, "link", "admin_approval_claimed", f"organization:{organization_id}", data
    )


def proved(tx: Transaction, organization_id: UUID, member_id: UUID) -> None:
    """A token of this member was given: the app is approved. Tell them, and everybody who waits and cannot be tried."""
    tx.execute(text("SELECT 1 FROM organizations WHERE id = :id FOR UPDATE"), {"id": organization_id})
    notified = 0
    for each in _waiting_in(tx, organization_id):
        if each.id == member_id or each.mailbox_id is None:
            stop_waiting(tx, each.id)
            _notify(tx, organization_id, each, "admin_approved", {})
            notified += 1
        else:
            outbox.put(tx, CheckMailbox(each.mailbox_id, database_now(tx).isoformat()))
    if not notified:
        return
    early_warnings.recheck_lost(tx, organization_id, "admin_approval_required")
    tx.execute(
        text(
            "UPDATE organizations SET approval_token = NULL WHERE id = :id AND NOT EXISTS ("
            " SELECT FROM members WHERE organization_id = :id AND awaits_approval_since IS NOT NULL AND active)"
        ),
        {"id": organization_id},
    )
    audit.write(
        tx,
        organization_id,
        "Microsoft",
        "admin_approved",
        f"organization:{organization_id}",
        {"notified": notified},
    )


def waits_with_token(tx: Transaction, mailbox_id: UUID) -> UUID | None:
    """The mailbox's owner, where they wait for an approval and the mailbox is not connected, only tried; else None."""
    found: UUID | None = tx.execute(
        text(
            "SELECT m.id FROM mailboxes b JOIN members m ON m.id = b.owner_id JOIN credentials c ON c.mailbox_id = b.id"
            f" WHERE b.id = :id AND {ONLY_TRIED}"
        ),
        {"id": mailbox_id},
    ).scalar_one_or_none()
    return found


def is_watched(tx: Transaction, member_id: UUID) -> bool:
    """Is there a token of the member's that shows when the approval is given?"""
    found: bool = tx.execute(
        text(
            "SELECT EXISTS (SELECT FROM mailboxes b JOIN members m ON m.id = b.owner_id JOIN credentials c ON c.mailbox_id = b.id"
            f" WHERE m.id = :id AND ({ONLY_TRIED} OR (b.status = 'disconnected' AND c.renewable)))"
        ),
        {"id": member_id},
    ).scalar_one()
    return found


def check_soon(tx: Transaction, member_id: UUID) -> None:
    """The member looks at the page: have their token tried at the next round, unless it was a moment ago."""
    tx.execute(
        text(
            "UPDATE mailboxes b SET checked_at = NULL FROM members m, credentials c"
            " WHERE m.id = :id AND b.owner_id = m.id AND c.mailbox_id = b.id"
            f" AND b.checked_at < clock_timestamp() - interval '1 minute' AND {ONLY_TRIED}"
        ),
        {"id": member_id},
    )


def _waiting_in(tx: Transaction, organization_id: UUID) -> list[Waiting]:
    rows = tx.execute(
        text(
            "SELECT m.id, m.awaits_approval_since AS since, (SELECT b.id FROM mailboxes b JOIN credentials c ON c.mailbox_id = b.id"
            f"   WHERE b.owner_id = m.id AND {ONLY_TRIED} LIMIT 1) AS mailbox_id FROM members m"
            " WHERE m.organization_id = :id AND m.awaits_approval_since IS NOT NULL AND m.active ORDER BY m.id FOR UPDATE OF m"
        ),
        {"id": organization_id},
    ).all()
    return [Waiting(*row) for row in rows]


def _notify(
    tx: Transaction, organization_id: UUID, waiting: Waiting, cause: str, said: dict[str, str]
) -> None:
    key = f"{cause}:{waiting.id}:{waiting.since.isoformat()}"
    payload = {"recipient": str(waiting.id), **said}
    events.record(tx, organization_id, EventKind.ADMIN_APPROVED, key, "Microsoft", payload)


def stop_waiting(tx: Transaction, member_id: UUID) -> None:
    """The member has connected after all."""
    tx.execute(text("UPDATE members SET awaits_approval_since = NULL WHERE id = :id"), {"id": member_id})
