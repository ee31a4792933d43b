"""Trouble with the servers that we use, and with the links to them."""

import time
from functools import partial
from typing import TYPE_CHECKING

import redis

from db.core.session import retry_while_unavailable
from lab.nemesis.arena import Arena, client_of
from lab.nemesis.processes import execute
from lab.nemesis.proxy import Link
from lab.nemesis.troubles import trouble

if TYPE_CHECKING:
    from lab.nemesis.nemesis import Nemesis


@trouble(weight=1)
def restart_database(nemesis: "Nemesis", _pick: int, _size: float) -> None:
    """Restart in good order."""
    nemesis.arena.postgres.restart("fast")


@trouble(weight=1)
def crash_database(nemesis: "Nemesis", _pick: int, size: float) -> None:
    """Crash; back within three seconds."""
    nemesis.arena.postgres.stop("immediate")
    time.sleep(3 * size)
    nemesis.arena.postgres.restart("immediate")


@trouble(weight=2)
def cut_sessions(nemesis: "Nemesis", _pick: int, _size: float) -> None:
    """The database ends all our sessions."""
    cut = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name LIKE 'onbehalf%'"
    )
    # Retry: our own session may have ended with the database a moment ago.
    retry_while_unavailable(partial(execute, nemesis.arena, cut), 60)


@trouble(weight=2, leaves_no_doubt=True)
def empty_redis(nemesis: "Nemesis", _pick: int, size: float) -> None:
    """Empty Redis again and again for up to three seconds, because a message is there for milliseconds only."""
    for number in range(1 + int(30 * size)):
        nemesis.later(0.1 * number, partial(_flush_redis, nemesis.arena))


def _flush_redis(arena: Arena) -> None:
    try:
        redis.Redis.from_url(arena.redis.url()).flushall()
    except redis.RedisError as error:
        arena.journal.note({"not emptied": type(error).__name__})


@trouble(weight=1, leaves_no_doubt=True)
def crash_redis(nemesis: "Nemesis", _pick: int, size: float) -> None:
    """Send SIGKILL; back within three seconds."""
    nemesis.arena.redis.stop(kill=True)
    time.sleep(3 * size)
    nemesis.arena.redis.start()


@trouble(weight=3, leaves_no_doubt=True)
def redis_fails_over(nemesis: "Nemesis", pick: int, size: float) -> None:
    """For some seconds the address leads to the former master, now a replica, then to the new master.

    The replica accepts no writes, and no reads either until it is in step. What is connected stays connected.
    """
    if nemesis.failing_over:
        return
    stale = ["yes", "no"][pick % 2]  # no: MASTERDOWN until it is in step
    try:
        with client_of(nemesis.arena.redis) as former:
            former.config_set("replica-serve-stale-data", stale)
        nemesis.arena.fail_over()
    except redis.RedisError as error:
        nemesis.arena.journal.note({"not failed over": type(error).__name__})
        return
    nemesis.failing_over = True
    nemesis.failed_over += 1
    nemesis.later(1 + 5 * size, partial(follow_the_master, nemesis))


def follow_the_master(nemesis: "Nemesis") -> None:
    """Point Redis's address to the new master."""
    if nemesis.failing_over:
        nemesis.failing_over = False
        nemesis.arena.follow_the_master()


@trouble(weight=2)
def slow_link(nemesis: "Nemesis", pick: int, size: float) -> None:
    """Delay every byte."""
    link = _link(nemesis.arena, pick)
    # The database answers dozens of times per email, so a little delay is a lot.
    link.delay = 0.02 + (0.1 if link.name == "postgres" else 1.0) * size
    _heal_later(nemesis, pick, 2 + 3 * size)


@trouble(weight=3)
def silent_link(nemesis: "Nemesis", pick: int, size: float) -> None:
    """Let nothing through, and close nothing."""
    nemesis.arena.proxy.ask(_link(nemesis.arena, pick).fall_silent)
    _heal_later(nemesis, pick, 1 + 11 * size)


@trouble(weight=2)
def refusing_link(nemesis: "Nemesis", pick: int, size: float) -> None:
    """Reset connections and refuse new ones."""
    _link(nemesis.arena, pick).refusing = True
    nemesis.arena.proxy.ask(_link(nemesis.arena, pick).reset_all)
    _heal_later(nemesis, pick, 1 + 3 * size)


@trouble(weight=2)
def reset_link(nemesis: "Nemesis", pick: int, _size: float) -> None:
    """Reset all connections, once."""
    nemesis.arena.proxy.ask(_link(nemesis.arena, pick).reset_all)


@trouble(weight=4)
def cut_replies(nemesis: "Nemesis", pick: int, size: float) -> None:
    """Break connections within the next replies."""
    _link(nemesis.arena, pick).cut_replies = 1 + int(4 * size)


@trouble(weight=3)
def cut_requests(nemesis: "Nemesis", pick: int, size: float) -> None:
    """Break connections within the next requests."""
    _link(nemesis.arena, pick).cut_requests = 1 + int(4 * size)


def _link(arena: Arena, pick: int) -> Link:
    return list(arena.links.values())[pick % len(arena.links)]


def _heal_later(nemesis: "Nemesis", pick: int, seconds: float) -> None:
    link = _link(nemesis.arena, pick)
    nemesis.later(seconds, lambda: nemesis.arena.proxy.ask(link.heal))
