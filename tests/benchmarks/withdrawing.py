"""(d) How fast a no takes hold and answers under load, and how long a pause of ten thousand people takes."""

import time
from typing import Any
from uuid import UUID

from structlog.testing import capture_logs

from actions import withdraw
from tests.benchmarks.bed import Bed, percentile

Row = dict[str, Any]


def revoke_under_load(bed: Bed, *, revokes: int) -> Row:
    """Permissions are revoked while every mailbox sends, with a provider that takes 0.2 s for each request."""
    bed.control.switch(latency=0.2)
    boxes = bed.mailboxes(revokes * 2, 6)
    scheduler, workers = bed.processes.scheduler(), bed.processes.workers(processes=2, threads=16)
    base = int(bed.control.stats()["accepted_total"])
    bed.wait_left(base + revokes, 60)
    gates, answers, unknown = [], [], 0
    for box, _ in boxes[:revokes]:
        grant = UUID(str(bed.stage.world.one("SELECT id FROM grants WHERE mailbox_id = :id", id=box)))
        with capture_logs() as logs:
            answer = withdraw.revoke_grant(bed.stage.runtime, grant, actor="bench")
        gates += [entry["milliseconds"] for entry in logs if entry["event"] == "gate_closed"]
        answers.append(answer.seconds)
        unknown += len(answer.unknown)
    bed.processes.terminate(workers)
    bed.processes.terminate(scheduler)
    bed.control.switch(latency=0.0)
    return {
        "revokes": revokes,
        "gate_ms_p50": percentile(gates, 0.5),
        "gate_ms_p99": percentile(gates, 0.99),
        "answer_seconds_p50": percentile(answers, 0.5),
        "answer_seconds_p99": percentile(answers, 0.99),
        "unknown": unknown,
    }


def disconnect_many(bed: Bed, *, people: int, sequences: int) -> Row:
    """One mailbox that ``sequences`` recruiters send from, ``people`` on their way in all, is removed."""
    world = bed.stage.world
    holder = world.member("Hans Holder")
    box = bed.stage.mailbox(holder)
    world.grant(box, None)
    for _ in range(sequences):
        sequence = world.sequence(world.member(), box, ("P1D",))
        world.enroll(sequence, people // sequences)
    scheduler, workers = bed.processes.scheduler(), bed.processes.workers("events", processes=1, threads=4)
    time.sleep(4)
    began = time.monotonic()
    with capture_logs() as logs:
        withdraw.disconnect_mailbox(bed.stage.runtime, box, actor="bench")
    answered = time.monotonic() - began

    def count(table: str) -> int:
        return int(
            str(
                world.one(
                    f"SELECT count(*) FROM {table} x JOIN events v ON v.id = x.event_id WHERE v.payload->>'mailbox_id' = :id",
                    id=str(box),
                )
            )
        )

    paused = told = 0.0
    while not told and time.monotonic() < began + 120:
        if not paused and count("pauses") == sequences:
            paused = time.monotonic() - began
        if count("notices") >= 2 * sequences:
            told = time.monotonic() - began
        time.sleep(0.1)
    bed.processes.terminate(workers)
    bed.processes.terminate(scheduler)
    return {
        "people": people,
        "sequences": sequences,
        "gate_ms": next(entry["milliseconds"] for entry in logs if entry["event"] == "gate_closed"),
        "answer_seconds": answered,
        "all_paused_seconds": paused,
        "all_told_seconds": told,
    }
