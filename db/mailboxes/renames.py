"""A mailbox's address follows its account: providers rename accounts, and lists may name people by something else."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.session import Transaction
from db.core.statements import SqlFile
from db.events import events
from db.mailboxes import accounts
from db.mailboxes.mailboxes import Mailbox
from domain.errors import NotPermitted
from domain.event_payloads import MailboxRenamed


class _NewName(NamedTuple):
    before: str
    address: str


_SQL = SqlFile(__name__)
_NOTE_RENAME = _SQL.statement("note_rename", datetime)
_NEW_NAMES = _SQL.statement("new_names", _NewName)


def follow(tx: Transaction, mailbox: Mailbox, address: str, *, actor: str) -> bool:
    """Give the mailbox, and its owner if they share its address, the address from which its provider sends now.

    A mailbox that was connected before shows the change and notifies once. Returns False if nothing changes. Raises
    ``NotPermitted``, without any change, if the address is taken.
    """
    if address == mailbox.address or not accounts.change_address(tx, mailbox, address):
        return False
    renamed = mailbox.connection_version > 0
    at = _NOTE_RENAME.one(tx, now=address, before=mailbox.address, renamed=renamed, id=mailbox.id)
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
    return {row.before: row.address for row in _NEW_NAMES.all(tx, id=organization_id)}


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
