"""Everything at once: processes killed and frozen, sessions cut, Redis lost, answers lost, withdrawals between."""

import os
import random
import signal
import time
from collections import Counter, defaultdict
from uuid import UUID

import redis

from actions import withdraw
from lab.embedded import EmbeddedRedis
from lab.records import Delivery, Event, Notice, OutboxJob, Pause, Receipt, Sequence
from lab.stage import Stage
from lab.system import System
from lab.tables import PRESENT
from tests.end_to_end.test_whole_sequences import fill

SECONDS = 50  # of trouble; then everything heals
SEND = "POST /me/messages/{id}/send"
ANSWERS = [
    {"when": "after", "status": 504},
    {"when": "after", "reset": True},
    {"when": "after", "status": 202, "headers": {"Retry-After": "3"}},
    {"when": "before", "status": 429, "headers": {"Retry-After": "1"}},
    {"when": "after", "delay": 2.0},
]


class Chaos:
    """One seed's troubles."""

    def __init__(self, system: System, stage: Stage, server: EmbeddedRedis, seed: int) -> None:
        self.system, self.stage, self.server, self.random = system, stage, server, random.Random(seed)
        self.workers = [system.workers(threads=4) for _ in range(3)]
        self.schedulers = [system.scheduler() for _ in range(2)]
        self.frozen: int | None = None
        self.withdrawn: list[
            tuple[UUID, float, set[str]]
        ] = []  # sequence, returned at, unknown correlation ids

    def strike(self) -> None:
        trouble = self.random.choice(
            [
                self.kill_worker,
                self.kill_scheduler,
                self.freeze,
                self.cut,
                self.flush,
                self.lose_redis,
                self.lose_answers,
                self.lose_answers,
                self.pause,
            ]
        )
        print(f"{time.monotonic():.1f} {trouble.__name__}")
        trouble()

    def kill_worker(self) -> None:
        victim = self.random.choice(self.workers)
        if victim.pid == self.frozen:
            return
        self.workers.remove(victim)
        self.system.kill(victim)
        self.workers.append(self.system.workers(threads=4))

    def kill_scheduler(self) -> None:
        victim = self.random.choice(self.schedulers)
        self.schedulers.remove(victim)
        self.system.kill(victim)
        self.schedulers.append(self.system.scheduler())

    def freeze(self) -> None:
        """Freeze it for longer than its lease, like a machine that swaps or moves, then let it continue."""
        if self.frozen is None:
            self.frozen = self.random.choice(self.workers).pid
            os.killpg(self.frozen, signal.SIGSTOP)

    def thaw(self) -> None:
        if self.frozen is not None:
            os.killpg(self.frozen, signal.SIGCONT)

    def cut(self) -> None:
        self.stage.world.rows(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE 'onbehalf-%'"
        )

    def flush(self) -> None:
        redis.Redis.from_url(self.server.url()).flushall()

    def lose_redis(self) -> None:
        self.server.stop(kill=True)
        time.sleep(self.random.uniform(0, 4))
        self.server.start()

    def lose_answers(self) -> None:
        answer = self.random.choice(ANSWERS)
        self.stage.emulator.control.fault(SEND, times=self.random.randint(1, 4), **answer)

    def pause(self) -> None:
        running = [each.id for each in self.stage.all(Sequence, status="active")]
        if len(running) < 8:
            return
        sequence = self.random.choice(running)
        answer = withdraw.pause_sequence(self.stage.runtime, sequence, actor="chaos", reason="trouble")
        returned = time.monotonic()
        unknown = {str(each.correlation_id) for each in self.stage.all(Delivery, list(answer.in_doubt))}
        self.withdrawn.append((sequence, returned, unknown))


def open_work(stage: Stage) -> list[Delivery]:
    paused = {each.id for each in stage.all(Sequence, status="paused")}
    return [
        each
        for each in stage.all(Delivery)
        if each.state not in ("sent", "closed", "review", "in_doubt")
        and not (each.held or each.sequence_id in paused)
    ]


def test_in_the_middle_of_chaos_nothing_is_doubled_lost_or_sent_after_a_no(
    system: System, stage: Stage, redis_server: EmbeddedRedis
) -> None:
    seed = random.randrange(100_000)
    print(f"seed {seed}")
    fill(stage, mailboxes=14, people=4)
    chaos = Chaos(system, stage, redis_server, seed)
    system.wait(system.sent(5), 60)
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        time.sleep(chaos.random.uniform(0.5, 2.5))
        chaos.strike()
    chaos.thaw()
    stage.emulator.control.clear_faults()

    paused = [sequence for sequence, _, _ in chaos.withdrawn]
    system.wait(lambda: not open_work(stage), 150)
    system.wait(lambda: stage.count(OutboxJob, done_at=None) == 0, 90)

    left = stage.left()
    correlation_ids = [entry.correlation_id for entry in left]
    assert len(correlation_ids) == len(set(correlation_ids)), "an email left twice"
    steps: dict[str, list[int]] = defaultdict(list)
    for entry in sorted(left, key=lambda each: each.at):
        steps[entry.to[0]].append(int(entry.body.split("this is step ")[1][0]))
    assert all(taken == list(range(1, len(taken) + 1)) for taken in steps.values()), "out of order"
    recorded = {str(each.correlation_id) for each in stage.all(Delivery, state="sent")}
    doubtful = {str(each.correlation_id) for each in stage.all(Delivery, state=["in_doubt", "review"])}
    assert recorded <= set(correlation_ids), "recorded as sent, but nobody received it"
    assert set(correlation_ids) <= recorded | doubtful, "sent, and nobody knows"
    for sequence, returned, unknown in chaos.withdrawn:
        silent = {str(each.correlation_id) for each in stage.all(Delivery, sequence_id=sequence)}
        late = [entry for entry in left if entry.correlation_id in silent - unknown and entry.at > returned]
        assert late == [], "left after the call returned"
    pauses = [(each.sequence_id, stage.only(Event, each.event_id).kind) for each in stage.all(Pause)]
    assert sorted(pauses) == sorted((sequence, "SequencePaused") for sequence in paused)
    heard = Counter((each.cause_key, each.owner_id, each.channel) for each in stage.all(Notice))
    assert [each for each, times in heard.items() if times > 1] == []
    assert stage.count(Receipt) == len(recorded)
    assert stage.count(OutboxJob, parked_at=PRESENT) == 0
    assert not [line for line in stage.emulator.control.stats()["violations"] if "at once" not in line]
    assert system.tracebacks() == []
