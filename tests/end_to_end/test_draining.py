"""A drain of real processes: nothing leaves while it stands, whatever is restarted or emptied, and all of it leaves once after it."""

import time
from collections import Counter
from datetime import timedelta

import redis

from actions import holds
from lab.stage import Stage
from lab.system import System

BOXES, PEOPLE = 3, 10
STANDS = 4.0  # seconds of it with processes that look for work


def test_a_drain_while_everybody_sends_outlives_restarts_and_an_emptied_redis(
    system: System, stage: Stage, redis_url: str
) -> None:
    for _ in range(BOXES):
        owner = stage.world.member()
        box = stage.mailbox(owner)
        stage.emulator.control.switch(stage.address(box), latency=0.05)
        stage.world.enroll(stage.world.sequence(owner, box), PEOPLE)
    workers = system.workers(threads=6)
    system.scheduler()
    system.wait(system.sent(BOXES), 180)
    assert (
        holds.drain(stage.runtime, actor="operator olga", reason="a new disk", within=timedelta(seconds=90))
        == []
    )
    left = len(stage.left())
    assert 0 < left < BOXES * PEOPLE
    # What was queued before goes back to wait when a worker claims it, and no request is made for it.
    states = stage.states()
    assert states["sent"] == left
    assert set(states) <= {"sent", "pending", "queued", "preparing"}
    system.terminate(workers)
    redis.Redis.from_url(redis_url).flushall()
    system.workers(threads=6)
    system.scheduler()
    system.wait_until_up(180)
    until = time.monotonic() + STANDS
    while time.monotonic() < until:
        assert len(stage.left()) == left
        time.sleep(0.2)
    assert holds.end_drain(stage.runtime, actor="operator olga")
    system.wait(system.sent(BOXES * PEOPLE), 180)
    received = Counter(entry.correlation_id for entry in stage.left())
    assert len(received) == BOXES * PEOPLE
    assert set(received.values()) == {1}
    assert system.tracebacks() == []
