"""Troubles of the servers that we use, and of the links to them."""

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
    """An orderly restart."""
    nemesis.arena.postgres.restart("fast")


@trouble(weight=1)
def crash_database(nemesis: "Nemesis", _pick: int, size: float) -> None:
    """A crash, and up to three seconds until it is back."""
    nemesis.arena.postgres.stop("immediate")
    time.sleep(3 * size)
    nemesis.arena.postgres.restart("immediate")


@trouble(weight=2)
def cut_sessions(nemesis: "Nemesis", _pick: int, _size: float) -> None:
    """The database ends every session of ours."""
    cut = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name LIKE 'onbehalf%'"
    )
    # Again if need be: our own session may have ended with the database just before.
    retry_while_unavailable(partial(execute, nemesis.arena, cut), 60)


@trouble(weight=2, leaves_no_doubt=True)
def empty_redis(nemesis: "Nemesis", _pick: int, size: float) -> None:
    """Again and again for up to three seconds: a message lies there for milliseconds only."""
    for number in range(1 + int(30 * size)):
        nemesis.later(0.1 * number, partial(_flush_redis, nemesis.arena))


def _flush_redis(arena: Arena) -> None:
    try:
        redis.Redis.from_url(arena.redis.url()).flushall()
    except redis.RedisError as error:
        arena.journal.note({"not emptied": type(error).__name__})


@trouble(weight=1, leaves_no_doubt=True)
def crash_redis(nemesis: "Nemesis", _pick: int, size: float) -> None:
    """kill -9, and up to three seconds until it is back."""
    nemesis.arena.redis.stop(kill=True)
    time.sleep(3 * size)
    nemesis.arena.redis.start()


@trouble(weight=3, leaves_no_doubt=True)
def redis_fails_over(nemesis: "Nemesis", pick: int, size: float) -> None:
    """For some seconds its address leads to the former master, which is a replica now: it takes no writes, or cannot be
    read either while it is not in step. Then the address leads to the new one; what is connected stays connected."""
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
    """Redis's address leads to the new master."""
    if nemesis.failing_over:
        nemesis.failing_over = False
        nemesis.arena.follow_the_master()


@trouble(weight=2)
def slow_link(nemesis: "Nemesis", pick: int, size: float) -> None:
    """Every byte comes late."""
    link = _link(nemesis.arena, pick)
    # The database answers dozens of times per email: a little is much there.
    link.delay = 0.02 + (0.1 if link.name == "postgres" else 1.0) * size
    _heal_later(nemesis, pick, 2 + 3 * size)


@trouble(weight=3)
def silent_link(nemesis: "Nemesis", pick: int, size: float) -> None:
    """Nothing comes through, and nobody says so."""
    nemesis.arena.proxy.ask(_link(nemesis.arena, pick).fall_silent)
    _heal_later(nemesis, pick, 1 + 11 * size)


@trouble(weight=2)
def refusing_link(nemesis: "Nemesis", pick: int, size: float) -> None:
    """Connections are reset and new ones refused."""
    _link(nemesis.arena, pick).refusing = True
    nemesis.arena.proxy.ask(_link(nemesis.arena, pick).reset_all)
    _heal_later(nemesis, pick, 1 + 3 * size)


@trouble(weight=2)
def reset_link(nemesis: "Nemesis", pick: int, _size: float) -> None:
    """All connections are reset, once."""
    nemesis.arena.proxy.ask(_link(nemesis.arena, pick).reset_all)


@trouble(weight=4)
def cut_replies(nemesis: "Nemesis", pick: int, size: float) -> None:
    """Connections break within the next replies."""
    _link(nemesis.arena, pick).cut_replies = 1 + int(4 * size)


@trouble(weight=3)
def cut_requests(nemesis: "Nemesis", pick: int, size: float) -> None:
    """Connections break within the next requests."""
    _link(nemesis.arena, pick).cut_requests = 1 + int(4 * size)


def _link(arena: Arena, pick: int) -> Link:
    return list(arena.links.values())[pick % len(arena.links)]


def _heal_later(nemesis: "Nemesis", pick: int, seconds: float) -> None:
    link = _link(nemesis.arena, pick)
    nemesis.later(seconds, lambda: nemesis.arena.proxy.ask(link.heal))
