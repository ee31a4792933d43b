"""Jobs committed with the change that caused them, and the inbox that makes each take effect once.

A row is done when it was *consumed*, in the consumer's own transaction. Until then the relay enqueues it again.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from db.core.ids import new_id
from db.core.jsonb import Json, dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from domain.jobs import OUTBOX_JOBS, Announce, FanOut, OutboxJob, PauseSequence

ENQUEUE_AGAIN_AFTER = timedelta(seconds=60)
MAX_ENQUEUED = 20


class _Taken(NamedTuple):
    id: UUID
    kind: str
    parked_at: datetime | None
    payload: Json


class _Job(NamedTuple):
    kind: str
    payload: Json


class ParkedJob(NamedTuple):
    """A job that was enqueued too often without being consumed. ``kind``: its actor. ``payload``: ids."""

    id: UUID
    kind: str
    payload: Json
    attempts: int
    created_at: datetime
    parked_at: datetime


class _Announcement(NamedTuple):
    announced: bool
    unfinished: bool


_SQL = SqlFile(__name__)
INSERT, ONCE = _SQL.fragment("insert"), _SQL.fragment("once")  # parts of the statement that makes the change
_PUT = _SQL.statement("put")
_TAKE_UNPUBLISHED = _SQL.statement("take_unpublished", _Taken)
_LOAD = Statement("SELECT kind, payload FROM outbox WHERE id = :id AND done_at IS NULL", _Job)
_CLAIM = Statement(
    "INSERT INTO inbox (consumer, outbox_id) VALUES (:consumer, :id) ON CONFLICT DO NOTHING RETURNING outbox_id",
    UUID,
)
_DONE = Statement("UPDATE outbox SET done_at = coalesce(done_at, clock_timestamp()) WHERE id = :id")
_SNOOZE = _SQL.statement("snooze")
_LOCK_ANNOUNCEMENT = Statement("SELECT pg_advisory_xact_lock(hashtextextended('announce ' || :id, 0))")
_ANNOUNCEMENT = _SQL.statement("announcement", _Announcement)
_PURGE_DONE = _SQL.statement("purge_done", int)
_PARKED = Statement("SELECT count(*) FROM outbox WHERE parked_at IS NOT NULL AND done_at IS NULL", int)
_PARKED_JOBS = Statement(
    "SELECT id, kind, payload, attempts, created_at, parked_at FROM outbox"
    " WHERE parked_at IS NOT NULL AND done_at IS NULL ORDER BY id LIMIT :limit",
    ParkedJob,
)
_RETRY = _SQL.statement("retry", UUID)
_TYPES = {job.actor: job for job in OUTBOX_JOBS}


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """What the message carries: the row, and the actor and queue that it is for."""

    id: UUID
    actor: str
    queue: str


def put(tx: Transaction, job: OutboxJob, *, after: timedelta = timedelta(), again: str = "") -> bool:
    """Commit ``job`` with the current change. The same job twice is one row; False: it is on record already.

    ``again``: sets it apart from the same job that was done before.
    """
    return bool(_PUT.run(tx, **entry(job, after=after, again=again)))


def entry(job: OutboxJob, *, after: timedelta = timedelta(), again: str = "") -> dict[str, object]:
    """The parameters of ``INSERT``."""
    payload = {name: str(value) for name, value in asdict(job).items()}
    return {
        "job_id": new_id(),
        "job_kind": job.actor,
        "job_key": ":".join((job.actor, *payload.values(), *([again] if again else []))),
        "job": dump_json(payload),
        "job_after": after,
    }


def take_unpublished(tx: Transaction, limit: int = 200) -> list[OutboxRow]:
    """Return rows to enqueue now: new ones, and those enqueued a minute ago but not consumed. Parks rows enqueued too often.

    Never selects "all ids after the last one": ids are assigned before the commit, so a late commit would be skipped forever.
    """
    rows = _TAKE_UNPUBLISHED.all(tx, again=ENQUEUE_AGAIN_AFTER, limit=limit, most=MAX_ENQUEUED)
    # What is given up is not waited for.
    waited_for = (FanOut.actor, PauseSequence.actor)
    given_up = [row for row in rows if row.parked_at is not None and row.kind in waited_for]
    for event_id in sorted({UUID(row.payload["event_id"]) for row in given_up}):
        announce_when_paused(tx, event_id)
    return [OutboxRow(row.id, row.kind, _TYPES[row.kind].queue) for row in rows if row.parked_at is None]


def load(tx: Transaction, outbox_id: UUID) -> OutboxJob | None:
    """Return the job of an open row, or None if the row is done or unknown."""
    row = _LOAD.one_or_none(tx, id=outbox_id)
    if row is None:
        return None
    kind = _TYPES[row.kind]
    values: dict[str, Any] = {
        name: value if name == "round" else UUID(value) for name, value in row.payload.items()
    }
    return kind(**values)


def consume(tx: Transaction, consumer: str, outbox_id: UUID) -> bool:
    """Claim the row for ``consumer`` in the transaction of its effect. Returns False if it took effect before."""
    claimed = _CLAIM.one_or_none(tx, consumer=consumer, id=outbox_id)
    _DONE.run(tx, id=outbox_id)
    return claimed is not None


def snooze(tx: Transaction, outbox_id: UUID, wait: timedelta) -> None:
    """Enqueue the row again after ``wait``, because something the job needs has not happened. Does not count as an attempt."""
    _SNOOZE.run(tx, id=outbox_id, wait=wait)


def announce_when_paused(tx: Transaction, event_id: UUID) -> bool:
    """Announce an event that is spread and whose last pause has ended. Returns False if it is announced already.

    Called after each pause, in its transaction: the last one to ask sees all others.
    """
    _LOCK_ANNOUNCEMENT.run(tx, id=str(event_id))
    announce = Announce(event_id)
    stands = _ANNOUNCEMENT.one(tx, key=entry(announce)["job_key"], event_id=str(event_id))
    if not stands.announced and not stands.unfinished:
        put(tx, announce)
    return not stands.announced


def purge_done(tx: Transaction, older_than: timedelta) -> int:
    """Delete rows consumed long ago, with their inbox entries; returns how many."""
    return _PURGE_DONE.one(tx, age=older_than)


def parked(tx: Transaction) -> int:
    """Count jobs that were enqueued too often and wait for an operator."""
    return _PARKED.one(tx)


def parked_jobs(tx: Transaction, limit: int = 50) -> list[ParkedJob]:
    """Return the jobs that wait for an operator, the oldest first."""
    return _PARKED_JOBS.all(tx, limit=limit)


def retry(tx: Transaction, job_id: UUID | None = None) -> int:
    """Enqueue a parked job again, or all of them, as if for the first time. Returns how many; a job may run twice without harm."""
    return len(_RETRY.all(tx, id=job_id))
