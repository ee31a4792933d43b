"""Disable a connection without removing it: the first half (V1) of that withdrawal."""

from uuid import UUID

from db.audit import audit
from db.core.session import Transaction
from db.events import events
from db.mailboxes import senders
from db.mailboxes.sender_addresses import notify_admins
from db.withdrawing.withdrawals import MAILBOX, Scope, close_lanes, set_disconnected
from domain.connection import Provider
from domain.errors import NotFound, NotPermitted
from domain.event_payloads import MailboxDisconnected
from domain.events import mailbox_cause


def disable_mailbox(tx: Transaction, mailbox_id: UUID, *, actor: str) -> Scope:
    """Disable a connection and keep what it needs to come back. Raises ``NotFound``, ``NotPermitted``.

    Company sequences switch to the address that then applies; other sequences on the mailbox pause.
    """
    mailbox = MAILBOX.one_or_none(tx, id=mailbox_id)
    if mailbox is None:
        raise NotFound("There is no such mailbox.")
    if mailbox.provider == Provider.DEFAULT:
        raise NotPermitted(
            "The default mail service cannot be disabled: it sends when no other address is in use."
        )
    if mailbox.owner_id is None:
        senders.lock_lanes(tx, mailbox.organization_id)
    now = close_lanes(tx, [mailbox_id])
    mailbox = MAILBOX.one(tx, id=mailbox_id)
    # Also for a removed sender address; otherwise company sequences would wait for it forever.
    cause = mailbox_cause(mailbox_id, mailbox.connection_version)
    over = ("disabled",) if mailbox.owner_id is None else ("disabled", "removed")
    if mailbox.status != "never_connected" and mailbox.status_reason not in over:
        set_disconnected(tx, [mailbox_id], "disabled")
        senders.repoint(tx, mailbox.organization_id)
        payload = MailboxDisconnected(
            mailbox=mailbox.address, mailbox_id=mailbox_id, actor=actor, reason="disabled"
        )
        if mailbox.owner_id is None:
            notify_admins(tx, mailbox.organization_id, mailbox_id, mailbox.address, "out_of_use", actor=actor)
        audit.write(tx, mailbox.organization_id, actor, "mailbox_disabled", f"mailbox:{mailbox_id}", {})
        events.record(tx, mailbox.organization_id, payload, cause, actor)
    return Scope(mailbox.organization_id, now, mailbox_ids=[mailbox_id], cause=cause)
