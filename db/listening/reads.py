"""When mailboxes are read, by whom, and how far: one row a mailbox.

Locks are taken in the usual order: the lane, then everything else.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from db.core.ids import new_id
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.sending.reconcile_attempts import free_slot, take_slot
from domain.connection import READABLE
from domain.jobs import ReadMailbox
from domain.listening.bookmarks import NONE, Bookmarks
from domain.listening.cadence import (
    APART,
    HEARD_FOR,
    SOONEST,
    read_as_of,
    wait_after_failure,
    wait_until_next,
)

LEASE = timedelta(seconds=45)  # renewed with every page
ENQUEUE_AGAIN_AFTER = timedelta(seconds=60)
MAX_QUEUED = 1000  # messages that no worker has taken
_NO_SLOT = timedelta(seconds=1)
_NOT_CONNECTED = timedelta(minutes=15)


class _Planned(NamedTuple):
    mailbox_id: UUID
    round: int


class _Taken(NamedTuple):
    organization_id: UUID
    watermark: datetime
    failing_since: datetime | None
    provider: str
    address: str
    former_addresses: list[str]
    connection_version: int
    began: datetime
    log_read: str | None
    log_newest: str | None
    log_newest_at: datetime | None


class Failing(NamedTuple):
    """How many readings of a mailbox in a row have failed, and since when, on the database's clock. None: it is not the provider's."""

    failures: int
    failing_since: datetime | None
    now: datetime


class _Prospects(NamedTuple):
    now: datetime
    last_sent_at: datetime | None
    somebody_waits: bool


_SQL = SqlFile(__name__)
_BEGIN_WITH, _WATCH, _HASTEN = (_SQL.statement(name) for name in ("begin_with", "watch", "hasten"))
_PLAN = _SQL.statement("plan", _Planned)
_TAKE = _SQL.statement("take", _Taken)
_POSTPONE, _LEAVE_ALONE = _SQL.statement("postpone"), _SQL.statement("leave_alone")
_HOLD_SLOT, _KEEP, _FINISH = (_SQL.statement(name) for name in ("hold_slot", "keep", "finish"))
_PROSPECTS = _SQL.statement("prospects", _Prospects)
_FAIL, _WAIT = _SQL.statement("fail", Failing), _SQL.statement("wait")
_FAILED = Statement(
    "SELECT EXISTS (SELECT FROM mailbox_reads WHERE mailbox_id = ANY(:ids) AND failures > 0)", bool
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One worker's turn to read a mailbox, valid while the row has its ``lease``. ``began``: on the database's clock.

    ``failing_for``: how long the readings before it have failed. ``bookmarks``: of this connection's log.
    """

    mailbox_id: UUID
    organization_id: UUID
    provider: str
    addresses: tuple[str, ...]
    connection_version: int
    watermark: datetime
    began: datetime
    lease: UUID
    slot: UUID
    failing_for: timedelta = timedelta()
    bookmarks: Bookmarks = NONE


def watch(tx: Transaction, limit: int = 500) -> int:
    """Begin with mailboxes that sent and are not read yet, and read soon those that sent just now; returns how many."""
    begun = _WATCH.run(tx, readable=sorted(READABLE), heard_for=HEARD_FOR, limit=limit)
    return begun + _HASTEN.run(tx, soon=SOONEST)


def plan(tx: Transaction, *, limit: int = 200, bound: int = MAX_QUEUED) -> list[ReadMailbox]:
    """Return the mailboxes to read now, those that have waited longest first. Repeats in a minute if no worker takes one.

    Enqueue the messages only after this transaction has committed.
    """
    rows = _PLAN.all(tx, limit=limit, bound=bound, again=ENQUEUE_AGAIN_AFTER)
    return [ReadMailbox(row.mailbox_id, row.round) for row in rows]


