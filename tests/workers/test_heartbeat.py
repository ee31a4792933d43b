"""Every process reports that it runs, by its own database role, and operators see it."""

import os
import time
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from app import heartbeat
from app.broker import Broker
from app.heartbeat import Heartbeat
from app.readiness import OLD_SCHEMA, Readiness, Trouble
from app.release import release
from db.core.crypto import KeyRing
from db.core.session import Database, database_now
from db.schema import privileges, version
from db.views import processes
from domain.processes import Process, missing, runs
from lab.access_records import ProcessRow
from lab.factories import KEY, World
from lab.stage import Stage
from scheduler import sweeper
from workers.watchdog import Watchdog

RING = KeyRing((KEY,))


def everyone(database: Database) -> list[Process]:
    with database.transaction() as tx:
        return processes.everyone(tx)


@pytest.mark.parametrize(
    ("kind", "role"),
    [
        ("scheduler", privileges.WORKER),
        ("worker", privileges.WORKER),
        ("web", privileges.WEB),
        ("inbox", privileges.INBOX),
    ],
)
def test_a_process_reports_by_its_own_role_until_it_ends(
    world: World, url_as: Callable[[str], str], kind: str, role: str
) -> None:
    own = Database(url_as(role), pool_size=1)
    queues = ["send", "events"] if kind == "worker" else []
    beating = Heartbeat(own, kind, Readiness(own), queues=queues, key_ids=RING.ids)
    assert beating.beat() == ()
    (first,) = everyone(world.database)
    assert (first.kind, first.queues, first.pid) == (kind, sorted(queues), os.getpid())
    assert (first.version, first.schema) == (release(), version.newest())
    assert first.key_ids == [RING.newest_id.hex()]
    assert first.last_job_at is None
    beating.worked()
    beating.beat()
    (second,) = everyone(world.database)
    assert second.seen_at > first.seen_at
    assert second.last_job_at is not None
    beating.close()
    own.close()
    (ended,) = everyone(world.database)
    assert ended.stopped_at is not None
    assert not runs(ended, ended.seen_at)


def test_it_goes_on_from_a_thread(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "EVERY", 0.05)
    beating = Heartbeat(world.database, "web", Readiness(world.database))
    beating.start()
    deadline = time.monotonic() + 60
    while not (found := everyone(world.database)) or found[0].seen_at == found[0].started_at:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    beating.close()
    assert everyone(world.database)[0].stopped_at is not None


def test_a_worker_reports_its_queues_and_what_keeps_it_from_working(
    stage: Stage, redis_url: str, world: World
) -> None:
    class Worker:
        consumer_whitelist = frozenset({"send"})

    stage.mailbox(world.member())
    broker = Broker(redis_url)
    broker.client.config_set("maxmemory-policy", "allkeys-lru")
    dog = Watchdog(stage.runtime)
    try:
        dog.after_worker_boot(broker, Worker())
        deadline = time.monotonic() + 60
        while not everyone(world.database):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        broker.client.config_set("maxmemory-policy", "noeviction")
        dog.before_worker_shutdown(broker, Worker())
    (found,) = everyone(world.database)
    assert (found.kind, found.queues) == ("worker", ["send"])
    assert "maxmemory-policy allkeys-lru" in found.troubles[0]
    assert world.all(ProcessRow)[0].works  # until its memory is full


def test_a_database_that_is_away_or_too_old_is_reported_to_nobody_and_stops_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Database("postgresql://u:p@127.0.0.1:9/none", pool_size=1)
    (trouble,) = Heartbeat(away, "web", Readiness(away)).beat()
    assert "Connection refused" in trouble
    older = frozenset({version.newest()})
    monkeypatch.setattr(version, "_known", lambda: ("2031_01_01_of_a_newer_release", older))
    beating = Heartbeat(world.database, "web", Readiness(world.database))
    assert beating.beat() == (OLD_SCHEMA,)
    beating.close()
    assert everyone(world.database) == []


def test_who_has_not_reported_for_a_day_is_forgotten(stage: Stage, world: World) -> None:
    for kind in ("scheduler", "web"):
        Heartbeat(world.database, kind, Readiness(world.database)).beat()
    stage.older(ProcessRow, "seen_at", seconds=3600)
    with world.database.transaction() as tx:
        assert {each.role for each in missing(processes.everyone(tx), database_now(tx))} >= {
            "scheduler",
            "web",
        }
    sweeper.tidy(world.database)
    assert len(everyone(world.database)) == 2
    stage.older(ProcessRow, "seen_at", seconds=24 * 3600)
    sweeper.tidy(world.database)
    assert everyone(world.database) == []


def test_a_beat_that_fails_is_logged_and_the_next_one_is_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "EVERY", 0.02)
    beats = iter([RuntimeError("no right to it"), RuntimeError("no right to it")])

    def examine(_readiness: Readiness) -> tuple[Trouble, ...]:
        for error in beats:
            raise error
        return ()

    monkeypatch.setattr(Readiness, "examine", examine)
    beating = Heartbeat(world.database, "scheduler", Readiness(world.database))
    with capture_logs() as logs:
        (said,) = beating.beat()  # as a worker's watch asks
        beating.start()
        until = time.monotonic() + 30
        while not everyone(world.database) and time.monotonic() < until:
            time.sleep(0.01)
        beating.close()
    assert len(everyone(world.database)) == 1
    assert "cannot report that it runs" in said
    assert [each["event"] for each in logs].count("heartbeat_failed") == 2
