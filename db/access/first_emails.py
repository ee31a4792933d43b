"""Permissions whose first email waits until the mailbox's owner has read it. Everything here is written while the mailbox's lane is held."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from domain.approval import WAITS_FOR_OWNER, Approval

SHOWN = 50


class First(NamedTuple):
    """A permission whose first email waits. ``person``: whose sequence; ``emails``: that wait on it, up to 100; ``since``: of the oldest."""

    grant_id: UUID
    organization_id: UUID
    mailbox_owner_id: UUID
    asked_since: str
    mailbox: str
    delivery_id: UUID
    person: str
    sequence: str
    since: datetime
    emails: int


class _Held(NamedTuple):
    organization_id: UUID
    mailbox_id: UUID


_SQL = SqlFile(__name__)
_LOCK = _SQL.statement("lock", _Held)
_ASK, _STOP, _READ = _SQL.statement("ask"), _SQL.statement("stop"), _SQL.statement("read")
_RELEASE = _SQL.statement("release")
_STALE = _SQL.statement("stale", UUID)
_LOCK_LANE = Statement("SELECT 1 FROM lanes WHERE mailbox_id = :id FOR UPDATE")
_WAITING = _SQL.statement("waiting", First)


def ask(tx: Transaction, grant_id: UUID, *, actor: str) -> bool:
    """Have the next email on a permission wait for the mailbox's owner; returns False if it has ended, or waits for one already."""
    held = _LOCK.one_or_none(tx, id=grant_id)
    if held is None or not _ASK.run(tx, id=grant_id):
        return False
    audit.write(tx, held.organization_id, actor, "first_email_asked", f"grant:{grant_id}", {})
    return True


def stop_asking(tx: Transaction, grant_id: UUID, *, actor: str) -> bool:
    """Let a permission send by itself; returns False if it has ended, or does so already."""
    held = _LOCK.one_or_none(tx, id=grant_id)
    if held is None or not _STOP.run(tx, id=grant_id):
        return False
    audit.write(tx, held.organization_id, actor, "first_email_not_asked", f"grant:{grant_id}", {})
    release(tx, held.mailbox_id)
    return True


def lock(tx: Transaction, grant_id: UUID) -> bool:
    """Hold the lane of a permission's mailbox; returns whether the permission is in force."""
    return _LOCK.one_or_none(tx, id=grant_id) is not None


def approve(tx: Transaction, grant_id: UUID, delivery_id: UUID, approval: Approval) -> None:
    """Record the owner's approval of the first email, and let go what waited. The caller holds the lane, and has compared the text."""
    held = _LOCK.one(tx, id=grant_id)
    _READ.run(tx, id=grant_id, approval=dump_json(approval.to_json()))
    data = {"delivery": str(delivery_id), "text": approval.text}
    audit.write(tx, held.organization_id, approval.by, "first_email_approved", f"grant:{grant_id}", data)
    release(tx, held.mailbox_id)


def release(tx: Transaction, mailbox_id: UUID) -> None:
    """Let go what waits for a mailbox's owner. What still has to wait is held again as soon as its turn comes."""
    _RELEASE.run(tx, mailbox_id=mailbox_id, waits=WAITS_FOR_OWNER)


def release_stale(tx: Transaction) -> None:
    """Let go what waits for an owner whose permission has ended, where another permission covers it."""
    for mailbox_id in _STALE.all(tx, waits=WAITS_FOR_OWNER):
        _LOCK_LANE.run(tx, id=mailbox_id)
        release(tx, mailbox_id)


def waiting(
    tx: Transaction, mailbox_owner_id: UUID | None = None, grant_id: UUID | None = None
) -> list[First]:
    """Return permissions on which an email waits for the mailbox's owner, of one owner, one of them, or all; those that wait longest first."""
    return _WAITING.all(tx, owner_id=mailbox_owner_id, grant_id=grant_id, waits=WAITS_FOR_OWNER, shown=SHOWN)
