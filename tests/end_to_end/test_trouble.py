"""A database that goes away during a run, and a mailbox that would use up everything."""

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from db.schema.migrate import upgrade
from domain.lane import MAX_QUEUED, SEND_SLOTS
from lab.access_records import Mailbox
from lab.embedded import EmbeddedPostgres, EmbeddedRedis
from lab.stage import Stage
from lab.system import System
from tests.end_to_end.test_whole_sequences import fill, judge


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server of the test's own, as durable as in production."""
    with EmbeddedPostgres(tmp_path / "postgres") as server:
        upgrade(server.url())
        yield server


@pytest.fixture
def database_url(postgres: EmbeddedPostgres) -> str:
    return postgres.url()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_database_restarted_in_mid_run_loses_and_doubles_nothing(
    system: System, stage: Stage, postgres: EmbeddedPostgres, mode: str
) -> None:
    fill(stage, mailboxes=12, people=2)
    system.scheduler()
    system.workers(threads=4)
    system.workers(threads=4)
    system.wait(system.sent(10), 60)
    postgres.restart(mode)
    back = time.monotonic()
    stage.world.database.close()  # this process's own connections
    system.wait(system.sent(72), 110)
    assert time.monotonic() - back < 90
    judge(stage, 72)
    assert system.tracebacks() == []


def test_ten_thousand_due_in_one_mailbox_make_none_of_forty_nine_others_late(
    system: System, stage: Stage, redis_server: EmbeddedRedis
) -> None:
    fill(stage, mailboxes=1, people=10_000, delays=("PT0S",))
    hog = stage.only(Mailbox).address
    fill(stage, mailboxes=49, people=4, delays=("PT0S",))
    broker = redis.Redis.from_url(redis_server.url())
    system.scheduler()
    processes, threads = 2, 8
    system.workers(processes=processes, threads=threads)
    deepest = largest = 0
    until = time.monotonic() + 150
    while time.monotonic() < until and sum(each.mailbox == hog for each in stage.left()) < 35:
        deepest = max(deepest, broker.hlen("dramatiq:send.msgs"))
        largest = max(largest, broker.info("memory")["used_memory"])
        time.sleep(0.25)
    left = sorted(stage.left(), key=lambda each: each.at)
    by_mailbox = Counter(each.mailbox for each in left)
    assert len(by_mailbox) == 50
    assert {count for mailbox, count in by_mailbox.items() if mailbox != hog} == {4}
    # Their buckets held enough, so they were served at once, not after the hog.
    others = [each.at for each in left if each.mailbox != hog]
    assert max(others) - left[0].at < 30
    of_hog = [each.at for each in left if each.mailbox == hog]
    assert len(of_hog) >= 35  # more than one minute's worth, so that its pace can be judged
    assert max(sum(at <= other < at + 60 for other in of_hog) for at in of_hog) <= 30
    stats = stage.emulator.control.stats()
    assert stats["violations"] == []
    # A worker acknowledges its message after it has recorded the email, and by then the next may have been enqueued.
    assert deepest <= min(MAX_QUEUED, 50 * SEND_SLOTS) + processes * threads
    assert largest < 64 * 2**20
    assert stage.world.states()["sent"] == len(left) == len({each.correlation_id for each in left})


def test_a_worker_whose_main_process_was_killed_does_not_linger(system: System, stage: Stage) -> None:
    fill(stage, mailboxes=2, people=1)
    system.scheduler()
    main = system.workers()
    system.wait(system.sent(2), 60)
    children = subprocess.run(
        ["pgrep", "-P", str(main.pid)], capture_output=True, text=True, check=True
    ).stdout.split()
    assert children
    main.kill()
    main.wait(10)
    system.running.remove(main)
    until = time.monotonic() + 30
    while any(alive(child) for child in children) and time.monotonic() < until:
        time.sleep(0.2)
    assert [child for child in children if alive(child)] == []


def alive(pid: str) -> bool:
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True, check=False
    ).stdout
    return state.strip() != "" and not state.startswith("Z")
