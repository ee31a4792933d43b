"""(a) The whole pipeline beside bare loops and naive ways, (f) its memory, (g) its start-up."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from statistics import median
from uuid import UUID

import httpx

from lab.benchmarks import peers
from lab.benchmarks.bed import Bed, cpu, percentile, threads_of, tree, tree_cpu
from lab.benchmarks.peers import Row
from lab.system import ROOT


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


def pipeline(
    bed: Bed,
    processes: int,
    mailboxes: int = 0,
    latency: float = 0.0,
    *,
    boxes: Sequence[tuple[UUID, UUID]] = (),
    via: str = "graph",
    **more: str,
) -> Row:
    """The product once it is warm: from due rows to recorded rows, verified and with receipts.

    Four emails per mailbox.

    Four is what a mailbox's bucket holds. ``latency``: seconds that the provider takes per request. ``boxes``: mailboxes with their
    sequences, somebody due in each, instead of new ones at Microsoft; ``via``: their provider. ``more``: environment of workers.
    """
    bed.control.switch(latency=latency)
    base = int(bed.control.stats()["accepted_total"])
    recorded = bed.stage.world.states().get("sent", 0)
    wait = bed.wait_left
    if via == "smtp":  # the emulator counts only what drafts became
        base, wait = recorded, bed.wait_recorded
    boxes = boxes or bed.mailboxes(mailboxes, 1)
    mailboxes = len(boxes)
    began = time.monotonic()
    scheduler = bed.processes.scheduler()
    workers = bed.processes.workers("send", processes=processes, threads=threads_of("worker-send"), **more)
    wait(base + 1, 60)
    first_after = time.monotonic() - began
    wait(base + mailboxes, 120)
    resident = [each.memory_info().rss / 2**20 for each in tree(workers.pid)[1:]]
    scheduler.send_signal(signal.SIGSTOP)  # so that enrolling is not measured
    for _, sequence in boxes:
        bed.stage.world.enroll(sequence, 3)
    time.sleep(1)
    before, started = cpu(bed, [workers.pid], [scheduler.pid]), time.monotonic()
    scheduler.send_signal(signal.SIGCONT)
    count = 3 * mailboxes
    wait(base + mailboxes + count, 300)
    bed.wait_recorded(recorded + mailboxes + count, 30)
    used = cpu(bed, [workers.pid], [scheduler.pid]).since(before)
    moments = sorted(entry.accepted_at for entry in bed.ledger(via=via) if entry.accepted_at > started)
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
    scheduler = bed.processes.scheduler()
    workers = bed.processes.workers("send", processes=1, threads=threads_of("worker-send"))
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


def throughput(bed: Bed, *, quick: bool) -> list[Row]:
    """All of (a) in one run on one machine.

    What is compared closely is measured three times in alternation, and the median is shown.
    """
    count, mailboxes, turns = (400, 60, 1) if quick else (3000, 500, 3)
    httpx.get(f"{bed.url}/_control/stats", trust_env=False)
    rows = [loop(bed, "http", count), loop(bed, "book", count // 2)]
    rows += [peers.naive(bed, peer, count // 4) for peer in peers.PEERS]
    compared = [
        [loop(bed, "sdk", count), pipeline(bed, 1, mailboxes), pipeline(bed, 2, mailboxes)]
        for _ in range(turns)
    ]
    for sdk, *others in compared:
        for row in others:
            row["share_of_sdk_loop"] = row["emails_per_second"] / sdk["emails_per_second"]
    rows += [middle(list(same)) for same in zip(*compared, strict=True)]
    own = next(row["emails_per_second"] for row in rows if row["name"] == "the pipeline, 1 worker process")
    for latency in (0.3, 0.6):
        rows.append(pipeline(bed, 1, mailboxes, latency=latency))
        rows[-1]["of_its_rate_without"] = rows[-1]["emails_per_second"] / own
    http = rows[0]["emails_per_second"]
    for row in rows:
        row["share_of_bare_loop"] = row["emails_per_second"] / http
    return rows


def middle(rows: list[Row]) -> Row:
    """The median of each figure, and the range of those that vary most between rounds."""
    ranges = {
        f"{figure}_{name}": choose(row[figure] for row in rows)
        for figure in ("emails_per_second", "share_of_sdk_loop")
        for name, choose in (("least", min), ("most", max))
        if figure in rows[0]
    }
    medians = {name: median(row[name] for row in rows) for name in rows[0] if name != "name"}
    return {"name": rows[0]["name"], **medians, **ranges}
