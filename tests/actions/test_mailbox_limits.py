"""A mailbox's limit of a day is raised and lowered while emails wait; the gate decides by the one that is stored."""

from uuid import UUID

import pytest

from actions import mailbox_limits
from domain.errors import InvalidInput, NotFound
from domain.hand_edits import Overtaken
from lab.access_records import Lane
from lab.records import AuditEntry, Delivery
from lab.stage import Stage
from workers import send_step


@pytest.fixture
def box(stage: Stage) -> UUID:
    """Rita's mailbox sends two emails a day, and five wait."""
    rita = stage.world.member("Rita Recruiter")
    box = stage.mailbox(rita)
    stage.world.put(Lane, box, daily_cap=2)
    stage.world.enroll(stage.world.sequence(rita, box), 5)
    return box


def set_cap(stage: Stage, box: UUID, cap: int, was: int | None = None) -> bool:
    return mailbox_limits.set_daily_cap(stage.runtime, box, cap, was=was, actor="Rita")


def test_raised_what_waits_for_tomorrow_goes_on_up_to_the_new_limit(stage: Stage, box: UUID) -> None:
    stage.send_due()
    assert len(stage.left()) == 2
    assert set_cap(stage, box, 4)
    stage.send_due()
    assert len(stage.left()) == 4
    assert stage.only(Lane).sent_today == 4
    (entry,) = [each for each in stage.all(AuditEntry) if each.action == "mailbox_limit_set"]
    assert entry.data == {"daily_cap": 4, "was": 2}
    assert not set_cap(stage, box, 4), "it was so"


def test_an_email_that_the_gate_put_off_to_tomorrow_leaves_today_once_the_limit_is_raised(
    stage: Stage, box: UUID
) -> None:
    queued = stage.due()
    stage.world.put(Lane, box, daily_cap=1)
    for each in queued:
        send_step.send(stage.runtime, each)
    waits = [each for each in stage.all(Delivery) if each.reason == "daily_cap"]
    assert len(stage.left()) == 1
    assert waits
    set_cap(stage, box, 10)
    stage.world.put(Lane, box, tokens=4)
    stage.send_due()
    assert stage.states() == {"sent": 5}


def test_lowered_what_a_worker_has_already_does_not_pass(stage: Stage, box: UUID) -> None:
    queued = stage.due()
    assert len(queued) == 2
    send_step.send(stage.runtime, queued[0])
    set_cap(stage, box, 1)
    send_step.send(stage.runtime, queued[1])
    stage.send_due()
    assert len(stage.left()) == 1
    set_cap(stage, box, 2)
    stage.send_due()
    assert len(stage.left()) == 2, "each once"


@pytest.mark.parametrize("cap", [0, -1, 10_001])
def test_a_limit_out_of_bounds_is_refused(stage: Stage, box: UUID, cap: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        set_cap(stage, box, cap)
    assert refused.value.where == "daily_cap"
    assert stage.only(Lane).daily_cap == 2


def test_what_somebody_else_set_meanwhile_is_not_replaced(stage: Stage, box: UUID) -> None:
    set_cap(stage, box, 50, was=2)
    with pytest.raises(Overtaken, match="to 50 since"):
        set_cap(stage, box, 10, was=2)
    assert stage.only(Lane).daily_cap == 50
    with pytest.raises(NotFound):
        set_cap(stage, UUID(int=1), 5)
