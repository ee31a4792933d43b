"""Sends race changes of single emails: nothing leaves twice, out of order, or after it was left out. Judged by the ledger."""

import random
import threading
import time
from collections import Counter
from contextlib import suppress

import pytest

from actions import planned, resume, withdraw
from domain.changes import Cancel, Change, Earlier, NotBefore, Skip
from domain.errors import InvalidInput, NotPermitted
from lab.records import Delivery
from lab.stage import Stage
from lab.tables import PRESENT, ahead
from workers import send_step

STEPS = ("PT0S",) * 4


def change_something(stage: Stage, chance: random.Random, closed: dict[object, float]) -> None:
    """Change one email, whichever it is. ``closed``: what was left out, and when that was certain."""
    found = chance.choice(stage.all(Delivery))
    choices: list[Change] = [Skip(), Cancel(), Earlier(), NotBefore(ahead(seconds=1))]
    wanted = chance.choice(choices)
    with suppress(NotPermitted, InvalidInput):  # an earlier time than planned
        if chance.random() < 0.2:
            withdraw.pause_enrollment(stage.runtime, found.enrollment_id, actor="hans", reason="wait")
            resume.resume_enrollment(stage.runtime, found.enrollment_id, actor="hans")
        elif chance.random() < 0.2:
            planned.edit(stage.runtime, found.id, subject="New", body="Edited.", mark=None, actor="hans")
        elif planned.change(stage.runtime, found.id, wanted, actor="hans") and isinstance(
            wanted, Skip | Cancel
        ):
            closed[found.id] = time.monotonic()


@pytest.mark.parametrize("seed", range(4))
def test_nothing_leaves_twice_or_out_of_order_while_people_change_what_is_planned(
    stage: Stage, seed: int
) -> None:
    chance = random.Random(seed)
    box = stage.mailbox(stage.world.member("Hans Holder"))
    stage.world.enroll(stage.world.sequence(stage.owner(box), box, STEPS), 4)
    stage.emulator.control.switch(stage.address(box), latency=chance.choice([0.0, 0.01]))
    over, closed = threading.Event(), dict[object, float]()

    def work() -> None:
        while not over.is_set():
            for job in stage.due():
                send_step.send(stage.runtime, job)
            time.sleep(0.002)

    def decide(own: random.Random) -> None:
        while not over.is_set():
            change_something(stage, own, closed)

    threads = [threading.Thread(target=work) for _ in range(2)]
    threads += [threading.Thread(target=decide, args=(random.Random(seed * 10 + n),)) for n in range(2)]
    for each in threads:
        each.start()
    for _ in range(6):
        time.sleep(0.3)
        stage.later(30)
    over.set()
    for each in threads:
        each.join()
    left = stage.left()
    assert max(Counter(entry.correlation_id for entry in left).values(), default=1) == 1
    rows = {each.correlation_id: each for each in stage.all(Delivery, correlation_id=PRESENT)}
    assert [entry for entry in left if rows[entry.correlation_id].id in closed] == []
    made = {each.id: n for n, each in enumerate(stage.all(Delivery))}
    for enrollment in {each.enrollment_id for each in rows.values()}:
        theirs = [
            rows[entry.correlation_id]
            for entry in left
            if rows[entry.correlation_id].enrollment_id == enrollment
        ]
        assert [made[each.id] for each in theirs] == sorted(made[each.id] for each in theirs)
    waiting = Counter(
        each.enrollment_id for each in stage.all(Delivery) if each.state not in ("sent", "closed")
    )
    assert max(waiting.values(), default=0) <= 1
