"""Jobs committed with the change that caused them, and the inbox that makes each take effect once.

A row is done when it was *consumed*, in the consumer's own transaction. Until then the relay enqueues it again.
"""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import Statement
from domain.jobs import OUTBOX_JOBS, Announce, FanOut, OutboxJob, PauseSequence

ENQUEUE_AGAIN_AFTER = timedelta(seconds=60)
MAX_ENQUEUED = 20

# Inserts one job: alone, or ``FROM`` what the statement that makes the change returns. ``entry`` gives the parameters.
INSERT = (
    "INSERT INTO outbox (id, kind, dedupe_key, payload, available_at)"
    " SELECT :job_id, :job_kind, :job_key, CAST(:job AS jsonb), clock_timestamp() + :job_after"
)
ONCE = "ON CONFLICT (dedupe_key) DO NOTHING"
_PUT = Statement(f"{INSERT} {ONCE}")
_TYPES = {job.actor: job for job in OUTBOX_JOBS}


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """What the message carries: the row, and the actor and queue that it is for."""

    id: UUID
    actor: str
    queue: str


def put(tx: Transaction, job: OutboxJob, *, after: timedelta = timedelta()) -> bool:
    """Commit ``job`` with the current change. The same job twice is one row; False: it is on record already."""
    return bool(_PUT.run(tx, **entry(job, after=after)))


def entry(job: OutboxJob, *, after: timedelta = timedelta()) -> dict[str, object]:
    """The parameters of ``INSERT``."""
    payload = {name: str(value) for name, value in asdict(job).items()}
    return {
        "job_id": new_id(),
        "job_kind": job.actor,
        "job_key": ":".join((job.actor, *payload.values())),
        "job": dump_json(payload),
        "job_after": after,
    }


def take_unpublished(tx: Transaction, limit: int = 200) -> list[OutboxRow]:
    """Return rows to enqueue now: new ones, and those enqueued a minute ago but not consumed. Parks rows enqueued too often.

    Never selects "all ids after the last one": ids are assigned before the commit, so a late commit would be skipped forever.
    """
    rows = tx.execute(
        text(
            "UPDATE outbox SET published_at = clock_timestamp(), attempts = attempts + 1,"
            "   parked_at = CASE WHEN attempts >= :most THEN clock_timestamp() END"
            " WHERE id IN (SELECT id FROM outbox WHERE done_at IS NULL AND parked_at IS NULL"
            "   AND available_at <= now()"
            "   AND (published_at IS NULL OR published_at < now() - :again)"
            # Webhooks come last, so that many calls to a slow receiver hold up nothing else.
            "   ORDER BY kind = 'call_webhook', available_at LIMIT :limit FOR UPDATE SKIP LOCKED)"
            " RETURNING id, kind, parked_at, payload"
        ),
        {"again": ENQUEUE_AGAIN_AFTER, "limit": limit, "most": MAX_ENQUEUED},
    ).all()
    # What is given up is not waited for.
    waited_for = (FanOut.actor, PauseSequence.actor)
    given_up = [row for row in rows if row.parked_at is not None and row.kind in waited_for]
    for event_id in sorted({UUID(row.payload["event_id"]) for row in given_up}):
        announce_when_paused(tx, event_id)
    return [OutboxRow(row.id, row.kind, _TYPES[row.kind].queue) for row in rows if row.parked_at is None]


def load(tx: Transaction, outbox_id: UUID) -> OutboxJob | None:
    """Return the job of an open row, or None if the row is done or unknown."""
    row = tx.execute(
        text("SELECT kind, payload FROM outbox WHERE id = :id AND done_at IS NULL"),
        {"id": outbox_id},
    ).one_or_none()
    if row is None:
        return None
    kind = _TYPES[row.kind]
    values: dict[str, Any] = {
        name: value if name == "round" else UUID(value) for name, value in row.payload.items()
    }
    return kind(**values)


def consume(tx: Transaction, consumer: str, outbox_id: UUID) -> bool:
    """Claim the row for ``consumer`` in the transaction of its effect. Returns False if it took effect before."""
    claimed = tx.execute(
        text(
            "INSERT INTO inbox (consumer, outbox_id) VALUES (:consumer, :id) ON CONFLICT DO NOTHING RETURNING outbox_id"
        ),
        {"consumer": consumer, "id": outbox_id},
    ).one_or_none()
    tx.execute(
        text("UPDATE outbox SET done_at = coalesce(done_at, clock_timestamp()) WHERE id = :id"),
        {"id": outbox_id},
    )
    return claimed is not None


def snooze(tx: Transaction, outbox_id: UUID, wait: timedelta) -> None:
    """Enqueue the row again after ``wait``, because something the job needs has not happened. Does not count as an attempt."""
    tx.execute(
        text(
            "UPDATE outbox SET published_at = NULL, available_at = clock_timestamp() + :wait,"
            " attempts = greatest(attempts - 1, 0) WHERE id = :id AND done_at IS NULL"
        ),
        {"id": outbox_id, "wait": wait},
    )


def announce_when_paused(tx: Transaction, event_id: UUID) -> bool:
    """Announce an event that is spread and whose last pause has ended. Returns False if it is announced already.

    Called after each pause, in its transaction: the last one to ask sees all others.
    """
    tx.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('announce ' || :id, 0))"), {"id": str(event_id)}
    )
    announce = Announce(event_id)
    announced, unfinished = tx.execute(
        text(
            "SELECT EXISTS (SELECT FROM outbox WHERE dedupe_key = :key), EXISTS (SELECT FROM outbox"
            " WHERE kind IN ('fan_out', 'pause_sequence') AND done_at IS NULL AND parked_at IS NULL"
            " AND payload->>'event_id' = :event_id)"
        ),
        {"key": entry(announce)["job_key"], "event_id": str(event_id)},
    ).one()
    if not announced and not unfinished:
        put(tx, announce)
    return not announced


def purge_done(tx: Transaction, older_than: timedelta) -> int:
    """Delete rows consumed long ago, with their inbox entries; returns how many."""
    purged = tx.execute(
        text(
            "WITH gone AS (DELETE FROM outbox WHERE done_at < now() - :age RETURNING id),"
            " forgotten AS (DELETE FROM inbox USING gone WHERE inbox.outbox_id = gone.id)"
            " SELECT count(*) FROM gone"
        ),
        {"age": older_than},
    ).scalar_one()
    return int(purged)


def parked(tx: Transaction) -> int:
    """Count jobs that were enqueued too often and wait for an operator."""
    count: int = tx.execute(
        text("SELECT count(*) FROM outbox WHERE parked_at IS NOT NULL AND done_at IS NULL")
    ).scalar_one()
    return count
