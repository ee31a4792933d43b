"""Too many requests: the mailbox waits as long as it is asked to, and the email does not wait ten minutes."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from uuid import UUID

import pytest

from lab.access_records import Credentials, Lane
from lab.records import Delivery, Sequence
from lab.stage import Stage
from lab.tables import ago

SEND = "POST /me/messages/{id}/send"
CREATE = "POST /me/messages"


@pytest.fixture
def box(stage: Stage) -> UUID:
    owner = stage.world.member()
    mailbox = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, mailbox))
    return mailbox


def held_for(stage: Stage) -> float:
    until = stage.only(Lane).retry_after_until
    return (until - datetime.now(UTC)).total_seconds() if until else 0


REFUSALS = {
    "request_rate": 30,
    "too_many_requests": 10,
    "throttled_without_a_time": 30,
    "server_busy": 10,
    "bandwidth": 10,
    "mailbox_concurrency": 3,
}


@pytest.mark.parametrize(("refusal", "seconds"), REFUSALS.items())
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_mailboxs_next_emails_wait_and_the_refused_one_goes_after_a_look_or_two(
    stage: Stage, box: UUID, refusal: str, seconds: int, when: str
) -> None:
    stage.emulator.control.switch(drafts_delay=3600.0)  # what was accepted despite the refusal stays there
    stage.emulator.control.fault(SEND, when=when, refusal=refusal)
    stage.send_due()
    assert stage.world.states() == {"in_doubt": 1}
    assert seconds - 2 <= held_for(stage) <= seconds
    stage.world.enroll(stage.only(Sequence).id, 3)
    assert stage.send_due() == 0
    stage.later(seconds + 32)
    stage.look()
    assert stage.world.states() == {"pending": 4}
    stage.send_due()
    stage.emulator.control.switch(drafts_delay=0.0)
    stage.later(60)
    stage.look()
    stage.send_due()
    assert len(stage.left()) == 4
    assert stage.world.states() == {"sent": 4}
    again = [each for each in stage.emulator.control.stats()["violations"] if "submitted again" in each]
    assert len(again) == (1 if when == "after" else 0)


def test_a_date_is_understood_and_absurd_times_are_bounded(stage: Stage, box: UUID) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    stage.emulator.control.fault(SEND, refusal="request_rate", headers={"Retry-After": until})
    stage.send_due()
    assert 60 < held_for(stage) <= 90
    stage.put(Lane, retry_after_until=None)
    stage.world.enroll(stage.only(Sequence).id)
    stage.emulator.control.fault(SEND, refusal="request_rate", headers={"Retry-After": "99999999"})
    stage.send_due()
    assert 3590 < held_for(stage) <= 3600


def test_a_gateway_that_asks_to_wait_holds_the_lane_and_keeps_its_doubt(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault(SEND, status=503, body="<html>busy</html>", headers={"Retry-After": "20"})
    stage.send_due()
    assert 15 < held_for(stage) <= 20
    stage.later(60)
    stage.look()
    assert stage.world.states() == {"in_doubt": 1}


def test_a_busy_answer_to_a_draft_or_a_search_holds_the_lane_too(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault(CREATE, status=503, headers={"Retry-After": "40"})
    stage.send_due()
    assert 30 < held_for(stage) <= 40
    assert sum(each.failures for each in stage.all(Delivery)) == 0


def test_a_throttled_search_waits_as_long_as_it_was_asked_to(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault(SEND, status=504)
    stage.send_due()
    stage.put(Lane, retry_after_until=None)
    stage.emulator.control.fault("GET /me/messages", refusal="request_rate", headers={"Retry-After": "50"})
    assert stage.look() == 1
    assert 45 < held_for(stage) <= 50
    assert stage.look() == 0
    stage.later(40)
    assert stage.look() == 0


def test_a_recalled_draft_is_not_taken_for_refused(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault(SEND, refusal="too_many_requests")
    stage.send_due()
    submitted = stage.only(Delivery, state="in_doubt")
    stage.put(Delivery, submitted.id, recalled_draft=submitted.draft_id)
    stage.later(60)
    stage.look()
    assert stage.world.states() == {"in_doubt": 1}


def test_a_burst_costs_no_crash_count(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault(SEND, refusal="request_rate", times=9)
    for _ in range(12):
        stage.send_due()
        stage.later(45)
        stage.look()
    assert stage.world.states() == {"sent": 1}
    assert len(stage.left()) == 1


@pytest.mark.parametrize("executes", [True, False])
def test_exchange_may_execute_what_it_refused_for_its_rate(stage: Stage, box: UUID, executes: bool) -> None:
    stage.world.enroll(stage.only(Sequence).id, 3)
    address = stage.address(box)
    stage.emulator.control.switch(  # two requests an email: the fourth's submission is one too many
        mailbox=address, throttled_requests_execute=executes, drafts_delay=1.0, requests_in_ten_minutes=7
    )
    stage.send_due()
    assert stage.world.states() == {"sent": 3, "in_doubt": 1}
    assert len(stage.left()) == (4 if executes else 3)
    stage.emulator.control.switch(mailbox=address, requests_in_ten_minutes=10_000)
    for _ in range(15):
        stage.later(60)
        stage.look()
        stage.send_due()
        time.sleep(0.15)  # the emulator moves its items in real time
    assert stage.world.states() == {"sent": 4}
    assert len(stage.left()) == 4


def test_entra_asking_to_wait_holds_the_lane(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault("POST /token", status=429, headers={"Retry-After": "25"}, times=1)
    stage.send_due()
    assert 20 < held_for(stage) <= 25
    asked = stage.emulator.control.stats()["requests"]["POST /token"]
    stage.put(Lane, retry_after_until=None, next_due_at=ago())
    stage.send_due()
    assert stage.emulator.control.stats()["requests"]["POST /token"] == asked  # the refresh itself waits too
    stage.later(60)
    stage.put(Credentials, refresh_not_before=ago(seconds=1))
    stage.send_due()
    assert len(stage.left()) == 1
