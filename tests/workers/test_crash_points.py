"""kill -9 of a worker at every numbered point, with messages duplicated, lost and late: exactly one email, in order."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from actions import by_hand
from db.sending import dispatch
from domain.jobs import SendStep
from lab.records import Receipt
from lab.stage import Stage, as_environment
from workers import send_step

POINTS = [f"{when} C{n}" for n in (1, 2, 3, 4) for when in ("before", "inside", "after")] + [
    f"{when} X{n}" for n in (1, 2) for when in ("before", "after")
]


def die_at(stage: Stage, point: str, job: SendStep) -> None:
    child = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "tests.workers.crash_child",
            point,
            str(job.delivery_id),
            str(job.dispatch_no),
        ],
        cwd=Path(__file__).parents[2],
        env=os.environ | as_environment(stage.runtime.settings),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert child.returncode == -9, child.stderr.decode()[-2000:]


@pytest.mark.parametrize("provider", ["graph", "microsoft_tenant", "gmail"])
@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_anywhere_costs_no_email_and_doubles_none(
    stage: Stage, point: str, provider: str
) -> None:
    owner = stage.world.member()
    box, via = stage.mailbox_at(provider, owner), "gmail" if provider == "gmail" else "graph"
    stage.world.enroll(stage.world.sequence(owner, box, ("PT0S", "PT0S")))
    (job,) = stage.due()
    die_at(stage, point, job)

    send_step.send(stage.runtime, job)  # the message comes twice
    left_at_once = len(stage.left(via))
    for _ in range(20):  # and then never again; only time and the sweeper help
        stage.later(120)
        stage.sweep()
        with stage.world.database.transaction() as tx:
            again = dispatch.enqueue_again(tx)
        for each in again:
            send_step.send(stage.runtime, each)
        stage.send_due()
        stage.look()
    send_step.send(stage.runtime, job)  # and once more, long after

    emails = stage.left(via)
    assert ["step 1" in emails[0].body, "step 2" in emails[1].body, len(emails)] == [True, True, 2]
    assert emails[1].in_reply_to == emails[0].internet_message_id
    assert stage.world.states() == {"sent": 2}
    assert stage.count(Receipt) == 2
    if point == "before C1":  # C1 and C2 are statements that commit by themselves: inside them is after them
        assert left_at_once == 1  # nothing was held: the second message simply did the work


@pytest.mark.parametrize("point", ["inside C3", "before X2", "after X2", "inside C4"])
def test_an_email_written_by_hand_leaves_once_whenever_its_worker_is_killed(stage: Stage, point: str) -> None:
    owner = stage.world.member()
    box = stage.mailbox(owner)
    (candidate,) = stage.world.candidates(1)
    for _ in range(2):  # a double click
        by_hand.write(
            stage.runtime, stage.world.organization_id, candidate, member_id=owner, mailbox_id=box, in_thread=False,
            subject="By hand", text="Written by hand.", key="one form", actor="Rita Recruiter",
        )  # fmt: skip
    (job,) = stage.due()
    die_at(stage, point, job)
    for _ in range(20):
        stage.later(120)
        stage.sweep()
        with stage.world.database.transaction() as tx:
            again = dispatch.enqueue_again(tx)
        for each in again:
            send_step.send(stage.runtime, each)
        stage.send_due()
        stage.look()
    (email,) = stage.left()
    assert "Written by hand." in email.body
    assert stage.world.states() == {"sent": 1}
    assert stage.count(Receipt) == 1
