"""Taking a connection out of use without removing it: the first half (V1) of that withdrawal."""

from uuid import UUID

from sqlalchemy import text

from db.audit import audit
from db.core.session import Transaction
from db.events import events
from db.mailboxes import senders
from db.mailboxes.sender_addresses import notify_admins
from db.withdrawing.withdrawals import Scope, close_lanes, set_disconnected
from domain.connection import Provider
from domain.errors import NotFound, NotPermitted
from domain.events import EventKind, mailbox_cause


def disable_mailbox(tx: Transaction, mailbox_id: UUID, *, actor: str) -> Scope:
    """Take a connection out of use, and keep what it needs to come back. Raises ``NotFound``, ``NotPermitted``.

    A company's sequences move on to the address that counts then; what else sends from it pauses.
    """
    mailbox = tx.execute(text("SELECT * FROM mailboxes WHERE id = :id"), {"id": mailbox_id}).one_or_none()
    if mailbox is None:
        raise NotFound("There is no such mailbox.")
    if mailbox.provider == Provider.DEFAULT:
        raise NotPermitted("The default mail service is what is used when nothing else is; it stays.")
    if mailbox.owner_id is None:
        senders.lock_lanes(tx, mailbox.organization_id)
    now = close_lanes(tx, [mailbox_id])
    mailbox = tx.execute(text("SELECT * FROM mailboxes WHERE id = :id"), {"id": mailbox_id}).one()
    # A company's removed address too: without this its sequences would wait for it for ever.
    cause = mailbox_cause(mailbox_id, mailbox.connection_version)
    over = ("disabled",) if mailbox.owner_id is None else ("disabled", "removed")
    if mailbox.status != "never_connected" and mailbox.status_reason not in over:
        set_disconnected(tx, [mailbox_id], "disabled")
        senders.repoint(tx, mailbox.organization_id)
        payload = {
            "mailbox": mailbox.address,
            "mailbox_id": str(mailbox_id),
            "actor": actor,
            "reason": "disabled",
        }
        if mailbox.owner_id is None:
            notify_admins(tx, mailbox.organization_id, mailbox_id, mailbox.address, "out_of_use", actor=actor)
        audit.write(tx, mailbox.organization_id, actor, "mailbox_disabled", f"mailbox:{mailbox_id}", {})
        events.record(tx, mailbox.organization_id, EventKind.MAILBOX_DISCONNECTED, cause, actor, payload)
    return Scope(mailbox.organization_id, now, mailbox_ids=[mailbox_id], cause=cause)
