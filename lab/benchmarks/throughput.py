"""(a) The whole pipeline beside bare loops and naive ways, (f) its memory, (g) its start-up."""

import json
import os
import signal
import subprocess
import sys
import time
from statistics import median
from typing import Any

import httpx
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from lab.benchmarks.bed import Bed, cpu, percentile, tree, tree_cpu
from lab.benchmarks.loops import tokens_for
from lab.system import ROOT

Row = dict[str, Any]


def loop(bed: Bed, kind: str, count: int) -> Row:
    """Run one bare loop in its own process."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "lab.benchmarks.loops", kind, bed.url, str(count)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the loop {kind} failed: {done.stderr[-800:]}")
    said = json.loads(done.stdout.splitlines()[-1])
    return {
        "name": {"http": "bare HTTP loop", "sdk": "SDK loop done right", "book": "SDK loop by the book"}[
            kind
        ],
        "emails_per_second": count / said["seconds"],
        "cpu_ms_per_email": 1000 * said["cpu"] / count,
    }


def pipeline(bed: Bed, processes: int, mailboxes: int, latency: float = 0.0) -> Row:
    """The product once it is warm: from due rows to recorded rows, verified and with receipts.

    Four emails per mailbox.

    Four is what a mailbox's bucket holds. ``latency``: seconds that the provider takes per request.
    """
    bed.control.switch(latency=latency)
    base = int(bed.control.stats()["accepted_total"])
    recorded = bed.stage.world.states().get("sent", 0)
    boxes = bed.mailboxes(mailboxes, 1)
    began = time.monotonic()
    scheduler = bed.processes.scheduler()
    workers = bed.processes.workers("send", processes=processes, threads=16)
    bed.wait_left(base + 1, 60)
    first_after = time.monotonic() - began
    bed.wait_left(base + mailboxes, 120)
    resident = [each.memory_info().rss / 2**20 for each in tree(workers.pid)[1:]]
    scheduler.send_signal(signal.SIGSTOP)  # so that enrolling is not measured
    for _, sequence in boxes:
        bed.stage.world.enroll(sequence, 3)
    time.sleep(1)
    before, started = cpu(bed, [workers.pid], [scheduler.pid]), time.monotonic()
    scheduler.send_signal(signal.SIGCONT)
    count = 3 * mailboxes
    bed.wait_left(base + mailboxes + count, 300)
    bed.wait_recorded(recorded + mailboxes + count, 30)
    used = cpu(bed, [workers.pid], [scheduler.pid]).since(before)
    moments = sorted(entry.accepted_at for entry in bed.ledger() if entry.accepted_at > started)
    rate = 0.8 * len(moments) / (percentile(moments, 0.9) - percentile(moments, 0.1))
    later = [each.memory_info().rss / 2**20 for each in tree(workers.pid)[1:]]
    bed.processes.terminate(workers)
    bed.processes.terminate(scheduler)
    bed.control.switch(latency=0.0)
    name = f"the pipeline, {processes} worker process{'es' if processes > 1 else ''}"
    return {
        "name": f"{name}, {latency} s a request" if latency else name,
        "emails_per_second": rate,
        "cpu_ms_per_email": 1000 * used.workers / count,
        "postgres_cpu_ms_per_email": 1000 * used.postgres / count,
        "scheduler_cpu_ms_per_email": 1000 * used.schedulers / count,
        "redis_cpu_ms_per_email": 1000 * used.redis / count,
        "start_to_first_email_seconds": first_after,
        "worker_megabytes": max(resident),
        "worker_megabytes_after": max(later),
    }


def endurance(bed: Bed, *, mailboxes: int, people: int) -> list[Row]:
    """(f) One worker process from its first emails to an hour's worth: its memory, and whether it slows down."""
    bed.mailboxes(mailboxes, people)
    scheduler, workers = bed.processes.scheduler(), bed.processes.workers("send", processes=1, threads=16)
    rows: list[Row] = []
    quarter, began, used = mailboxes * people // 4, time.monotonic(), tree_cpu(workers.pid)
    for sent in (100, quarter, 2 * quarter, 3 * quarter, 4 * quarter):
        bed.wait_left(sent, 1200)
        now, cpu_now = time.monotonic(), tree_cpu(workers.pid)
        new = sent - (rows[-1]["emails"] if rows else 0)
        rows.append(
            {
                "name": f"after {sent:,} emails",
                "emails": sent,
                "worker_megabytes": max(each.memory_info().rss / 2**20 for each in tree(workers.pid)[1:]),
                "emails_per_second": new / (now - began),
                "cpu_ms_per_email": 1000 * (cpu_now - used) / new,
            }
        )
        began, used = now, cpu_now
    bed.processes.terminate(workers)
    bed.processes.terminate(scheduler)
    return rows


