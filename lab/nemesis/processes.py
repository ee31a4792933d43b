"""Trouble with our own processes: killed, stopped, frozen, with wrong clocks and old messages."""

import os
import signal
from functools import partial
from typing import TYPE_CHECKING

import dramatiq
import redis
from sqlalchemy import text

from app.broker import Broker, enqueue
from db.core.session import retry_while_unavailable
from domain.jobs import SendStep
from lab.nemesis.arena import Arena
from lab.nemesis.troubles import trouble

if TYPE_CHECKING:
    from lab.nemesis.nemesis import Nemesis

_HELD_UNTIL = {
    "deliveries": ("lease_until", "queued_at"),
    "lanes": ("slot_until",),
    "outbox": ("published_at",),
    "mailbox_reads": ("lease_until", "queued_at", "next_read_at"),
}


@trouble(weight=4)
def kill_worker(nemesis: "Nemesis", pick: int, _size: float) -> None:
    """Send SIGKILL to a worker; a supervisor starts the next one."""
    arena = nemesis.arena
    victim = arena.workers[pick % len(arena.workers)]
    if victim.pid in arena.frozen or victim.poll() is not None:
        return
    arena.workers.remove(victim)
    arena.processes.kill(victim)
    arena.start_worker()


@trouble(weight=2, leaves_no_doubt=True)
def kill_scheduler(nemesis: "Nemesis", pick: int, _size: float) -> None:
    """Send SIGKILL to a scheduler; a supervisor starts the next one."""
    arena = nemesis.arena
    victim = arena.schedulers[pick % len(arena.schedulers)]
    if victim.poll() is not None:
        return
    arena.schedulers.remove(victim)
    arena.processes.kill(victim)
    arena.start_scheduler()


@trouble(weight=2)
def stop_worker(nemesis: "Nemesis", pick: int, _size: float) -> None:
    """Send SIGTERM, as a rolling deploy does: the next worker starts while this one still finishes."""
    arena = nemesis.arena
    victim = arena.workers[pick % len(arena.workers)]
    if victim.pid not in arena.frozen and victim.poll() is None:
        arena.workers.remove(victim)
        victim.send_signal(signal.SIGTERM)
        arena.start_worker()


@trouble(weight=3)
def freeze_worker(nemesis: "Nemesis", pick: int, size: float) -> None:
    """Send SIGSTOP, for some seconds."""
    arena = nemesis.arena
    victim = arena.workers[pick % len(arena.workers)]
    if victim.poll() is None and not arena.frozen:
        arena.frozen.add(victim.pid)
        os.killpg(victim.pid, signal.SIGSTOP)
        nemesis.later(1 + 7 * size, lambda: nemesis.thaw(victim.pid))


@trouble(weight=1)
def freeze_for_long(nemesis: "Nemesis", pick: int, _size: float) -> None:
    """Freeze a worker for longer than its lease, until all is healed. The others see the lease end meanwhile."""
    arena = nemesis.arena
    victim = arena.workers[pick % len(arena.workers)]
    if victim.poll() is None and not arena.frozen:
        arena.frozen.add(victim.pid)
        os.killpg(victim.pid, signal.SIGSTOP)
        nemesis.later(8, lambda: age_leases(arena))


@trouble(weight=3)
def a_minute_passes(nemesis: "Nemesis", _pick: int, _size: float) -> None:
    """End all leases now, of live, slow and dead workers.

    A slow worker continues, and must find that it lost its lease.
    """
    age_leases(nemesis.arena)


@trouble(weight=2)
def step_clock(nemesis: "Nemesis", pick: int, size: float) -> None:
    """Step the wall clock of one process by up to two minutes, either way."""
    nemesis.arena.set_clocks(round(240 * size - 120, 1), pick)


@trouble(weight=3, leaves_no_doubt=True)
def duplicate_messages(nemesis: "Nemesis", _pick: int, _size: float) -> None:
    """Enqueue every delivery again, with its present number and with an old one: duplicated and late messages."""
    jobs = retry_while_unavailable(partial(_begun, nemesis.arena), 60)
    try:
        broker = Broker(nemesis.arena.redis.url())
        for job in jobs:
            for number in (job.dispatch_no, job.dispatch_no, max(1, job.dispatch_no - 1)):
                enqueue(broker, SendStep(job.delivery_id, number))
        broker.close()
    except (dramatiq.errors.BrokerError, redis.RedisError) as error:
        nemesis.arena.journal.note({"not enqueued": type(error).__name__})


def age_leases(arena: Arena) -> None:
    """Pass a minute for everything that is held: leases end, and messages are enqueued again."""
    for table, condition in (
        ("deliveries", "state IN ('queued', 'preparing', 'drafted', 'sending')"),
        ("lanes", "slot_until IS NOT NULL"),
        ("outbox", "done_at IS NULL"),
        ("mailbox_reads", "lease_until IS NOT NULL OR queued_at IS NOT NULL"),
    ):
        ages = ", ".join(f"{name} = {name} - interval '60 seconds'" for name in _HELD_UNTIL[table])
        statement = f"UPDATE {table} SET {ages} WHERE {condition}"
        retry_while_unavailable(partial(execute, arena, statement), 60)


def execute(arena: Arena, statement: str, **parameters: object) -> None:
    """Run one statement in its own transaction, because rows of several tables lock in no particular order."""
    with arena.direct.transaction() as tx:
        tx.execute(text(statement), parameters)


def _begun(arena: Arena) -> list[SendStep]:
    with arena.direct.transaction() as tx:
        rows = tx.execute(
            text(
                "SELECT id, dispatch_no FROM deliveries WHERE dispatch_no > 0 AND (state <> 'sent'"
                " OR sent_at > clock_timestamp() - interval '10 seconds') LIMIT 60"
            )
        ).all()
    return [SendStep(row.id, row.dispatch_no) for row in rows]
