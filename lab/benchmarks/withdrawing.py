"""(d) How fast a withdrawal takes effect and answers under load, and how long it takes to pause ten thousand people."""

import signal
import time
from typing import Any
from uuid import UUID

from structlog.testing import capture_logs

from actions import withdraw
from lab.benchmarks.bed import Bed, percentile, threads_of

Row = dict[str, Any]

_PAUSE = 0.05  # seconds from one revocation to the next


def revoke_under_load(bed: Bed, *, revokes: int) -> Row:
    """Revoke twenty permissions a second while 32 threads send all they can; the provider takes 0.2 s per request."""
    bed.control.switch(latency=0.2)
    base = int(bed.control.stats()["accepted_total"])
    boxes = bed.mailboxes(4 * revokes, 1)
    scheduler, workers = (
        bed.processes.scheduler(),
        bed.processes.workers(processes=2, threads=threads_of("worker-send")),
    )
    bed.wait_left(base + len(boxes), 120)  # so that every mailbox has an access token
    scheduler.send_signal(signal.SIGSTOP)
    for _, sequence in boxes:
        bed.stage.world.enroll(sequence, 3)
    scheduler.send_signal(signal.SIGCONT)
    bed.wait_left(base + len(boxes) + revokes // 2, 60)
    gates, answers, unknown = [], [], 0
    began, left = time.monotonic(), int(bed.control.stats()["accepted_total"])
    for number, (box, _) in enumerate(boxes[:revokes]):
        time.sleep(max(0.0, began + number * _PAUSE - time.monotonic()))
        grant = UUID(str(bed.stage.world.one("SELECT id FROM grants WHERE mailbox_id = :id", id=box)))
        with capture_logs() as logs:
            answer = withdraw.revoke_grant(bed.stage.runtime, grant, actor="bench")
        gates += [entry["milliseconds"] for entry in logs if entry["event"] == "gate_closed"]
        answers.append(answer.seconds)
        unknown += len(answer.in_doubt)
    left = int(bed.control.stats()["accepted_total"]) - left
    lasted = time.monotonic() - began
    bed.processes.terminate(workers)
    bed.processes.terminate(scheduler)
    bed.control.switch(latency=0.0)
    return {
        "name": "permissions are revoked",
        "emails_per_second": left / lasted,
        "revokes": revokes,
        "gate_ms_p50": percentile(gates, 0.5),
        "gate_ms_p99": percentile(gates, 0.99),
        "gate_ms_slowest": max(gates),
        "answer_seconds_p50": percentile(answers, 0.5),
        "answer_seconds_p99": percentile(answers, 0.99),
        "unknown": unknown,
    }


def disconnect_many(bed: Bed, *, people: int, sequences: int) -> Row:
    """Remove one mailbox that ``sequences`` recruiters send from, with ``people`` in progress in all."""
    world = bed.stage.world
    mailbox_owner = world.member("Hans Holder")
    box = bed.stage.mailbox(mailbox_owner)
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

    paused = notified = 0.0
    while not notified and time.monotonic() < began + 120:
        if not paused and count("pauses") == sequences:
            paused = time.monotonic() - began
        if count("notices") >= 2 * sequences:
            notified = time.monotonic() - began
        time.sleep(0.1)
    bed.processes.terminate(workers)
    bed.processes.terminate(scheduler)
    return {
        "name": "a mailbox is removed",
        "people": people,
        "sequences": sequences,
        "gate_ms": next(entry["milliseconds"] for entry in logs if entry["event"] == "gate_closed"),
        "answer_seconds": answered,
        "all_paused_seconds": paused,
        "all_notified_seconds": notified,
    }
