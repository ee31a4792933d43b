"""A mailbox's address follows its account: Microsoft renames accounts, and people are listed under names that are no addresses."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.audit import audit
from db.core.session import Transaction
from db.events import events
from db.mailboxes import accounts
from db.mailboxes.mailboxes import Mailbox
from domain.errors import NotPermitted
from domain.events import EventKind


def follow(tx: Transaction, mailbox: Mailbox, address: str, *, actor: str) -> bool:
    """Let the mailbox, and its owner listed under the same address, have the one that Microsoft sends from now.

    A mailbox that was connected before shows it and tells once. False: it has it already. Raises ``NotPermitted``, and has
    changed nothing then.
    """
    if address == mailbox.address or not accounts.change_address(tx, mailbox, address):
        return False
    renamed = mailbox.connection_version > 0
    at: datetime = tx.execute(
        text(
            "UPDATE mailboxes SET former_addresses = array_append(array_remove(former_addresses, :now), :before),"
            " renamed_at = CASE WHEN :renamed THEN clock_timestamp() ELSE renamed_at END WHERE id = :id"
            " RETURNING clock_timestamp()"
        ),
        {"now": address, "before": mailbox.address, "renamed": renamed, "id": mailbox.id},
    ).scalar_one()
    action = "mailbox_renamed" if renamed else "mailbox_address_set"
    data = {"account_id": mailbox.account_id, "connection_version": mailbox.connection_version}
    audit.write(tx, mailbox.organization_id, actor, action, f"mailbox:{mailbox.id}", data)
    if renamed:
        _notify(tx, mailbox, f"mailbox_renamed:{mailbox.id}:{at.isoformat()}", actor, {"mailbox": address})
    return True


def try_to_follow(tx: Transaction, mailbox: Mailbox, address: str, *, actor: str) -> None:
    """The same where nobody waits for an answer: an address that is taken is one notice, and the mailbox stays as it is."""
    try:
        follow(tx, mailbox, address, actor=actor)
    except NotPermitted as error:
        cause = f"mailbox_rename_refused:{mailbox.id}:{address}"
        _notify(tx, mailbox, cause, actor, {"mailbox": address, "reason": str(error)})


def new_names(tx: Transaction, organization_id: UUID) -> dict[str, str]:
    """The present address of each mailbox by its earlier ones, where nobody else has those now. For files that name them."""
    rows = tx.execute(
        text(
            "SELECT former.address AS before, b.address FROM mailboxes b CROSS JOIN LATERAL unnest(b.former_addresses) AS former(address)"
            " WHERE b.organization_id = :id AND NOT EXISTS (SELECT FROM mailboxes o WHERE o.address = former.address)"
            " AND NOT EXISTS (SELECT FROM members m WHERE m.organization_id = :id AND m.email = former.address) ORDER BY b.id"
        ),
        {"id": organization_id},
    ).all()
    return {row.before: row.address for row in rows}


def _notify(tx: Transaction, mailbox: Mailbox, cause: str, actor: str, said: dict[str, str]) -> None:
    payload = {"mailbox_id": str(mailbox.id), "before": mailbox.address, "actor": actor, **said}
    if mailbox.owner_id is not None:
        payload["recipient"] = str(mailbox.owner_id)
    events.record(tx, mailbox.organization_id, EventKind.MAILBOX_RENAMED, cause, actor, payload)
