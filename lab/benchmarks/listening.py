"""(h) What reading mailboxes costs, what it takes to read thousands of them, and what it costs the emails that wait for it."""

import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.core.session import Transaction
from db.listening import reads
from lab.benchmarks.bed import Bed, cpu, percentile, threads_of, tree_cpu

Row = dict[str, Any]

MAILBOXES = 10_000
EVERY = 120.0  # seconds; as soon as a mailbox is ever read again that nobody hints at
_NEW = 5  # incoming messages of a reading that is not empty

# Mailboxes that were read before and will be again, evenly over two minutes. Foreign keys are not checked: this is about the size
# of the tables that planning reads.
_WATCHED = """
INSERT INTO mailbox_reads (mailbox_id, organization_id, watermark, read_as_of, next_read_at)
SELECT gen_random_uuid(), :organization, clock_timestamp(), clock_timestamp(), clock_timestamp() + n * interval '12 milliseconds'
FROM generate_series(1, :rows) n
"""
_LANES = """
INSERT INTO lanes (mailbox_id, organization_id, open, daily_cap, tokens, last_served_at)
SELECT mailbox_id, organization_id, true, 1000, 4, clock_timestamp() - interval '1 hour' FROM mailbox_reads r
WHERE NOT EXISTS (SELECT FROM lanes l WHERE l.mailbox_id = r.mailbox_id)
"""


def listening(bed: Bed, *, quick: bool) -> list[Row]:
    """All of (h): three kinds of reading, planning 10,000 mailboxes, both together, and follow-ups beside first emails."""
    mailboxes, turns = (40, 1) if quick else (300, 3)
    kinds = readings(bed, mailboxes=mailboxes, turns=turns)
    planned = planning(bed)
    return [*kinds, planned, together(kinds[0], planned)]


def readings(bed: Bed, *, mailboxes: int, turns: int) -> list[Row]:
    """One worker process of the queue ``inbox`` reads every mailbox, as planned, ``turns`` times each way; the medians.

    Even an empty reading shows our own email once more, which lies within the ten minutes that readings overlap.
    """
    world = bed.stage.world
    boxes = bed.mailboxes(mailboxes, turns + 1, ("PT0S", "P30D"))
    scheduler, sender = (
        bed.processes.scheduler(),
        bed.processes.workers("send", processes=1, threads=threads_of("worker-send")),
    )
    bed.wait_left(mailboxes * (turns + 1), 300)
    bed.wait_recorded(mailboxes * (turns + 1), 60)
    bed.processes.terminate(sender)
    scheduler.send_signal(signal.SIGSTOP)
    reader = bed.processes.workers("inbox", processes=1, threads=threads_of("worker-inbox"))
    written = {entry.to[0]: entry for entry in bed.ledger()}
    people: dict[UUID, list[str]] = {box: [] for box, _ in boxes}
    for box, email in world.rows(
        "SELECT d.mailbox_id, c.email FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id"
        " JOIN candidates c ON c.id = e.candidate_id WHERE d.state = 'sent'"
    ):
        people[UUID(str(box))].append(str(email))

    def nothing() -> None:
        """No new mail."""

    def foreign(count: int = _NEW) -> None:
        for box, _ in boxes:
            bed.control.newsletters(bed.stage.address(box), count)

    def answered() -> None:
        foreign(_NEW - 1)
        for box, _ in boxes:
            person = people[box].pop()
            bed.control.incoming(
                bed.stage.address(box),
                sender=person,
                subject=f"Re: {written[person].subject}",
                text="Thank you, please call me tomorrow.",
                in_reply_to=written[person].internet_message_id,
            )

    _all_read(bed, scheduler)  # tokens, plans and connections
    rows = [
        _middle([_reading(bed, name, arrive, reader, scheduler, mailboxes) for _ in range(turns)])
        for name, arrive in (
            ("an empty reading", nothing),
            (f"{_NEW} new messages, none for us", foreign),
            (f"{_NEW} new messages, one an answer", answered),
        )
    ]
    bed.processes.terminate(reader)
    scheduler.send_signal(signal.SIGCONT)
    bed.processes.terminate(scheduler)
    return rows


def _reading(
    bed: Bed,
    name: str,
    arrive: Callable[[], None],
    reader: subprocess.Popen[bytes],
    scheduler: subprocess.Popen[bytes],
    mailboxes: int,
) -> Row:
    # As if minutes had passed: what the last turn brought is not within the overlap any more, but for the newest.
    bed.stage.world.run("UPDATE mailbox_reads SET watermark = clock_timestamp()")
    arrive()
    requests, tuples = _requests(bed), _tuples(bed)
    before, began = cpu(bed, [reader.pid], [scheduler.pid]), time.monotonic()
    _all_read(bed, scheduler)
    took, used = time.monotonic() - began, cpu(bed, [reader.pid], [scheduler.pid]).since(before)
    read, wrote = (now - then for now, then in zip(_tuples(bed), tuples, strict=True))
    return {
        "name": name,
        "http_requests": (_requests(bed) - requests) / mailboxes,
        "worker_cpu_ms": 1000 * used.workers / mailboxes,
        "postgres_cpu_ms": 1000 * used.postgres / mailboxes,
        "scheduler_cpu_ms": 1000 * used.schedulers / mailboxes,
        "rows_read": read / mailboxes,
        "rows_written": wrote / mailboxes,
        "readings_per_second": mailboxes / took,
    }


