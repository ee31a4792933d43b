"""Mailboxes at Gmail are read by their history: one request where nothing came, and nothing lost when the history or the search lags."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from commands.words import explain
from db.views import lookups
from lab.access_records import Mailbox
from lab.listening_records import IncomingMessage, MailboxRead
from lab.records import Candidate, Enrollment
from lab.stage import Stage
from lab.tables import ago
from transports import gmail_reading

LOG, LIST, LOOK = "GET /gmail/history", "GET /gmail/messages", "GET /gmail/messages/{id}"
MINUTE = 60.0


@pytest.fixture
def box(stage: Stage) -> UUID:
    """It has written to somebody, and will again."""
    owner = stage.world.member()
    mailbox = stage.google_mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, mailbox, ("PT0S", "PT2H")))
    stage.send_due()
    return mailbox


@pytest.fixture
def by_log(stage: Stage, box: UUID) -> UUID:
    """It is read by its history from now on."""
    assert stage.read(box)
    stage.later(11 * MINUTE)
    assert stage.read(box)
    assert stage.only(MailboxRead, box).log_read is not None
    return box


def answers(stage: Stage, box: UUID, **values: Any) -> str:
    (sent,) = stage.left("gmail")
    given = {
        "sender": stage.only(Candidate).email,
        "subject": f"Re: {sent.subject}",
        "text": "Yes, call me.",
        "in_reply_to": sent.internet_message_id,
    } | values
    return stage.emulator.control.incoming(stage.address(box), **given)


def asked(stage: Stage, box: UUID) -> dict[str, int]:
    """What a reading asks Google."""
    before = stage.emulator.control.stats()["requests"]
    assert stage.read(box)
    after = stage.emulator.control.stats()["requests"]
    return {route: n - before.get(route, 0) for route, n in after.items() if n != before.get(route, 0)}


def answered(stage: Stage) -> bool:
    return stage.only(Enrollment).standing == ("stopped", "answered")


def test_a_reading_of_a_quiet_mailbox_is_one_request(stage: Stage, by_log: UUID) -> None:
    stage.later(2 * MINUTE)
    assert asked(stage, by_log) == {LOG: 1}
    stage.emulator.control.newsletters(stage.address(by_log), 3)
    assert asked(stage, by_log) == {LOG: 1, LOOK: 3}


def test_an_answer_is_heard_once(stage: Stage, by_log: UUID) -> None:
    answers(stage, by_log)
    for _ in range(4):
        assert stage.read(by_log)
        stage.later(MINUTE)
    assert answered(stage)
    assert stage.count(IncomingMessage) == 1


def test_an_answer_that_came_just_before_a_follow_up_stops_it(stage: Stage, by_log: UUID) -> None:
    stage.later(7200)
    answers(stage, by_log)
    stage.send_due()
    assert len(stage.left("gmail")) == 1
    assert answered(stage)


def test_the_search_counts_until_it_has_read_what_was_there_when_the_history_began(
    stage: Stage, box: UUID
) -> None:
    stage.emulator.control.switch(google_search_delay=300)
    answers(stage, box)
    assert stage.read(box)
    stage.later(5 * MINUTE)
    assert stage.read(box)
    assert not answered(stage)
    assert stage.only(MailboxRead, box).log_read is None
    stage.emulator.control.switch(google_search_delay=0)  # by now the index has it
    stage.later(6 * MINUTE)
    assert stage.read(box)
    assert answered(stage)


@pytest.mark.parametrize("readings", [1, 2, 5])
def test_what_the_history_shows_late_is_read(stage: Stage, by_log: UUID, readings: int) -> None:
    stage.emulator.control.switch(google_history_delay=1000)
    answers(stage, by_log)
    for _ in range(readings):
        assert stage.read(by_log)
        stage.later(59 / readings)
    assert not answered(stage)
    stage.emulator.control.switch(google_history_delay=0)
    assert stage.read(by_log)
    assert answered(stage)


def test_nothing_is_lost_in_a_gap(stage: Stage, by_log: UUID) -> None:
    answers(stage, by_log)
    stage.emulator.control.forget_history()
    assert asked(stage, by_log).keys() > {LOG, LIST}
    assert answered(stage)
    row = stage.only(MailboxRead, by_log)
    assert (row.log_read, row.log_newest is None) == (None, False)
    stage.later(11 * MINUTE)
    assert LIST in asked(stage, by_log)
    assert LIST not in asked(stage, by_log)


def test_another_connection_has_another_history(stage: Stage, by_log: UUID) -> None:
    stage.put(Mailbox, by_log, connection_version=2)
    assert LOG not in asked(stage, by_log)
    assert stage.only(MailboxRead, by_log).log_read is None


def test_a_reading_that_breaks_off_passes_nothing_over(
    stage: Stage, by_log: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The history is in no order of time: what came last may stand first."""
    monkeypatch.setattr(gmail_reading, "_AT_ONCE", 1)
    before = stage.only(MailboxRead, by_log)
    stage.emulator.control.newsletters(stage.address(by_log), 1)
    answers(stage, by_log, received_at=(before.watermark - timedelta(minutes=30)).isoformat())
    stage.emulator.control.fault(LOOK, skip=1, status=503)
    assert not stage.read(by_log)
    row = stage.only(MailboxRead, by_log)
    assert (row.watermark, row.log_read, row.log_newest) == (
        before.watermark,
        before.log_read,
        before.log_newest,
    )
    assert stage.read(by_log)
    assert stage.count(IncomingMessage) == 1
    assert stage.only(MailboxRead, by_log).watermark > before.watermark


def test_a_reading_says_nothing_of_what_google_may_not_show_yet(stage: Stage, by_log: UUID) -> None:
    began = ago(seconds=0)
    assert stage.read(by_log)
    row = stage.only(MailboxRead, by_log)
    assert row.read_as_of is not None
    assert began - timedelta(seconds=15) <= row.read_as_of <= began - timedelta(seconds=10)


def test_emails_give_way_while_much_is_read_and_why_says_so(stage: Stage, by_log: UUID) -> None:
    stage.emulator.control.newsletters(stage.address(by_log), 20)
    stage.later(7200)
    stage.send_due()
    assert len(stage.left("gmail")) == 1
    enrollment = stage.only(Enrollment).id
    with stage.world.database.transaction() as tx:
        said = explain(lookups.situation(tx, enrollment))
    assert (
        f"we first read what came into {stage.address(by_log)}, and Google answers only so much a minute"
        in said
    )
    stage.later(5)
    stage.send_due()
    assert len(stage.left("gmail")) == 2