def naive(bed: Bed, kind: str, count: int) -> Row:
    """Read two rows by ORM, send as documented, mark; sixteen threads in one process."""
    environment = {
        "NAIVE_DATABASE_URL": bed.stage.runtime.settings.database_url.replace(
            "postgresql://", "postgresql+psycopg://"
        ),
        "NAIVE_GRAPH_URL": bed.url,
        "REDIS_URL": bed.redis.url(5 if kind == "celery" else 6),
        "PYTHONWARNINGS": "ignore",
    }
    os.environ |= environment
    from lab.benchmarks import naive as models  # reads the environment

    engine = create_engine(bed.stage.runtime.settings.database_url)
    models.Base.metadata.drop_all(engine)
    models.Base.metadata.create_all(engine)
    tokens = tokens_for(bed.url, 64)
    with Session(engine) as session:
        for number, token in enumerate(tokens, start=1):
            session.add(models.Mailbox(id=number, connected=True, token=token))
        session.flush()
        session.add_all(models.Grant(id=n, mailbox_id=n, active=True) for n in range(1, len(tokens) + 1))
        session.flush()
        session.add_all(
            models.Outgoing(id=n, grant_id=n % len(tokens) + 1, address=f"candidate{n}@example.org")
            for n in range(1, count + 1)
        )
        session.commit()
    engine.dispose()
    base = int(bed.control.stats()["accepted_total"])
    if kind == "celery":
        from lab.benchmarks.naive_celery import send as task

        command = [
            "celery",
            "-A",
            "lab.benchmarks.naive_celery",
            "worker",
            "--pool",
            "threads",
            "--concurrency",
            "16",
            "--loglevel",
            "error",
        ]
        enqueue = task.delay
    else:
        from lab.benchmarks.naive_dramatiq import send as actor

        command = ["dramatiq", "lab.benchmarks.naive_dramatiq", "--processes", "1", "--threads", "16"]
        enqueue = actor.send
    for number in range(1, count + 1):
        enqueue(number)
    worker = bed.processes.start(f"naive-{kind}", [sys.executable, "-m", *command], environment)
    bed.wait_left(base + 32, 120)
    before, started = tree_cpu(worker.pid), time.monotonic()
    bed.wait_left(base + count, 300)
    used = tree_cpu(worker.pid) - before
    rate = (count - 32) / (time.monotonic() - started)
    bed.processes.kill(worker)
    return {
        "name": f"naive, {kind.title()}",
        "emails_per_second": rate,
        "cpu_ms_per_email": 1000 * used / (count - 32),
    }


def throughput(bed: Bed, *, quick: bool) -> list[Row]:
    """All of (a) in one run on one machine.

    What is compared closely is measured three times in alternation, and the median is shown.
    """
    count, mailboxes, turns = (400, 60, 1) if quick else (3000, 500, 3)
    httpx.get(f"{bed.url}/_control/stats", trust_env=False)
    rows = [loop(bed, "http", count), loop(bed, "book", count // 2)]
    rows += [naive(bed, "dramatiq", count // 4), naive(bed, "celery", count // 4)]
    compared = [
        [loop(bed, "sdk", count), pipeline(bed, 1, mailboxes), pipeline(bed, 2, mailboxes)]
        for _ in range(turns)
    ]
    for sdk, *others in compared:
        for row in others:
            row["share_of_sdk_loop"] = row["emails_per_second"] / sdk["emails_per_second"]
    rows += [_middle(list(same)) for same in zip(*compared, strict=True)]
    rows.append(pipeline(bed, 2, mailboxes, latency=0.2))
    http = rows[0]["emails_per_second"]
    for row in rows:
        row["share_of_bare_loop"] = row["emails_per_second"] / http
    return rows


def _middle(rows: list[Row]) -> Row:
    """The median of each figure, and the range of those that vary most between rounds."""
    ranges = {
        f"{figure}_{name}": choose(row[figure] for row in rows)
        for figure in ("emails_per_second", "share_of_sdk_loop")
        for name, choose in (("least", min), ("most", max))
        if figure in rows[0]
    }
    medians = {name: median(row[name] for row in rows) for name in rows[0] if name != "name"}
    return {"name": rows[0]["name"], **medians, **ranges}
