"""Subscribing to Microsoft's notifications: at connection, for as long as possible, and not forever if refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from actions.connect import connect_mailbox
from lab.access_records import Mailbox, Subscription, SubscriptionRequest
from lab.stage import Stage
from lab.tables import ago, ahead

ROUTE = "POST /subscriptions"


@pytest.fixture
def box(stage: Stage, site: str) -> UUID:
    """A mailbox that was never connected, and a web process that Microsoft can reach."""
    stage.runtime.settings = replace(stage.runtime.settings, public_url=site)
    mailbox = stage.world.mailbox(stage.world.member(), connected=False)
    stage.emulator.control.add_mailboxes({"address": stage.address(mailbox)})
    return mailbox


def connect(stage: Stage, box: UUID) -> None:
    token = stage.emulator.control.refresh_token(stage.address(box))
    connect_mailbox(stage.runtime, box, refresh_token=token, actor="rita")
    stage.run_outbox()


def asked(stage: Stage) -> int:
    return int(stage.emulator.control.stats()["requests"].get(ROUTE, 0))


def known(moment: datetime | None) -> datetime:
    assert moment is not None
    return moment


def lives(stage: Stage) -> timedelta:
    return min(each.expires_at for each in stage.all(Subscription)) - datetime.now(UTC)


def test_send_path_9_a_subscription_is_made_at_connection_for_the_longest_time(
    stage: Stage, box: UUID
) -> None:
    connect(stage, box)
    assert timedelta(minutes=10_000) < lives(stage) < timedelta(minutes=10_080)
    assert asked(stage) == 2  # to Sent Items, and to the Inbox


def test_send_path_9_x12_after_a_400_a_shorter_life_is_asked_for_at_once_and_remembered(
    stage: Stage, box: UUID
) -> None:
    stage.emulator.control.switch(subscription_minutes=4_230)
    connect(stage, box)
    assert timedelta(minutes=4_100) < lives(stage) < timedelta(minutes=4_230)
    assert asked(stage) == 4
    stage.put(Subscription, expires_at=ago(minutes=1))
    stage.check_mailboxes()
    assert asked(stage) == 6  # the shorter one at once
    assert lives(stage) > timedelta(minutes=4_100)
    stage.put(Subscription, expires_at=ahead(hours=20))
    stage.check_mailboxes()
    assert lives(stage) > timedelta(minutes=4_100)  # renewed in time


def test_send_path_9_a_renewal_that_is_refused_for_its_life_is_asked_for_shorter(
    stage: Stage, box: UUID
) -> None:
    connect(stage, box)
    stage.emulator.control.switch(subscription_minutes=4_230)
    stage.put(Subscription, expires_at=ahead(days=1))
    stage.check_mailboxes()
    assert timedelta(minutes=4_100) < lives(stage) < timedelta(minutes=4_230)
    assert {each.minutes for each in stage.all(SubscriptionRequest)} == {4_200}


@pytest.mark.parametrize("status", [403, 503])
def test_send_path_9_a_refused_subscription_waits_longer_each_time(
    stage: Stage, box: UUID, status: int
) -> None:
    stage.emulator.control.fault(ROUTE, status=status, times=99)
    connect(stage, box)
    waits = []
    for _ in range(3):
        stage.check_mailboxes()  # not yet
        waits.append(min(known(each.retry_at) for each in stage.all(SubscriptionRequest)) - datetime.now(UTC))
        assert asked(stage) == 2 * len(waits)
        stage.put(SubscriptionRequest, retry_at=ago(seconds=1))
        stage.check_mailboxes()
    assert [round(wait.total_seconds() / 60) for wait in waits] == [15, 30, 60]
    assert stage.only(Mailbox).status == "connected"
    stage.emulator.control.clear_faults()
    connect(stage, box)  # a new connection does not wait for what was refused before
    assert stage.count(Subscription) == 2
    assert {each.refusals for each in stage.all(SubscriptionRequest)} == {0}