def _all_read(bed: Bed, scheduler: subprocess.Popen[bytes], within: float = 300) -> None:
    """Let it be every mailbox's turn now, and wait until all are read to their end."""
    world = bed.stage.world
    world.run(
        "INSERT INTO mailbox_reads (mailbox_id, organization_id, watermark, next_read_at)"
        " SELECT id, organization_id, clock_timestamp() - interval '5 minutes', clock_timestamp() FROM mailboxes"
        " WHERE provider = 'graph'"
        " ON CONFLICT (mailbox_id) DO UPDATE SET read_as_of = NULL, queued_at = NULL, next_read_at = clock_timestamp()"
    )
    scheduler.send_signal(signal.SIGCONT)
    until = time.monotonic() + within
    while world.one("SELECT count(*) FROM mailbox_reads WHERE read_as_of IS NULL"):
        if time.monotonic() > until:
            raise TimeoutError(f"not all mailboxes read within {within:.0f} s: {bed.processes.last_words()}")
        time.sleep(0.1)
    scheduler.send_signal(signal.SIGSTOP)


def planning(bed: Bed, mailboxes: int = MAILBOXES, seconds: float = 20.0) -> Row:
    """Plan at this many mailboxes for some seconds, two ticks a second as the scheduler does, and look out for new ones."""
    world = bed.stage.world
    with world.database.engine.connect() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("DELETE FROM mailbox_reads"))
        connection.execute(text(_WATCHED), {"organization": world.organization_id, "rows": mailboxes})
        connection.execute(text(_LANES))
        connection.commit()
        connection.execute(text("SET session_replication_role = DEFAULT"))
        connection.rollback()
    with world.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE mailbox_reads, lanes"))
    ticks: list[float] = []
    planned = 0
    own, postgres, began = time.process_time(), tree_cpu(bed.postgres.pid), time.monotonic()
    while time.monotonic() < began + seconds:
        started = time.perf_counter()
        planned += _plan_and_read(bed)
        ticks.append(time.perf_counter() - started)
        time.sleep(max(0.0, 0.5 - ticks[-1]))
    took = time.monotonic() - began
    used = time.process_time() - own, tree_cpu(bed.postgres.pid) - postgres
    watched = []
    for _ in range(5):
        started = time.perf_counter()
        with world.database.transaction() as tx:
            reads.watch(tx)
        watched.append(time.perf_counter() - started)
    return {
        "name": f"planning {mailboxes:,} mailboxes every {EVERY:.0f} s",
        "mailboxes_planned_per_second": planned / took,
        "tick_ms": 1000 * percentile(ticks, 0.5),
        "tick_ms_p99": 1000 * max(ticks),
        "watch_ms_every_15_s": 1000 * percentile(watched, 0.5),
        "scheduler_of_a_core": used[0] / took,
        "postgres_of_a_core": used[1] / took,
    }


def _plan_and_read(bed: Bed) -> int:
    """Plan one tick, and let what was planned be read at once, as far as the planner's table shows it."""
    with bed.stage.world.database.transaction() as tx:
        jobs = reads.plan(tx)
    if jobs:
        with bed.stage.world.database.transaction() as tx:
            _read(tx, [job.mailbox_id for job in jobs])
    return len(jobs)


def _read(tx: Transaction, mailbox_ids: list[UUID]) -> None:
    tx.execute(
        text(
            "UPDATE mailbox_reads SET queued_at = NULL, read_as_of = clock_timestamp(),"
            " next_read_at = clock_timestamp() + interval '2 minutes' WHERE mailbox_id = ANY(:ids)"
        ),
        {"ids": mailbox_ids},
    )


def together(reading: Row, planned: Row) -> Row:
    """10,000 mailboxes every two minutes: what planning took, and an empty reading's cost multiplied by 83 a second."""
    each_second = MAILBOXES / EVERY
    return {
        "name": f"reading {MAILBOXES:,} every {EVERY:.0f} s (multiplied)",
        "readings_per_second": each_second,
        "http_requests_per_second": each_second * reading["http_requests"],
        "worker_of_a_core": each_second * reading["worker_cpu_ms"] / 1000,
        "scheduler_of_a_core": planned["scheduler_of_a_core"],
        "postgres_of_a_core": planned["postgres_of_a_core"] + each_second * reading["postgres_cpu_ms"] / 1000,
    }