def begin(tx: Transaction, mailbox_id: UUID, round_: int | None = None) -> Reading | None:
    """Take the turn and the mailbox's slot, or return None: somebody else reads, or it is no longer this round's turn.

    ``round_`` None: whatever was planned; begins with a mailbox that was not read before.
    """
    slot = take_slot(tx, mailbox_id)  # the lane first, as always
    if round_ is None:
        _BEGIN_WITH.run(tx, id=mailbox_id, heard_for=HEARD_FOR)
    if slot is None:
        _POSTPONE.run(tx, id=mailbox_id, round=round_, soon=_NO_SLOT)
        return None
    lease = new_id()
    row = _TAKE.one_or_none(
        tx, id=mailbox_id, lease=lease, round=round_, readable=sorted(READABLE), lasts=LEASE
    )
    if row is None:
        free_slot(tx, mailbox_id, slot)
        _LEAVE_ALONE.run(tx, id=mailbox_id, wait=_NOT_CONNECTED)
        return None
    return Reading(
        mailbox_id,
        row.organization_id,
        row.provider,
        (row.address, *row.former_addresses),
        row.connection_version,
        row.watermark,
        row.began,
        lease,
        slot,
        row.began - (row.failing_since or row.began),
        Bookmarks(row.log_read, row.log_newest, row.log_newest_at),
    )


def keep(tx: Transaction, reading: Reading, watermark: datetime, *, seen: int, matched: int) -> bool:
    """Record a page, and hold on to turn and slot. Returns False if the turn is another worker's by now.

    ``watermark``: when the page's last item was received. What lies before it is read; a reading that breaks off goes on there.
    """
    _HOLD_SLOT.run(tx, id=reading.mailbox_id, slot=reading.slot, lasts=LEASE)
    kept = _KEEP.run(
        tx,
        id=reading.mailbox_id,
        lease=reading.lease,
        watermark=watermark,
        seen=seen,
        matched=matched,
        lasts=LEASE,
    )
    return kept == 1


def finish(
    tx: Transaction,
    reading: Reading,
    *,
    complete: bool,
    watermark: datetime | None = None,
    bookmarks: Bookmarks | None = None,
) -> bool:
    """Give turn and slot to others. ``complete``: it was read to its end; otherwise it goes on as soon as it can.

    ``watermark``: what was received before is read, now that all is. ``bookmarks``: where the log is read from next, if that changed.
    Returns False if the turn was another worker's by then: nothing is certain about what we read.
    """
    free_slot(tx, reading.mailbox_id, reading.slot)
    wait: timedelta | None = timedelta()
    if complete:
        known = _PROSPECTS.one(tx, id=reading.mailbox_id)
        wait = wait_until_next(known.last_sent_at, known.now, somebody_waits=known.somebody_waits)
    bookmarks = bookmarks or reading.bookmarks
    finished = _FINISH.run(
        tx,
        id=reading.mailbox_id,
        lease=reading.lease,
        as_of=read_as_of(reading.provider, reading.began),
        complete=complete,
        watermark=watermark or reading.watermark,
        log_read=bookmarks.read,
        log_newest=bookmarks.newest,
        log_newest_at=bookmarks.newest_at,
        connection=reading.connection_version,
        wait=wait,
        apart=APART,
    )
    return finished == 1


def give_up(
    tx: Transaction, reading: Reading, error: str, asked: timedelta = timedelta(), *, counts: bool = True
) -> Failing | None:
    """Give turn and slot to others after a failure: the mailbox counts as unread, and the wait grows.

    ``error``: a code or a class. ``asked``: for how long the provider wants to be left alone. ``counts``: it is the provider's
    trouble, and may pass. Returns None if the turn was another worker's by then.
    """
    free_slot(tx, reading.mailbox_id, reading.slot)
    failing = _FAIL.one_or_none(tx, id=reading.mailbox_id, lease=reading.lease, error=error, counts=counts)
    if failing is not None:
        _WAIT.run(tx, id=reading.mailbox_id, wait=wait_after_failure(failing.failures, asked))
    return failing


def goes_on(tx: Transaction, mailbox_ids: Collection[UUID]) -> bool:
    """Is each of these mailboxes being read, or about to be? False: the last reading of one of them failed."""
    return not _FAILED.one(tx, ids=list(mailbox_ids))
