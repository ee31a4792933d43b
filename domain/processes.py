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
    """One process as it last reported. Times are on the database's clock."""

    id: UUID
    kind: str
    host: str
    pid: int
    queues: list[str]
    version: str
    schema: str
    key_ids: list[str]
    troubles: list[str]
    started_at: datetime
    seen_at: datetime
    last_job_at: datetime | None
    stopped_at: datetime | None


@dataclass(frozen=True, slots=True)
class Role:
    """Who has a role: how many run, and how many of them can work. ``seen_at``: when anybody last had it; None: not lately."""

    role: str
    seen_at: datetime | None
    running: int
    ready: int


def runs(process: Process, now: datetime) -> bool:
    """Has it reported lately, and not ended?"""
    return process.stopped_at is None and now - process.seen_at < SILENT_AFTER


@dataclass(frozen=True, slots=True)
class Missing:
    """A role that nobody has, or that nobody who has it can play.

    ``role``: a kind of process, or a worker's queue. ``since``: None if nobody has had it lately. ``runs``: somebody does, and cannot
    work.
    """

    role: str
    since: datetime | None
    runs: bool = False


def roles(process: Process) -> list[str]:
    """Return what a process does: its queues, or its kind."""
    return process.queues if process.kind == "worker" else [process.kind]


def missing(
    processes: Sequence[Process],
    now: datetime,
    wanted: Collection[str] = WANTED,
) -> list[Missing]:
    """Return the roles that no running process has, or that all who have them cannot work, in the order of ``wanted``.

    Empty if none has ever reported: releases before heartbeats do not.
    """
    if not processes:
        return []
    running = {role for each in processes if runs(each, now) for role in roles(each)}
    working = {role for each in processes if runs(each, now) and not each.troubles for role in roles(each)}
    seen: dict[str, datetime] = {}
    for each in processes:
        for role in roles(each):
            seen[role] = max(seen.get(role, each.seen_at), each.stopped_at or each.seen_at)
    return [
        Missing(role, None if role in running else seen.get(role), role in running)
        for role in wanted
        if role not in working
    ]


def what_fails(role: str) -> str:
    """Say who runs and cannot work: ``no scheduler can work``, ``no worker of the queue send can work``."""
    return f"no worker of the queue {role} can work" if role in QUEUE_DOES else f"no {role} can work"


def absence(missing: Missing) -> str:
    """Say it of one that is missing, whichever it is."""
    return what_fails(missing.role) if missing.runs else nobody(missing.role)


def nobody(role: str) -> str:
    """Say who is missing: ``no scheduler runs``, ``no worker sends emails (queue send)``."""
    if role in QUEUE_DOES:
        return f"no worker {QUEUE_DOES[role]} (queue {role})"
    return f"no {role} process runs" if role != "scheduler" else "no scheduler runs"
