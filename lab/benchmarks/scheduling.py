"""(b) Ticks over millions of waiting rows, (c) latency from due to request, (e) one hog among many."""

import random
import time
from collections import Counter, defaultdict
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.sending import dispatch
from lab.benchmarks.bed import Bed, percentile, threads_of

Row = dict[str, Any]

# Waiting rows as after weeks of use: spread over lanes, none due today. Foreign keys are not checked: the point
# is the size of the table, and the enrollments of five million people would take longer than everything else
# here.
_WAITING = """
INSERT INTO deliveries (id, organization_id, enrollment_id, sequence_id, step_id, mailbox_id, due_at)
SELECT gen_random_uuid(), :organization, gen_random_uuid(), :sequence, :step, (CAST(:mailboxes AS uuid[]))[1 + n % :lanes],
  clock_timestamp() + interval '1 day' + n % 1000000 * interval '1 second'
FROM generate_series(1, :rows) n
"""


def ticks(bed: Bed, sizes: list[int]) -> list[Row]:
    """Tick time and rows touched with this many people waiting. In each tick 200 lanes have one email due."""
    world = bed.stage.world
    boxes = bed.mailboxes(200, 0)
    sequences = dict(boxes)
    step = world.one("SELECT id FROM steps WHERE sequence_id = :id", id=boxes[0][1])
    rows, waiting = [], 0
    for size in sizes:
        with world.database.engine.connect() as connection:
            connection.execute(text("SET session_replication_role = replica"))
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(
                text(_WAITING),
                {
                    "organization": world.organization_id,
                    "sequence": boxes[0][1],
                    "step": step,
                    "mailboxes": [box for box, _ in boxes],
                    "lanes": len(boxes),
                    "rows": size - waiting,
                },
            )
            connection.commit()
            connection.execute(text("SET session_replication_role = DEFAULT"))
            connection.rollback()
        waiting = size
        with world.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("VACUUM ANALYZE deliveries"))
        rows.append({"waiting": size, **_measure_ticks(bed, sequences)})
    return rows


def _measure_ticks(bed: Bed, sequences: dict[UUID, UUID], rounds: int = 12) -> Row:
    world = bed.stage.world
    took, touched = [], []
    for _ in range(rounds):
        for sequence in sequences.values():
            world.enroll(sequence, 1)
        world.run("UPDATE lanes SET tokens = 4, refilled_at = clock_timestamp()")
        before = _touched(bed)
        with world.database.transaction() as tx:
            began = time.perf_counter()
            jobs = dispatch.queue_due(tx)
            took.append(time.perf_counter() - began)
        assert len(jobs) == len(sequences), len(jobs)
        touched.append(_touched(bed) - before)
        world.force(
            "UPDATE deliveries SET state = 'closed', outcome = 'cancelled', reason = 'bench' WHERE state = 'queued'"
        )
    idle = []
    for _ in range(20):
        with world.database.transaction() as tx:
            began = time.perf_counter()
            dispatch.queue_due(tx)
            idle.append(time.perf_counter() - began)
    return {
        "tick_ms_200_due": 1000 * percentile(took, 0.5),
        "tick_ms_200_due_p99": 1000 * max(took),
        "tick_ms_idle": 1000 * percentile(idle, 0.5),
        "rows_touched": round(percentile([float(each) for each in touched], 0.5)),
    }


def _touched(bed: Bed) -> int:
    bed.stage.world.rows("SELECT pg_stat_force_next_flush()")
    found = bed.stage.world.one(
        "SELECT coalesce(sum(seq_tup_read + idx_tup_fetch + n_tup_upd), 0) FROM pg_stat_user_tables"
        " WHERE relname IN ('deliveries', 'lanes')"
    )
    return int(str(found))


def latency(bed: Bed, *, probes: int, load_per_second: float) -> Row:
    """Seconds from when an email is due to when the provider accepts it, under a load of other emails per second."""
    world = bed.stage.world
    seconds = probes * 0.25
    if load_per_second:
        for _, sequence in bed.mailboxes(int(load_per_second * seconds / 4) + 1, 0):
            world.enroll(sequence, 4)
            world.run(
                "UPDATE deliveries SET due_at = clock_timestamp() + :wait WHERE sequence_id = :id",
                wait=_later(random.uniform(0, seconds)),
                id=sequence,
            )
        world.run(
            "UPDATE lanes SET next_due_at = (SELECT min(due_at) FROM deliveries d WHERE d.mailbox_id = lanes.mailbox_id AND state = 'pending')"
        )
    asked: dict[str, float] = {}
    pairs = bed.mailboxes(probes, 0)
    for box, sequence in pairs:
        asked[bed.stage.address(box)] = time.monotonic()
        world.enroll(sequence, 1)
        time.sleep(0.25)
    until = time.monotonic() + 60
    waits: list[float] = []
    while time.monotonic() < until and len(waits) < probes:
        time.sleep(0.5)
        waits = [entry.accepted_at - asked[entry.mailbox] for entry in bed.ledger() if entry.mailbox in asked]
    return {
        "load_per_second": load_per_second,
        "probes": len(waits),
        "p50_seconds": percentile(waits, 0.5),
        "p99_seconds": percentile(waits, 0.99),
    }


def _later(seconds: float) -> object:
    from datetime import timedelta

    return timedelta(seconds=seconds)


def hog(bed: Bed, *, hog_emails: int, others: int, seconds: float) -> Row:
    """One mailbox with everything due and many with four emails each: who is served, and how late."""
    world = bed.stage.world
    ((hog_box, hog_sequence),) = bed.mailboxes(1, 0)
    for start in range(0, hog_emails, 10_000):
        world.enroll(hog_sequence, min(10_000, hog_emails - start))
    pairs = bed.mailboxes(others, 4)
    base = int(bed.control.stats()["accepted_total"])
    began = time.monotonic()
    scheduler, workers = (
        bed.processes.scheduler(),
        bed.processes.workers(processes=2, threads=threads_of("worker-send")),
    )
    addresses = {bed.stage.address(box) for box, _ in pairs}
    time.sleep(5)
    until = began + seconds
    counts: Counter[str] = Counter()
    while time.monotonic() < until and sum(counts.values()) < 4 * others:
        time.sleep(1)
        counts = Counter(entry.mailbox for entry in bed.ledger(base) if entry.mailbox in addresses)
    served = [counts[address] for address in addresses]
    last: dict[str, float] = defaultdict(float)
    entries = [entry for entry in bed.ledger(base) if entry.mailbox in addresses]
    for entry in entries:
        last[entry.mailbox] = max(last[entry.mailbox], entry.accepted_at)
    first = min(entry.accepted_at for entry in entries)
    bed.processes.terminate(workers)
    bed.processes.terminate(scheduler)
    return {
        "hog_emails": hog_emails,
        "others": others,
        "jain_index": sum(served) ** 2 / (len(served) * sum(each**2 for each in served)),
        "others_done": sum(each == 4 for each in served),
        "lateness_p50_seconds": percentile([at - first for at in last.values()], 0.5),
        "lateness_p99_seconds": percentile([at - first for at in last.values()], 0.99),
        "hog_sent": sum(entry.mailbox == bed.stage.address(hog_box) for entry in bed.ledger(base)),
    }
