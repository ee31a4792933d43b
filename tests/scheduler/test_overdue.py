"""The number to alarm on: emails that could leave and do not. Whatever has a reason to wait is not among them."""

from collections.abc import Callable

import pytest

from app.heartbeat import Heartbeat
from app.readiness import Readiness
from db.views import dashboard
from domain.jobs import QUEUES
from lab.access_records import Lane, ProcessRow
from lab.records import Delivery
from lab.stage import Stage
from lab.tables import ago, ahead


def overdue(stage: Stage) -> int:
    with stage.world.database.transaction() as tx:
        return dashboard.overview(tx).overdue_for_no_reason


@pytest.fixture
def late(stage: Stage) -> Stage:
    """Two emails that have been due for five minutes, with a scheduler and a worker that report."""
    owner = stage.world.member()
    stage.world.enroll(stage.world.sequence(owner, stage.mailbox(owner)), 2)
    stage.older(Delivery, "due_at", minutes=5)
    stage.put(Lane, next_due_at=ago(minutes=5))
    for kind, queues in (("scheduler", ()), ("worker", QUEUES)):
        Heartbeat(stage.world.database, kind, Readiness(stage.world.database), queues=queues).beat()
    return stage


def test_emails_that_nothing_holds_back_are_counted(late: Stage) -> None:
    assert overdue(late) == 2
    late.put(Lane, next_due_at=ahead(hours=1))  # nor does a lane that has lost sight of them
    assert overdue(late) == 2


REASONS: dict[str, Callable[[Stage], object]] = {
    "pace": lambda late: late.put(Lane, last_served_at=ago(seconds=20)),
    "not due for long": lambda late: late.put(Delivery, due_at=ago(seconds=20)),
    "window, or a reading": lambda late: late.put(Delivery, due_at=ahead(minutes=1)),
    "hold": lambda late: late.put(Delivery, held=True, reason="grant_revoked"),
    "provider": lambda late: late.put(Lane, retry_after_until=ahead(minutes=2)),
    "closed": lambda late: late.put(Lane, open=False),
    "no scheduler": lambda late: late.older(ProcessRow, "seen_at", where={"kind": "scheduler"}, minutes=1),
    "a worker that cannot work": lambda late: late.put(ProcessRow, where={"kind": "worker"}, works=False),
    "no worker": lambda late: late.put(ProcessRow, where={"kind": "worker"}, stopped_at=ago(seconds=1)),
}


@pytest.mark.parametrize("reason", REASONS)
def test_whatever_has_a_reason_is_not(late: Stage, reason: str) -> None:
    REASONS[reason](late)
    assert overdue(late) == 0


def test_the_limit_of_the_day_is_a_reason(late: Stage) -> None:
    late.put(Lane, daily_cap=1, sent_today=1, zone="UTC", sent_on=ago().date())
    assert overdue(late) == 0


def test_without_heartbeats_of_any_kind_they_are_counted(late: Stage) -> None:
    late.remove(ProcessRow)
    assert overdue(late) == 2


def test_what_waits_for_our_own_settings_is_counted(late: Stage) -> None:
    late.put(Lane, retry_after_until=ahead(minutes=2), wait_reason="operator_misconfigured")
    assert overdue(late) == 2
