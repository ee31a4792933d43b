"""After the troubles what would take minutes is made due, but no step before the delay it has to keep."""

from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from lab.nemesis.arena import Arena
from lab.nemesis.quiet import _hurry
from lab.records import Delivery
from lab.stage import Stage
from lab.tables import ago


@pytest.mark.parametrize("minutes", [0, 2])
def test_what_was_put_off_for_an_hour_comes_no_earlier_than_its_delay(stage: Stage, minutes: int) -> None:
    owner = stage.world.member()
    stage.world.enroll(stage.world.sequence(owner, stage.mailbox(owner), ("PT0S", "PT1M")))
    stage.send_due()
    stage.put(Delivery, where={"state": "pending"}, due_at=ago(hours=-1), created_at=ago(minutes=minutes))
    _hurry(cast("Arena", SimpleNamespace(direct=stage.world.database)))
    (follow_up,) = stage.all(Delivery, state="pending")
    waits = max(0, 1 - minutes)
    assert follow_up.due_at - ago() == pytest.approx(timedelta(minutes=waits), abs=timedelta(seconds=10))
