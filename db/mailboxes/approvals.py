"""An administrator's approval of the app: the members who wait, the link for the administrator, and the moment of approval."""

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.crypto import KeyRing
from db.core.session import Transaction, database_now
from db.core.statements import SqlFile, Statement
from db.events import early_warnings, events, outbox
from db.mailboxes.checks import ONLY_TRIED
from domain.errors import NotFound, NotPermitted
from domain.event_payloads import AdminApproved
from domain.jobs import CheckMailbox

_PURPOSE = "approval links"
_CODE = 23  # bytes; with the organization's id they fill 52 characters


@dataclass(frozen=True, slots=True)
class Approver:
    """What the approval page needs: the organization, and its Entra tenant if we know it."""

    organization_id: UUID
    organization: str
    tenant_id: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A member who waits. ``mailbox_id``: their mailbox, if its sign-in left a token that we can try."""

    id: UUID
    since: datetime
    mailbox_id: UUID | None


class _Link(NamedTuple):
    since: datetime
    id: UUID
    number: str | None


class _Approver(NamedTuple):
    id: UUID
    name: str
    tenant_id: str | None
    approval_token: str | None


class _Trusted(NamedTuple):
    tenant_id: str | None


_SQL = SqlFile(__name__)
_WAIT_FOR = Statement(
    "UPDATE members SET awaits_approval_since = coalesce(awaits_approval_since, clock_timestamp()) WHERE id = :id"
)
_NUMBER_LINK = Statement(
    "UPDATE organizations SET approval_token = coalesce(approval_token, :number) WHERE id = :id"
)
_LINK = Statement(
    "SELECT m.awaits_approval_since AS since, o.id, o.approval_token AS number FROM members m"
    " JOIN organizations o ON o.id = m.organization_id WHERE m.id = :id AND m.awaits_approval_since IS NOT NULL",
    _Link,
)
_APPROVER = Statement(
    "SELECT id, name, tenant_id, approval_token FROM organizations WHERE id = :id", _Approver
)
_TRUSTED = Statement("SELECT tenant_id FROM organizations WHERE id = :id FOR UPDATE", _Trusted)
_LOCK_ORGANIZATION = Statement("SELECT 1 FROM organizations WHERE id = :id FOR UPDATE")
_DROP_LINK = Statement(
    "UPDATE organizations SET approval_token = NULL WHERE id = :id AND NOT EXISTS ("
    " SELECT FROM members WHERE organization_id = :id AND awaits_approval_since IS NOT NULL AND active)"
)
_WAITS_WITH_TOKEN = Statement(
    "SELECT m.id FROM mailboxes b JOIN members m ON m.id = b.owner_id JOIN credentials c ON c.mailbox_id = b.id"
    f" WHERE b.id = :id AND {ONLY_TRIED}",
    UUID,
)
_IS_WATCHED = Statement(
    "SELECT EXISTS (SELECT FROM mailboxes b JOIN members m ON m.id = b.owner_id JOIN credentials c ON c.mailbox_id = b.id"
    f" WHERE m.id = :id AND ({ONLY_TRIED} OR (b.status = 'disconnected' AND c.renewable)))",
    bool,
)
_CHECK_SOON = _SQL.statement("check_soon", only_tried=ONLY_TRIED)
_WAITING_IN = _SQL.statement("waiting_in", Waiting, only_tried=ONLY_TRIED)
_STOP_WAITING = Statement("UPDATE members SET awaits_approval_since = NULL WHERE id = :id")


def wait_for(tx: Transaction, organization_id: UUID, member_id: UUID) -> None:
    """Record that the member's sign-in waits for an approval, and create the organization's link (``waiting``)."""
    _WAIT_FOR.run(tx, id=member_id)
    _NUMBER_LINK.run(tx, id=organization_id, number=secrets.token_urlsafe(24))


def waiting(tx: Transaction, ring: KeyRing, member_id: UUID) -> tuple[datetime, str] | None:
    """Return when this member began to wait and the link's secret part, or None if they do not wait."""
    row = _LINK.one_or_none(tx, id=member_id)
    if row is None or row.number is None:
        return None
    code = ring.codes(_PURPOSE, row.id.bytes + row.number.encode())[0]
    return row.since, base64.urlsafe_b64encode(row.id.bytes + code[:_CODE]).decode()


