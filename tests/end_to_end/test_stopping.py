"""A worker that is told to stop finishes what it has begun, however many threads it has."""

from lab.stage import Stage
from lab.system import System

BOXES, PEOPLE = 8, 4
THREADS = 128  # as the Procfile has them


def test_a_worker_with_many_threads_ends_its_emails_before_it_ends(system: System, stage: Stage) -> None:
    for number in range(BOXES):
        owner = stage.world.member()
        box = stage.mailbox(owner)
        # Their emails end one after another, so the wait for one thread must not shorten that for the next.
        stage.emulator.control.switch(stage.address(box), latency=1 + number / 2)
        stage.world.enroll(stage.world.sequence(owner, box), PEOPLE)
    workers = system.workers("send", threads=THREADS)
    system.scheduler()
    system.wait(lambda: stage.states().get("preparing", 0) >= BOXES * PEOPLE / 2, 180)
    system.terminate(workers)
    assert set(stage.states()) <= {"sent", "pending", "queued"}
    assert stage.states()["sent"] == len(stage.left()) >= BOXES * PEOPLE / 2
    assert system.tracebacks() == []
