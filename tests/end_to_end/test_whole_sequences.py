"""Real processes, real Redis, real Postgres, the real SDK: whole sequences, in order, through trouble."""

import random
import time
from uuid import UUID

import redis

from domain.jobs import QUEUES
from lab.embedded import EmbeddedRedis
from lab.records import Enrollment, Receipt
from lab.stage import Stage
from lab.system import System


def fill(
    stage: Stage, mailboxes: int, people: int, delays: tuple[str, ...] = ("PT0S", "PT1S", "PT1S")
) -> list[UUID]:
    sequences = []
    for _ in range(mailboxes):
        mailbox_owner, owner = stage.world.member("Hans Holder"), stage.world.member()
        box = stage.mailbox(mailbox_owner)
        stage.world.grant(box, owner)
        sequence = stage.world.sequence(owner, box, delays)
        stage.world.enroll(sequence, people)
        sequences.append(sequence)
    return sequences


def judge(stage: Stage, emails: int) -> None:
    """Every person got every step, once, in order, and every email has its receipt."""
    left = stage.left()
    assert len(left) == emails
    assert len({entry.correlation_id for entry in left}) == emails
    by_person: dict[str, list[int]] = {}
    for entry in sorted(left, key=lambda each: each.at):
        step = int(entry.body.split("this is step ")[1][0])
        by_person.setdefault(entry.to[0], []).append(step)
    assert all(steps == sorted(steps) == list(range(1, len(steps) + 1)) for steps in by_person.values())
    assert stage.world.states() == {"sent": emails}
    assert stage.count(Receipt) == emails
    assert stage.emulator.control.stats()["violations"] == []


def test_a_sequence_runs_from_due_to_finished(system: System, stage: Stage) -> None:
    fill(stage, mailboxes=3, people=2)
    system.scheduler()
    system.workers()
    system.wait(system.sent(18), 60)
    judge(stage, 18)
    assert stage.count(Enrollment, status="finished") == 6
    # Over connections whose statements Postgres plans once, not for each email.
    assert stage.world.one(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'onbehalf-sender'"
    )
    assert system.tracebacks() == []


def test_an_emptied_redis_costs_at_most_a_minute_and_a_half(
    system: System, stage: Stage, redis_server: EmbeddedRedis
) -> None:
    fill(stage, mailboxes=12, people=2)
    system.scheduler()
    workers = system.workers()
    system.wait(system.sent(6), 60)
    system.terminate(workers)  # so that Redis surely holds some messages when it is emptied
    time.sleep(1.5)
    redis.Redis.from_url(redis_server.url()).flushall()
    emptied = time.monotonic()
    system.workers()
    system.wait(system.sent(72), 110)
    assert time.monotonic() - emptied < 90
    judge(stage, 72)


def test_junk_put_straight_into_redis_is_refused_and_harms_nobody(
    system: System, stage: Stage, redis_server: EmbeddedRedis
) -> None:
    broker = redis.Redis.from_url(redis_server.url())
    junk = [
        b"not json",
        b"[]",
        b"{}",
        b'{"queue_name": "send", "actor_name": "send_step", "args": [], "kwargs": {}, "options": {}, "message_id": "1", "message_timestamp": 1}',
        b'{"queue_name": "send", "actor_name": "os.system", "args": ["id"], "kwargs": {}, "options": {"redis_message_id": "5"}, "message_id": "2", "message_timestamp": 1}',
        b'{"queue_name": "send", "actor_name": "send_step", "args": [], "kwargs": {"delivery_id": "x", "dispatch_no": 1}, "options": {"redis_message_id": "6"}, "message_id": "3", "message_timestamp": 1}',
        b'{"queue_name": "send", "actor_name": "send_step", "args": [], "kwargs": {"delivery_id": "00000000-0000-0000-0000-000000000001", "dispatch_no": 1e99}, "options": {"redis_message_id": "7"}, "message_id": "4", "message_timestamp": 1}',
        b'{"queue_name": "send", "actor_name": "send_step", "args": [1, 2, 3], "kwargs": {"more": 1}, "options": {"redis_message_id": "8"}, "message_id": "5", "message_timestamp": 1}',
        b'{"queue_name": "send", "actor_name": "send_step", "args": 7, "kwargs": null, "options": "none", "message_id": "6", "message_timestamp": 1}',
        b"\xff\xfe\x00",
    ]
    for number, body in enumerate(junk):
        for queue in QUEUES:
            broker.hset(f"dramatiq:{queue}.msgs", str(number), body)
            broker.rpush(f"dramatiq:{queue}", str(number))
    fill(stage, mailboxes=2, people=1)
    system.scheduler()
    system.workers()
    system.wait(system.sent(6), 60)
    judge(stage, 6)
    assert system.tracebacks() == []


def test_schedulers_and_workers_started_and_stopped_at_random_lose_and_double_nothing(
    system: System, stage: Stage
) -> None:
    seed = random.randrange(10_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    fill(stage, mailboxes=15, people=3)
    schedulers = [system.scheduler() for _ in range(2)]
    workers = [system.workers(threads=4) for _ in range(4)]
    deadline = time.monotonic() + 100
    turns = 0
    while stage.world.states() != {"sent": 135} and time.monotonic() < deadline:
        time.sleep(chance.uniform(1.0, 3.0))
        if turns < 6:
            turns += 1
            kind = chance.choice([schedulers, workers])
            victim = chance.choice(kind)
            kind.remove(victim)
            system.terminate(victim)
            kind.append(system.scheduler() if kind is schedulers else system.workers(threads=4))
    judge(stage, 135)