def approver(tx: Transaction, ring: KeyRing, token: str) -> Approver:
    """Return the approver that this link belongs to. Raises ``NotFound``.

    The link holds the organization's id and a code that a key derives. Nothing we store opens the page.
    """
    try:
        said = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
        organization_id, code = UUID(bytes=said[:16]), said[16:]
    except (ValueError, binascii.Error):
        organization_id, code = UUID(int=0), b""
    row = _APPROVER.one_or_none(tx, id=organization_id)
    if (
        row is None
        or row.approval_token is None
        or len(code) != _CODE
        or not any(
            hmac.compare_digest(code, each[:_CODE])
            for each in ring.codes(_PURPOSE, row.id.bytes + row.approval_token.encode())
        )
    ):
        raise NotFound("This link is not valid or has expired. Ask your colleague for a new one.")
    return Approver(row.id, row.name, row.tenant_id)


def claimed(tx: Transaction, organization_id: UUID, tenant_id: str) -> None:
    """Somebody returned from Microsoft's page claiming that the app is approved. Check at once.

    Anybody with the link can claim it, so we notify nobody of an approval until a token proves it (``proved``). Members
    who wait without a token are asked to try for themselves. Raises ``NotPermitted`` for a tenant other than the
    organization's.
    """
    trusted = _TRUSTED.one(tx, id=organization_id).tenant_id
    if trusted is not None and trusted.lower() != tenant_id.lower():
        raise NotPermitted(
            "That administrator belongs to another Microsoft organization. Ask one of your own to open the link."
        )
    for each in _waiting_in(tx, organization_id):
        if each.mailbox_id is not None:
            outbox.put(tx, CheckMailbox(each.mailbox_id, database_now(tx).isoformat()))
        else:
            _notify(tx, organization_id, each, "admin_approval_claimed", claimed=True)
    early_warnings.recheck_lost(tx, organization_id, "admin_approval_required")
    data = {"tenant": tenant_id[:64]}
    audit.write(
        tx, organization_id, "link", "admin_approval_claimed", f"organization:{organization_id}", data
    )


def proved(tx: Transaction, organization_id: UUID, member_id: UUID) -> None:
    """Microsoft issued a token for this member, so the app is approved. Notify them and every waiting member without a token."""
    _LOCK_ORGANIZATION.run(tx, id=organization_id)
    notified = 0
    for each in _waiting_in(tx, organization_id):
        if each.id == member_id or each.mailbox_id is None:
            stop_waiting(tx, each.id)
            _notify(tx, organization_id, each, "admin_approved", claimed=False)
            notified += 1
        else:
            outbox.put(tx, CheckMailbox(each.mailbox_id, database_now(tx).isoformat()))
    if not notified:
        return
    early_warnings.recheck_lost(tx, organization_id, "admin_approval_required")
    _DROP_LINK.run(tx, id=organization_id)
    audit.write(
        tx,
        organization_id,
        "Microsoft",
        "admin_approved",
        f"organization:{organization_id}",
        {"notified": notified},
    )


def waits_with_token(tx: Transaction, mailbox_id: UUID) -> UUID | None:
    """Return the mailbox's owner if they wait for an approval and we only try their token; otherwise None."""
    return _WAITS_WITH_TOKEN.one_or_none(tx, id=mailbox_id)


def is_watched(tx: Transaction, member_id: UUID) -> bool:
    """Do we hold a token of the member's that shows when the approval is given?"""
    return _IS_WATCHED.one(tx, id=member_id)


def check_soon(tx: Transaction, member_id: UUID) -> None:
    """Have the member's token tried in the next round, because they are looking at the page. At most once a minute."""
    _CHECK_SOON.run(tx, id=member_id)


def _waiting_in(tx: Transaction, organization_id: UUID) -> list[Waiting]:
    return _WAITING_IN.all(tx, id=organization_id)


def _notify(tx: Transaction, organization_id: UUID, waiting: Waiting, cause: str, *, claimed: bool) -> None:
    key = f"{cause}:{waiting.id}:{waiting.since.isoformat()}"
    payload = AdminApproved(recipient=waiting.id, claimed=claimed)
    events.record(tx, organization_id, payload, key, "Microsoft")


def stop_waiting(tx: Transaction, member_id: UUID) -> None:
    """Clear the wait: the member has connected."""
    _STOP_WAITING.run(tx, id=member_id)