def follow_ups(bed: Bed, *, mailboxes: int, people: int, turns: int, latency: float = 0.0) -> list[Row]:
    """First emails, first and second follow-ups in turn, ``people`` of each mailbox, by two worker processes as in the Procfile.

    No mailbox was read within the last minute, and nothing but the send path reads, so each mailbox's first follow-up reads it. As days
    later, the emails before are known to have left Drafts.
    """
    bed.control.switch(latency=latency)
    workers = bed.processes.workers("send", processes=2, threads=threads_of("worker-send"))
    bed.mailboxes(1, 1)
    scheduler = bed.processes.scheduler()
    bed.wait_left(1, 60)
    bed.processes.terminate(scheduler)
    made: list[list[Row]] = []
    for _ in range(turns):
        boxes = bed.mailboxes(mailboxes, 0, ("PT0S", "P30D", "P30D"))
        for _, sequence in boxes:
            bed.stage.world.enroll(sequence, people)
        rows = [_drained(bed, "first emails", mailboxes * people, workers)]
        for name in ("follow-ups", "second follow-ups"):
            _make_due(bed, [box for box, _ in boxes])
            rows.append(_drained(bed, name, mailboxes * people, workers))
            rows[-1]["of_first_emails"] = rows[-1]["emails_per_second"] / rows[0]["emails_per_second"]
        made.append(rows)
    bed.processes.terminate(workers)
    bed.control.switch(latency=0.0)
    middle = [_middle(list(same)) for same in zip(*made, strict=True)]
    for number, row in enumerate(middle):
        row["name"] += f", {people} a mailbox" + (f", {latency} s a request" if latency else "")
        if number:
            row["of_first_emails_least"] = min(rows[number]["of_first_emails"] for rows in made)
    return middle


def _make_due(bed: Bed, boxes: list[UUID]) -> None:
    """As if the delay had passed: the emails before have left Drafts, lanes have their burst, and nobody has read."""
    world = bed.stage.world
    world.run(
        "UPDATE deliveries SET due_at = clock_timestamp() WHERE state = 'pending' AND mailbox_id = ANY(:boxes)",
        boxes=boxes,
    )
    world.run(
        "UPDATE deliveries SET left_check_at = NULL WHERE left_check_at IS NOT NULL AND mailbox_id = ANY(:boxes)",
        boxes=boxes,
    )
    world.run(
        "UPDATE lanes SET next_due_at = clock_timestamp(), tokens = 4, refilled_at = clock_timestamp()"
        " WHERE mailbox_id = ANY(:boxes)",
        boxes=boxes,
    )
    world.run("UPDATE mailbox_reads SET read_as_of = clock_timestamp() - interval '2 minutes'")


def _drained(bed: Bed, name: str, count: int, workers: subprocess.Popen[bytes]) -> Row:
    """Let the workers send what is due, to the last."""
    base, recorded = int(bed.control.stats()["accepted_total"]), bed.stage.world.states().get("sent", 0)
    requests = _requests(bed)
    # A new one each time: one that is stopped while hundreds of mailboxes are made ends itself.
    scheduler = bed.processes.scheduler()
    before, started = cpu(bed, [workers.pid], [scheduler.pid]), time.monotonic()
    bed.wait_left(base + count, 900)
    bed.wait_recorded(recorded + count, 60)
    used = cpu(bed, [workers.pid], [scheduler.pid]).since(before)
    bed.processes.terminate(scheduler)
    moments = sorted(entry.accepted_at for entry in bed.ledger(base) if entry.accepted_at > started)
    return {
        "name": name,
        "emails_per_second": 0.8 * len(moments) / (percentile(moments, 0.9) - percentile(moments, 0.1)),
        "until_the_last_seconds": moments[-1] - moments[0],
        "cpu_ms_per_email": 1000 * used.workers / count,
        "postgres_cpu_ms_per_email": 1000 * used.postgres / count,
        "requests_per_email": (_requests(bed) - requests) / count,
    }


def _requests(bed: Bed) -> int:
    """Requests to Microsoft's side so far; ours to control it are none of them."""
    return sum(bed.control.stats()["requests"].values())


def _tuples(bed: Bed) -> tuple[int, int]:
    """Rows that Postgres read and wrote so far, by its own counting, in all tables of ours."""
    bed.stage.world.rows("SELECT pg_stat_force_next_flush()")
    ((read, written),) = bed.stage.world.rows(
        "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0),"
        " coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables"
    )
    return int(str(read)), int(str(written))


def _middle(rows: list[Row]) -> Row:
    """The median of each figure."""
    return {"name": rows[0]["name"]} | {
        name: percentile([float(row[name]) for row in rows], 0.5) for name in rows[0] if name != "name"
    }
