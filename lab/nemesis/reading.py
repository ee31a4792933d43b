"""Trouble with reading mailboxes: refused, broken off, slow; by two workers at once; by workers that die at it."""

import time
from functools import partial
from typing import TYPE_CHECKING

import dramatiq
import redis
from sqlalchemy import text

from app.broker import Broker, enqueue
from db.core.session import retry_while_unavailable
from domain.jobs import ReadMailbox
from lab.nemesis.arena import Arena
from lab.nemesis.processes import execute, kill_worker
from lab.nemesis.providers import SEARCH, strike_both
from lab.nemesis.troubles import trouble

if TYPE_CHECKING:
    from lab.nemesis.nemesis import Nemesis

_RAW, _TEXT = "GET /me/messages/{id}/$value", "GET /me/messages/{id}"
_WITHIN = 3.0  # seconds to wait for somebody who reads


@trouble(weight=5, leaves_no_doubt=True)
def reading_fails(nemesis: "Nemesis", pick: int, size: float) -> None:
    """Answer a list of messages, or an item that matched, with an error, before anything of it is said."""
    answers: list[dict[str, object]] = [
        {"status": 503},
        {"status": 429, "headers": {"Retry-After": str(1 + int(3 * size))}},
        {"status": 500},
        {"status": 410},
        {"status": 401},
        {"reset": True},
        {"status": 504},
        {"status": 200, "body": '{"value": [{"id": "AAMk'},
    ]
    route = [SEARCH, _RAW, _TEXT][pick % 3]
    answer = answers[pick // 3 % len(answers)]
    strike_both(nemesis.arena, route, when="before", times=2 + int(8 * size), **answer)


@trouble(weight=4, leaves_no_doubt=True)
def unreadable_mailbox(nemesis: "Nemesis", pick: int, size: float) -> None:
    """No list of one mailbox, or of any, is answered for a while. Its emails can still be sent."""
    desks = [desk for desk in nemesis.arena.company.desks if not desk.by_smtp]
    strike_both(
        nemesis.arena,
        SEARCH,
        mailbox=["", desks[pick % len(desks)].address][pick % 2],
        when="before",
        times=20 + int(60 * size),
        status=[503, 500, 504][pick // 2 % 3],
    )


@trouble(weight=4, leaves_no_doubt=True)
def slow_pages(nemesis: "Nemesis", pick: int, size: float) -> None:
    """Pages come late, so that answers arrive and emails are due after the provider has made a page, and before we have it."""
    nemesis.arena.control.fault(
        [SEARCH, SEARCH, _RAW][pick % 3], when="after", times=6 + int(10 * size), delay=2 + 8 * size
    )


@trouble(weight=2, leaves_no_doubt=True)
def expired_tokens(nemesis: "Nemesis", _pick: int, size: float) -> None:
    """The provider calls the tokens expired in the middle of readings."""
    for skip in range(1 + int(3 * size)):
        nemesis.arena.control.fault(SEARCH, when="before", status=401, skip=skip)


@trouble(weight=3, leaves_no_doubt=True)
def history_at_gmail(nemesis: "Nemesis", pick: int, _size: float) -> None:
    """Let bookmarks of mailboxes at Gmail count, as ten minutes later, or let all ids of their history be too old."""
    statement = "UPDATE mailbox_reads SET log_newest_at = log_newest_at - interval '11 minutes'"
    retry_while_unavailable(partial(execute, nemesis.arena, statement), 60)
    if pick % 3 == 0:
        nemesis.arena.control.forget_history()


@trouble(weight=4)
def kill_while_reading(nemesis: "Nemesis", pick: int, size: float) -> None:
    """Send SIGKILL to a worker while a mailbox is being read."""
    until = time.monotonic() + _WITHIN
    while time.monotonic() < until:
        if retry_while_unavailable(partial(_anybody_reads, nemesis.arena), 60):
            break
        time.sleep(0.02)
    kill_worker(nemesis, pick, size)


@trouble(weight=4, leaves_no_doubt=True)
def read_by_two(nemesis: "Nemesis", _pick: int, _size: float) -> None:
    """End the readers' turns, plan all mailboxes again, and enqueue each reading three times with its number and the one before."""
    arena = nemesis.arena
    statement = (
        "UPDATE mailbox_reads SET lease_until = lease_until - interval '60 seconds',"
        " next_read_at = clock_timestamp() + interval '1 second'"
    )
    retry_while_unavailable(partial(execute, arena, statement), 60)
    jobs = retry_while_unavailable(partial(_planned, arena), 60)
    try:
        broker = Broker(arena.redis.url())
        for job in jobs:
            for number in (job.round, job.round, max(0, job.round - 1)):
                enqueue(broker, ReadMailbox(job.mailbox_id, number))
        broker.close()
    except (dramatiq.errors.BrokerError, redis.RedisError) as error:
        arena.journal.note({"not enqueued": type(error).__name__})


def _anybody_reads(arena: Arena) -> bool:
    with arena.direct.transaction() as tx:
        statement = "SELECT EXISTS (SELECT FROM mailbox_reads WHERE lease_until > clock_timestamp())"
        return bool(tx.execute(text(statement)).scalar_one())


def _planned(arena: Arena) -> list[ReadMailbox]:
    with arena.direct.transaction() as tx:
        rows = tx.execute(text("SELECT mailbox_id, round FROM mailbox_reads")).all()
    return [ReadMailbox(row.mailbox_id, row.round) for row in rows]
