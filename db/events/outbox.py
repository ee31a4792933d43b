"""Jobs committed with the change that caused them, and the inbox that makes each take effect once.

A row is done when it was *consumed*, in the consumer's own transaction; until then the relay enqueues it again.
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
from domain.jobs import OUTBOX_JOBS, OutboxJob

ENQUEUE_AGAIN_AFTER = timedelta(seconds=60)
MAX_ENQUEUED = 20

# One job, for a statement of its own or ``FROM`` what the one that makes the change returns; ``entry`` gives its parameters.
INSERT = (
    "INSERT INTO outbox (id, kind, dedupe_key, payload, available_at)"
    " SELECT :job_id, :job_kind, :job_key, CAST(:job AS jsonb), clock_timestamp() + :job_after"
)
ONCE = "ON CONFLICT (dedupe_key) DO NOTHING"
_PUT = Statement(f"{INSERT} {ONCE}")
_TYPES = {job.actor: job for job in OUTBOX_JOBS}


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """What the message carries: which row, and the queue its actor listens on."""

    id: UUID
    actor: str
    queue: str


def put(tx: Transaction, job: OutboxJob, *, after: timedelta = timedelta()) -> None:
    """Commit ``job`` with the current change. The same job twice is one row."""
    _PUT.run(tx, **entry(job, after=after))


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
    """Rows to enqueue now: new ones, and those enqueued a minute ago and not consumed. Parks what was enqueued too often.

    Never "all ids after the last one": ids are given before commits, and a late commit would be skipped for ever.
    """
    rows = tx.execute(
        text(
            "UPDATE outbox SET published_at = clock_timestamp(), attempts = attempts + 1,"
            "   parked_at = CASE WHEN attempts >= :most THEN clock_timestamp() END"
            " WHERE id IN (SELECT id FROM outbox WHERE done_at IS NULL AND parked_at IS NULL"
            "   AND available_at <= now()"
            "   AND (published_at IS NULL OR published_at < now() - :again)"
            # Webhooks come last: a crowd of calls to a slow receiver keeps nothing else waiting.
            "   ORDER BY kind = 'call_webhook', available_at LIMIT :limit FOR UPDATE SKIP LOCKED)"
            " RETURNING id, kind, parked_at"
        ),
        {"again": ENQUEUE_AGAIN_AFTER, "limit": limit, "most": MAX_ENQUEUED},
    ).all()
    return [OutboxRow(row.id, row.kind, _TYPES[row.kind].queue) for row in rows if row.parked_at is None]


def load(tx: Transaction, outbox_id: UUID) -> OutboxJob | None:
    """The job of a row that is not done yet; None when it is done or unknown."""
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
    """Claim the row for ``consumer`` in the transaction of its effect. False: it took effect before."""
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
    """Enqueue it again after ``wait``: something this job needs has not happened yet. Does not count as an attempt."""
    tx.execute(
        text(
            "UPDATE outbox SET published_at = NULL, available_at = clock_timestamp() + :wait,"
            " attempts = greatest(attempts - 1, 0) WHERE id = :id AND done_at IS NULL"
        ),
        {"id": outbox_id, "wait": wait},
    )


def unfinished_pauses(tx: Transaction, event_id: UUID) -> int:
    """How many pauses of an event are still to be made."""
    count: int = tx.execute(
        text(
            "SELECT count(*) FROM outbox WHERE kind = 'pause_sequence' AND done_at IS NULL AND parked_at IS NULL"
            " AND payload->>'event_id' = :event_id"
        ),
        {"event_id": str(event_id)},
    ).scalar_one()
    return count


def purge_done(tx: Transaction, older_than: timedelta) -> int:
    """Forget rows consumed long ago, with their inbox entries; returns how many."""
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
    """How many jobs were enqueued too often and wait for an operator."""
    count: int = tx.execute(
        text("SELECT count(*) FROM outbox WHERE parked_at IS NOT NULL AND done_at IS NULL")
    ).scalar_one()
    return count
