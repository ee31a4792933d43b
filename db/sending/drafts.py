"""Accepted emails that may still be in Drafts: when to check, what we saw, and what follows.

A row says when to check a sent delivery (``left_check_at``) and when we last saw it in Drafts (``still_draft_at``). One
listing of Drafts checks all of a mailbox's emails accepted more than ``SETTLED`` ago, however many there are.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.events import outbox, problems
from domain.connection import LEAVES_AFTER_ANSWER
from domain.jobs import CheckDrafts

SETTLED = timedelta(minutes=2)  # after acceptance; younger emails wait for the next listing
AGAIN = timedelta(minutes=15)  # until we look again for an email seen in Drafts
APART = timedelta(minutes=3)  # the shortest time between two listings of a mailbox


class _Checked(NamedTuple):
    mailbox_id: UUID
    drafts_checked_at: datetime


class _Waiting(NamedTuple):
    id: UUID
    draft_id: str
    seen: bool


class _Still(NamedTuple):
    id: UUID
    organization_id: UUID
    newly: bool


_SQL = SqlFile(__name__)
_PLAN = _SQL.statement("plan", _Checked)
_WAITING = _SQL.statement("waiting", _Waiting)
_GONE = _SQL.statement("gone")
_STILL = _SQL.statement("still", _Still)
_ORGANIZATION = Statement("SELECT organization_id FROM mailboxes WHERE id = :id", UUID)
_FREE_FOLLOW_UPS = _SQL.statement("free_follow_ups")
_WAKE_LANE = _SQL.statement("wake_lane")


def plan(tx: Transaction, limit: int = 100) -> int:
    """Put a check into the outbox for each mailbox with emails to check; returns how many."""
    rows = _PLAN.all(tx, apart=APART, limit=limit, providers=sorted(LEAVES_AFTER_ANSWER))
    for row in rows:
        outbox.put(tx, CheckDrafts(row.mailbox_id, row.drafts_checked_at.isoformat()))
    return len(rows)


def waiting(tx: Transaction, mailbox_id: UUID) -> dict[UUID, tuple[str, bool]]:
    """Return what one listing checks, by delivery: its draft, and whether we saw it in Drafts before."""
    rows = _WAITING.all(tx, id=mailbox_id, settled=SETTLED)
    return {row.id: (row.draft_id, row.seen) for row in rows}


def record(
    tx: Transaction,
    mailbox_id: UUID,
    *,
    gone: Collection[UUID],
    still: Collection[UUID],
    moved: Collection[UUID],
) -> None:
    """Record a listing. ``gone``: never seen in Drafts; ``still``: there now; ``moved``: seen there before, but not now.

    The caller has locked the lane. An email seen there for the first time causes a notice; one that has left frees its
    follow-up.
    """
    _GONE.run(tx, ids=[*gone, *moved])
    rows = _STILL.all(tx, ids=list(still), again=AGAIN)
    newly = [row for row in rows if row.newly]
    for row in newly:
        _audit(tx, row.organization_id, row.id, "email_still_in_drafts")
    if newly:
        problems.notify_of_drafts(tx, mailbox_id, min(row.id for row in newly))
    if moved:
        organization_id = _ORGANIZATION.one(tx, id=mailbox_id)
        for each in moved:
            _audit(tx, organization_id, each, "email_left_drafts")
        _FREE_FOLLOW_UPS.run(tx, id=mailbox_id)
        _WAKE_LANE.run(tx, id=mailbox_id)


def _audit(tx: Transaction, organization_id: UUID, delivery_id: UUID, what: str) -> None:
    audit.write(tx, organization_id, "onbehalf", what, f"delivery:{delivery_id}", {})
