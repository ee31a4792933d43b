"""Watching mailboxes at Google: at connection, renewed daily, and not forever if refused. Sending and reading go on either way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import structlog

from actions import doctor, withdraw
from actions.connect import connect_mailbox
from actions.doctor import State
from domain.connection import Provider
from lab.access_records import Mailbox, Subscription, SubscriptionRequest
from lab.stage import Stage
from lab.tables import ago, ahead

TOPIC = "projects/acme-mail/topics/gmail"
WATCH, STOP = "POST /gmail/watch", "POST /gmail/stop"


@pytest.fixture
def box(stage: Stage) -> UUID:
    """A mailbox that was never connected, and a topic for what comes into it."""
    use_topic(stage, TOPIC)
    box = stage.world.mailbox(stage.world.member("Gina Holder"), connected=False, provider=Provider.GMAIL)
    stage.emulator.control.add_mailboxes({"address": stage.address(box), "google": True})
    return box


def use_topic(stage: Stage, topic: str) -> None:
    stage.runtime.settings = replace(
        stage.runtime.settings, google_pubsub_topic=topic, google_pubsub_account="push@acme.example"
    )


def connect(stage: Stage, box: UUID) -> None:
    token = stage.emulator.control.refresh_token(stage.address(box))
    connect_mailbox(stage.runtime, box, refresh_token=token, actor="gina", provider=Provider.GMAIL)
    stage.run_outbox()


def asked(stage: Stage, route: str = WATCH) -> int:
    return int(stage.emulator.control.stats()["requests"].get(route, 0))


def watched(stage: Stage, box: UUID) -> dict[str, object]:
    return stage.emulator.world.mailboxes[stage.address(box)].watched


def hints(stage: Stage) -> tuple[State, str, str]:
    found = next(each for each in doctor.examine(stage.runtime) if each.check == "hints")
    return found.state, found.said, found.fix


def test_a_watch_is_asked_for_at_connection_and_renewed_daily(stage: Stage, box: UUID) -> None:
    connect(stage, box)
    assert watched(stage, box)["topic"] == TOPIC
    assert watched(stage, box)["labelIds"] == ["INBOX"]
    ends = stage.only(Subscription).expires_at
    assert timedelta(days=6, hours=23) < ends - datetime.now(UTC) <= timedelta(days=7)
    stage.check_mailboxes()
    assert asked(stage) == 1
    stage.put(Subscription, expires_at=ahead(days=6) - timedelta(minutes=5))
    stage.check_mailboxes()
    assert asked(stage) == 2
    assert stage.only(Subscription).expires_at > ahead(days=6, hours=23)
    state, said, _ = hints(stage)
    assert (state, "1 mailbox" in said) == (State.OK, True)


def test_without_a_topic_nothing_is_asked(stage: Stage, box: UUID) -> None:
    use_topic(stage, "")
    connect(stage, box)
    stage.check_mailboxes()
    assert asked(stage) == 0
    assert hints(stage)[0] is State.SKIPPED


@pytest.mark.parametrize(
    ("refusal", "fix"),
    [
        ("gmail_topic_not_permitted", "gmail-api-push@system.gserviceaccount.com the role Pub/Sub Publisher"),
        ("gmail_topic_missing", "Make the topic"),
        ("gmail_topic_elsewhere", "in the project of GOOGLE_CLIENT_ID"),
    ],
)
def test_a_refused_topic_is_the_operators_and_concerns_nothing_else(
    stage: Stage, box: UUID, refusal: str, fix: str
) -> None:
    stage.emulator.control.fault(WATCH, refusal=refusal, times=99)
    with structlog.testing.capture_logs() as logs:
        connect(stage, box)
    (line,) = [each for each in logs if each["event"] == "not_subscribed"]
    assert (line["log_level"], line["error"]) == ("warning", "HintsRefused")
    assert line["code"] == refusal.removeprefix("gmail_")
    waits = []
    for _ in range(3):
        stage.check_mailboxes()  # not yet
        retry_at = stage.only(SubscriptionRequest).retry_at
        assert retry_at is not None
        waits.append(round((retry_at - datetime.now(UTC)).total_seconds() / 60))
        assert asked(stage) == len(waits)
        stage.put(SubscriptionRequest, retry_at=ago(seconds=1))
        stage.check_mailboxes()
    assert waits == [15, 30, 60]
    state, said, told = hints(stage)
    assert (state, TOPIC in said, fix in told) == (State.FAULT, True, True)
    assert stage.only(Mailbox).status == "connected"
    stage.world.enroll(stage.world.sequence(stage.owner(box), box, ("PT0S",)))
    stage.send_due()
    stage.read(box)
    assert stage.world.states() == {"sent": 1}
    stage.emulator.control.clear_faults()
    connect(stage, box)  # a new connection does not wait for what was refused before
    assert stage.only(SubscriptionRequest).code is None
    assert hints(stage)[0] is State.OK


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
def test_an_answer_without_a_reason_is_asked_again_and_blames_nobody(
    stage: Stage, box: UUID, status: int
) -> None:
    stage.emulator.control.fault(WATCH, status=status, times=99)
    connect(stage, box)
    assert stage.only(Mailbox).status == "connected"
    assert stage.only(SubscriptionRequest).refusals == 1
    assert hints(stage)[0] is State.WARNING


@pytest.mark.parametrize(
    "value", [{}, {"expiration": "soon"}, {"expiration": []}, {"expiration": "9" * 15}, []]
)
def test_an_answer_that_cannot_be_read_is_a_refusal(stage: Stage, box: UUID, value: object) -> None:
    stage.emulator.control.fault(WATCH, status=200, value=value)
    connect(stage, box)
    assert stage.only(SubscriptionRequest).code == "unreadable_answer"
    assert stage.only(Mailbox).status == "connected"


def test_another_topic_takes_the_place_of_the_one_before(stage: Stage, box: UUID) -> None:
    connect(stage, box)
    use_topic(stage, f"{TOPIC}-new")
    stage.put(Subscription, expires_at=ahead(days=1))
    stage.check_mailboxes()
    assert watched(stage, box)["topic"] == f"{TOPIC}-new"
    assert asked(stage, STOP) == 1


def test_a_removed_mailbox_is_watched_no_more(stage: Stage, box: UUID) -> None:
    connect(stage, box)
    stage.attend()
    withdraw.disconnect_mailbox(stage.runtime, box, actor="gina")
    assert watched(stage, box) == {}
    assert stage.count(Subscription) == 0


def test_a_stop_that_fails_keeps_no_removal_from_ending(stage: Stage, box: UUID) -> None:
    connect(stage, box)
    stage.emulator.control.fault(STOP, status=503, times=9)
    stage.attend()
    withdraw.disconnect_mailbox(stage.runtime, box, actor="gina")
    assert stage.only(Mailbox).status == "disconnected"
    assert asked(stage, "POST /google/revoke") == 1
    assert stage.count(Subscription) == 0
