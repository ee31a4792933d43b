"""A mailbox's address follows its account: Microsoft renames accounts, and lists may name people by something else."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.audit import audit
from db.core.session import Transaction
from db.events import events
from db.mailboxes import accounts
from db.mailboxes.mailboxes import Mailbox
from domain.errors import NotPermitted
from domain.event_payloads import MailboxRenamed


def follow(tx: Transaction, mailbox: Mailbox, address: str, *, actor: str) -> bool:
    """Give the mailbox, and its owner if they share its address, the address from which Microsoft sends now.

    A mailbox that was connected before shows the change and notifies once. Returns False if nothing changes. Raises
    ``NotPermitted``, without any change, if the address is taken.
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
        _notify(tx, mailbox, address, f"mailbox_renamed:{mailbox.id}:{at.isoformat()}", actor)
    return True


def try_to_follow(tx: Transaction, mailbox: Mailbox, address: str, *, actor: str) -> None:
    """Follow a rename when nobody waits for an answer: if the address is taken, notify once and leave the mailbox as it is."""
    try:
        follow(tx, mailbox, address, actor=actor)
    except NotPermitted as error:
        cause = f"mailbox_rename_refused:{mailbox.id}:{address}"
        _notify(tx, mailbox, address, cause, actor, refused=str(error))


def new_names(tx: Transaction, organization_id: UUID) -> dict[str, str]:
    """Map each mailbox's former addresses to its current one, unless somebody else has them now. For files with old addresses."""
    rows = tx.execute(
        text(
            "SELECT former.address AS before, b.address FROM mailboxes b CROSS JOIN LATERAL unnest(b.former_addresses) AS former(address)"
            " WHERE b.organization_id = :id AND NOT EXISTS (SELECT FROM mailboxes o WHERE o.address = former.address)"
            " AND NOT EXISTS (SELECT FROM members m WHERE m.organization_id = :id AND m.email = former.address) ORDER BY b.id"
        ),
        {"id": organization_id},
    ).all()
    return {row.before: row.address for row in rows}


def _notify(
    tx: Transaction, mailbox: Mailbox, address: str, cause: str, actor: str, *, refused: str | None = None
) -> None:
    payload = MailboxRenamed(
        mailbox=address,
        mailbox_id=mailbox.id,
        before=mailbox.address,
        actor=actor,
        recipient=mailbox.owner_id,
        reason=refused,
    )
    events.record(tx, mailbox.organization_id, payload, cause, actor)
