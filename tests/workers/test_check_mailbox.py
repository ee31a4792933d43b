"""A mailbox is asked whether it can still send before a send needs it."""

from datetime import timedelta
from uuid import UUID

import pytest

from db import checks
from tests.stage import Stage

PATH = "GET /me/mailboxSettings"


def check_all(stage: Stage) -> None:
    with stage.world.database.transaction() as tx:
        checks.plan(tx, every=timedelta(0))
    stage.run_outbox()


@pytest.fixture
def box(stage: Stage) -> UUID:
    owner = stage.world.member()
    mailbox = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, mailbox, ("PT1H",)), 2)
    return mailbox


def status(stage: Stage) -> object:
    return stage.world.one("SELECT status FROM mailboxes")


def test_a_healthy_mailbox_stays_connected_and_its_settings_are_kept(stage: Stage, box: UUID) -> None:
    stage.emulator.control.add_mailboxes({"address": stage.address(box), "time_zone": "Europe/Berlin"})
    check_all(stage)
    assert status(stage) == "connected"
    assert stage.world.one("SELECT settings->>'zone' FROM mailboxes") == "Europe/Berlin"
    assert stage.notices() == []


@pytest.mark.parametrize("refusal", ["50173", "700082", "50057", "65001", "53003"])
def test_a_lost_connection_pauses_before_the_first_failing_send_and_tells_once(
    stage: Stage, box: UUID, refusal: str
) -> None:
    stage.emulator.control.add_mailboxes({"address": stage.address(box), "refusal": refusal})
    check_all(stage)
    check_all(stage)
    assert status(stage) == "disconnected"
    assert stage.world.rows("SELECT status FROM sequences") == [("paused",)]
    assert [channel for _, channel, _ in stage.notices()] == ["in_app", "email"]
    assert len(stage.left("smtp")) == 1
    assert stage.world.one("SELECT count(*) FROM deliveries WHERE held") == 2


@pytest.mark.parametrize(
    "fault", [{"status": 503}, {"status": 429, "headers": {"Retry-After": "5"}}, {"reset": True}]
)
def test_trouble_that_passes_says_nothing_of_the_mailbox(
    stage: Stage, box: UUID, fault: dict[str, object]
) -> None:
    stage.emulator.control.fault("*", times=99, **fault)
    check_all(stage)
    assert status(stage) == "connected"
    assert stage.notices() == []


def test_our_own_mistake_alarms_operators_and_marks_no_mailbox(stage: Stage, box: UUID) -> None:
    stage.emulator.control.add_mailboxes({"address": stage.address(box), "refusal": "7000222"})
    check_all(stage)
    assert status(stage) == "connected"
    assert stage.notices() == []


def test_a_disconnected_mailbox_is_left_alone(stage: Stage, box: UUID) -> None:
    from actions import withdraw

    withdraw.disconnect_mailbox(stage.runtime, box, actor="rita")
    stage.run_outbox()
    before = stage.emulator.control.stats()["requests"]
    check_all(stage)
    assert stage.emulator.control.stats()["requests"] == before


def test_checks_are_planned_once_an_interval(stage: Stage, box: UUID) -> None:
    def planned() -> int:
        with stage.world.database.transaction() as tx:
            return checks.plan(tx, every=timedelta(minutes=15))

    assert [planned(), planned()] == [1, 0]
