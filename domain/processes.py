"""Which processes run, and what nobody does: a queue without a worker, no scheduler."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

SILENT_AFTER = timedelta(seconds=45)  # four beats missed
# What stands still without a worker of each queue.
QUEUE_DOES = {
    "send": "sends emails",
    "reconcile": "looks for emails in doubt",
    "inbox": "reads mailboxes",
    "events": "pauses sequences and notifies owners",
    "webhooks": "calls webhooks",
    "errands": "tests and checks mailboxes for pages",
    "imports": "imports files",
}
WANTED = ("scheduler", "web", *QUEUE_DOES)
# What an email needs in order to leave.
SENDS = ("scheduler", "send")


@dataclass(frozen=True, slots=True)
class Process:
    """One process as it last reported. Times are on the database's clock.

    ``troubles``: why it is not ready. ``works``: at all; whoever lacks one key is not ready, and serves everybody else. An inbox that
    is turned off is ready, and does nothing.
    """

    id: UUID
    kind: str
    host: str
    pid: int
    queues: list[str]
    version: str
    schema: str
    key_ids: list[str]
    troubles: list[str]
    works: bool
    started_at: datetime
    seen_at: datetime
    last_job_at: datetime | None
    stopped_at: datetime | None


@dataclass(frozen=True, slots=True)
class Role:
    """Who has a role: how many run, and how many of them work at all. ``seen_at``: when anybody last had it; None: not lately."""

    role: str
    seen_at: datetime | None
    running: int
    working: int


def runs(process: Process, now: datetime) -> bool:
    """Has it reported lately, and not ended?"""
    return process.stopped_at is None and now - process.seen_at < SILENT_AFTER


@dataclass(frozen=True, slots=True)
class Missing:
    """A role that nobody has, or for which nobody who has it is ready.

    ``role``: a kind of process, or a worker's queue. ``since``: None if nobody has had it lately. ``runs``: somebody has it, and is
    not ready. ``works``: somebody works nevertheless, for most.
    """

    role: str
    since: datetime | None
    runs: bool = False
    works: bool = False


def roles(process: Process) -> list[str]:
    """Return what a process does: its queues, or its kind."""
    return process.queues if process.kind == "worker" else [process.kind]


def missing(
    processes: Sequence[Process],
    now: datetime,
    wanted: Collection[str] = WANTED,
) -> list[Missing]:
    """Return the roles for which no running process is ready, in the order of ``wanted``.

    Empty if none has ever reported: releases before heartbeats do not.
    """
    if not processes:
        return []
    alive = [each for each in processes if runs(each, now)]
    running = {role for each in alive for role in roles(each)}
    working = {role for each in alive if each.works for role in roles(each)}
    ready = {role for each in alive if not each.troubles for role in roles(each)}
    seen: dict[str, datetime] = {}
    for each in processes:
        for role in roles(each):
            seen[role] = max(seen.get(role, each.seen_at), each.stopped_at or each.seen_at)
    return [
        Missing(role, None if role in running else seen.get(role), role in running, role in working)
        for role in wanted
        if role not in ready
    ]


def what_fails(role: str, what: str = "can work") -> str:
    """Say who runs and cannot work: ``no scheduler can work``, ``no worker of the queue send can work``."""
    return f"no worker of the queue {role} {what}" if role in QUEUE_DOES else f"no {role} {what}"


def absence(missing: Missing) -> str:
    """Say it of one that is missing, whichever it is."""
    if not missing.runs:
        return nobody(missing.role)
    return what_fails(missing.role, "is ready" if missing.works else "can work")


def nobody(role: str) -> str:
    """Say who is missing: ``no scheduler runs``, ``no worker sends emails (queue send)``."""
    if role in QUEUE_DOES:
        return f"no worker {QUEUE_DOES[role]} (queue {role})"
    return f"no {role} process runs" if role != "scheduler" else "no scheduler runs"
