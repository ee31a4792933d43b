"""A mailbox is asked whether it can still send before a send needs it."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest

from db import checks
from tests.stage import Stage

PATH = "GET /me/mailboxSettings"


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
    stage.check_mailboxes()
    assert status(stage) == "connected"
    assert stage.world.one("SELECT settings->>'zone' FROM mailboxes") == "Europe/Berlin"
    assert stage.notices() == []


@pytest.mark.parametrize("refusal", ["50173", "700082", "50057", "65001", "53003"])
def test_a_lost_connection_pauses_before_the_first_failing_send_and_tells_once(
    stage: Stage, box: UUID, refusal: str
) -> None:
    stage.emulator.control.add_mailboxes({"address": stage.address(box), "refusal": refusal})
    stage.check_mailboxes()
    stage.check_mailboxes()
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
    stage.check_mailboxes()
    assert status(stage) == "connected"
    assert stage.notices() == []


def test_our_own_mistake_alarms_operators_and_marks_no_mailbox(stage: Stage, box: UUID) -> None:
    stage.emulator.control.add_mailboxes({"address": stage.address(box), "refusal": "7000222"})
    stage.check_mailboxes()
    assert status(stage) == "connected"
    assert stage.notices() == []


def test_a_disconnected_mailbox_is_left_alone(stage: Stage, box: UUID) -> None:
    from actions import withdraw

    withdraw.disconnect_mailbox(stage.runtime, box, actor="rita")
    stage.run_outbox()
    before = stage.emulator.control.stats()["requests"]
    stage.check_mailboxes()
    assert stage.emulator.control.stats()["requests"] == before


def test_checks_are_planned_once_an_interval(stage: Stage, box: UUID) -> None:
    def planned() -> int:
        with stage.world.database.transaction() as tx:
            return checks.plan(tx, every=timedelta(minutes=15), lost_every=timedelta(hours=1))

    assert [planned(), planned()] == [1, 0]


@pytest.mark.parametrize("refusal", ["50173", "50057", "65001", "90094", "53003"])
def test_a_mailbox_that_microsoft_accepts_again_is_connected_again_and_resumes_nothing(
    stage: Stage, box: UUID, refusal: str
) -> None:
    stage.emulator.control.add_mailboxes({"address": stage.address(box), "refusal": refusal})
    stage.check_mailboxes()
    assert status(stage) == "disconnected"
    stage.emulator.control.add_mailboxes({"address": stage.address(box), "refusal": ""})
    stage.check_mailboxes()
    stage.check_mailboxes()
    assert status(stage) == "connected"
    assert stage.world.one("SELECT open FROM lanes")
    assert stage.world.rows("SELECT status FROM sequences") == [("paused",)]
    titles = [title for _, channel, title in stage.notices() if channel == "in_app"]
    assert len(titles) == 2
    assert titles[1] == f"{stage.address(box)} works again"
    assert stage.world.one("SELECT connection_version FROM mailboxes") == 2


def test_a_mailbox_that_somebody_removes_while_it_is_asked_stays_removed(stage: Stage, box: UUID) -> None:
    from actions import withdraw
    from db import mailboxes

    stage.emulator.control.add_mailboxes({"address": stage.address(box), "refusal": "53003"})
    stage.check_mailboxes()
    stage.emulator.control.add_mailboxes({"address": stage.address(box), "refusal": ""})
    stage.emulator.control.fault(PATH, delay=1.0, when="after")
    with ThreadPoolExecutor(1) as pool:
        checking = pool.submit(stage.check_mailboxes)
        time.sleep(0.4)
        withdraw.disconnect_mailbox(stage.runtime, box, actor="rita")
        checking.result()
    with stage.world.database.transaction() as tx:
        found = mailboxes.load(tx, box)
    assert found is not None
    assert (found.status, found.status_reason) == ("disconnected", "removed")
    assert stage.world.one("SELECT refresh_token IS NULL AND access_token IS NULL FROM credentials")


def test_a_scope_that_is_withdrawn_is_noticed_at_the_next_token(stage: Stage, box: UUID) -> None:
    stage.emulator.world.mailboxes[
        stage.address(box)
    ].granted = "https://graph.microsoft.com/Mail.ReadWrite https://graph.microsoft.com/MailboxSettings.Read"
    stage.check_mailboxes()
    assert stage.world.rows("SELECT status, status_reason FROM mailboxes") == [
        ("disconnected", "consent_missing")
    ]


@pytest.mark.parametrize("purpose", ["shared", "room", "equipment"])
def test_p4_a_mailbox_that_becomes_a_shared_one_cannot_send_any_more(
    stage: Stage, box: UUID, purpose: str
) -> None:
    stage.emulator.control.add_mailboxes({"address": stage.address(box), "purpose": purpose})
    stage.check_mailboxes()
    assert stage.world.rows("SELECT status, status_reason FROM mailboxes") == [
        ("disconnected", "mailbox_unsuitable")
    ]
    assert any(
        "shared mailbox, a room or equipment" in str(body)
        for (body,) in stage.world.rows("SELECT body FROM notices")
    )
