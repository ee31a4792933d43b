"""What arrived in a mailbox is read to its end, once, and only what concerns somebody is kept."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from db.core.ids import new_id
from db.listening import reads, recording
from lab.access_records import Credentials, Grant, Lane, Mailbox
from lab.listening_records import IncomingMessage, MailboxRead
from lab.records import Candidate, Delivery, Enrollment, Event
from lab.stage import Stage
from lab.tables import ahead
from transports.base import Header
from workers import read_mailbox
from workers.read_items import headers_of

LIST = "GET /me/messages"
RAW = "GET /me/messages/{id}/$value"
MINUTE = 60.0


@pytest.fixture
def box(stage: Stage) -> UUID:
    return stage.mailbox(stage.world.member("Hans Holder"))


def enrolled(stage: Stage, box: UUID, count: int = 1, delays: tuple[str, ...] = ("PT0S", "PT1H")) -> UUID:
    """People who have had the first email and wait for the second."""
    sequence = stage.world.sequence(stage.world.member(), box, delays)
    if not stage.count(Grant, mailbox_id=box, grantee_id=None):
        stage.world.grant(box, None)
    stage.world.enroll(sequence, count)
    stage.send_due()
    return sequence


def people(stage: Stage) -> list[str]:
    return [each.email for each in sorted(stage.all(Candidate), key=lambda each: each.first_name)]


def answers(stage: Stage, box: UUID, address: str, **values: Any) -> str:
    """Somebody answers our email by its Message-ID."""
    entry = next(each for each in stage.left() if address in each.to)
    given = {
        "sender": address,
        "subject": f"Re: {entry.subject}",
        "text": "Thank you, please call me tomorrow.",
        "in_reply_to": entry.internet_message_id,
        "kind": "reply",
    } | values
    return stage.emulator.control.incoming(stage.address(box), **given)


def kept(stage: Stage) -> list[tuple[str, str | None]]:
    found = sorted(stage.all(IncomingMessage), key=lambda each: (each.received_at, each.id))
    return [(each.kind, each.matched_by) for each in found]


def statuses(stage: Stage) -> list[tuple[str, str | None]]:
    """Where everybody stands, by first name."""
    names = {each.id: each.first_name for each in stage.all(Candidate)}
    found = sorted(stage.all(Enrollment), key=lambda each: names[each.candidate_id])
    return [each.standing for each in found]


def row(stage: Stage, box: UUID, column: str) -> Any:
    return getattr(stage.only(MailboxRead, box), column)


@pytest.mark.row("A8", "E1")
def test_an_answer_ends_the_enrollment_and_its_owner_hears_of_it_once(stage: Stage, box: UUID) -> None:
    enrolled(stage, box, 2)
    first, _ = people(stage)
    answers(stage, box, first)
    assert stage.read(box)
    stage.run_outbox()
    assert kept(stage) == [("answer", "message_id")]
    assert statuses(stage) == [("stopped", "answered"), ("active", None)]
    assert stage.world.states() == {"sent": 2, "closed": 1, "pending": 1}
    assert {each.title for each in stage.notices()} == {"Cand0 answered"}
    assert len(stage.notices()) == 4  # the sequence's owner and the mailbox's, in the app and by email
    text = stage.only(IncomingMessage).text
    assert text is not None
    assert b"call me" not in text


@pytest.mark.row("N9")
def test_mail_that_concerns_nobody_is_counted_and_forgotten(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    stage.emulator.control.newsletters(stage.address(box), 7)
    before = stage.emulator.control.stats()["requests"]
    assert stage.read(box)
    assert kept(stage) == []
    assert row(stage, box, "seen") == 7
    after = stage.emulator.control.stats()["requests"]
    assert {route for route in after if after[route] != before.get(route, 0)} <= {
        LIST,
        "GET /me/mailFolders/{id}",
    }


def test_reading_again_keeps_nothing_twice(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    answers(stage, box, people(stage)[0])
    for _ in range(3):
        assert stage.read(box)
    stage.run_outbox()
    assert kept(stage) == [("answer", "message_id")]
    assert len({each.title for each in stage.notices()}) == 1
    assert stage.count(Event, kind="CandidateAnswered") == 1


@pytest.mark.parametrize("folder", ["junkemail", "archive", "deleteditems"])
def test_an_answer_that_a_rule_has_moved_is_found(stage: Stage, box: UUID, folder: str) -> None:
    enrolled(stage, box)
    answers(stage, box, people(stage)[0], folder=folder)
    stage.read(box)
    assert statuses(stage) == [("stopped", "answered")]


def test_an_answer_deleted_before_its_text_was_read_counts_all_the_same(
    stage: Stage, box: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolled(stage, box)
    item = answers(stage, box, people(stage)[0])

    def deleted(header: Header) -> Any:
        stage.emulator.control.delete(stage.address(box), item)
        return headers_of(header)

    monkeypatch.setattr("workers.read_mailbox.headers_of", deleted)
    assert stage.read(box)
    assert kept(stage) == [("answer", "message_id")]
    assert stage.only(IncomingMessage).text is None
    assert statuses(stage) == [("stopped", "answered")]


def test_late_mail_inside_the_overlap_is_read_though_newer_mail_was_read_before(
    stage: Stage, box: UUID
) -> None:
    enrolled(stage, box)
    stage.emulator.control.newsletters(stage.address(box), 1)
    stage.read(box)
    late = datetime.now(UTC) - timedelta(minutes=5)
    stage.older(Delivery, "sent_at", hours=1)
    answers(stage, box, people(stage)[0], received_at=late.isoformat())
    stage.read(box)
    assert statuses(stage) == [("stopped", "answered")]


def test_a_providers_clock_ahead_of_ours_hides_nothing(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    stage.emulator.control.newsletters(stage.address(box), 1, received_at=ahead(hours=2).isoformat())
    stage.read(box)
    assert row(stage, box, "watermark") < datetime.now(UTC) + timedelta(seconds=1)
    answers(stage, box, people(stage)[0])
    stage.read(box)
    assert statuses(stage) == [("stopped", "answered")]


@pytest.mark.parametrize("status", [410, 500, 503])
def test_a_refused_page_leaves_everything_as_it_was_and_is_read_later(
    stage: Stage, box: UUID, status: int
) -> None:
    enrolled(stage, box)
    answers(stage, box, people(stage)[0])
    stage.emulator.control.fault(LIST, status=status, times=20)
    assert not stage.read(box)
    assert row(stage, box, "read_as_of") is None
    assert row(stage, box, "failures") == 1
    assert row(stage, box, "next_read_at") > datetime.now(UTC) + timedelta(seconds=20)
    assert stage.only(Mailbox, box).status == "connected"
    stage.emulator.control.clear_faults()
    stage.later(MINUTE)
    assert stage.read_due() == 1
    assert statuses(stage) == [("stopped", "answered")]
    assert row(stage, box, "failures") == 0


TEXT = "GET /me/messages/{id}"


@pytest.mark.parametrize("route", [RAW, TEXT])
def test_one_item_that_is_never_delivered_does_not_hold_up_its_mailbox_for_ever(
    stage: Stage, box: UUID, route: str
) -> None:
    enrolled(stage, box)
    answers(stage, box, people(stage)[0])
    stage.emulator.control.fault(route, status=503, times=100)
    for failed in range(1, 8):
        assert not stage.read(box)
        assert row(stage, box, "failures") == failed
    assert kept(stage) == []
    stage.later(60 * MINUTE)
    assert stage.read(box)
    assert kept(stage) == [("answer", "message_id")]
    assert statuses(stage) == [("stopped", "answered")]


def test_something_else_in_the_place_of_an_item_is_not_taken_for_it(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    answers(stage, box, people(stage)[0], text="Please remove me from your list.")
    stage.emulator.control.fault(RAW, status=200, body='{"value": [{"id": "AAMk', times=1)
    assert not stage.read(box)
    assert kept(stage) == []
    assert stage.read(box)
    assert kept(stage) == [("opt_out", "message_id")]


def test_while_no_item_is_delivered_none_is_left_out(stage: Stage, box: UUID) -> None:
    enrolled(stage, box, 4)
    for address in people(stage):
        answers(stage, box, address)
    stage.emulator.control.fault(RAW, status=503, times=1000)
    stage.emulator.control.fault(TEXT, status=503, times=1000)
    for _ in range(10):
        assert not stage.read(box)
        stage.later(15 * MINUTE)
    stage.emulator.control.clear_faults()
    assert stage.read(box)
    assert len(kept(stage)) == 4


def test_a_throttled_mailbox_is_left_alone_by_readings_and_by_sends(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    stage.emulator.control.fault(LIST, status=429, headers={"Retry-After": "90"}, times=1)
    assert not stage.read(box)
    assert row(stage, box, "next_read_at") > datetime.now(UTC) + timedelta(seconds=80)
    until = stage.only(Lane, box).retry_after_until
    assert until is not None
    assert until > ahead(seconds=80)


def test_a_token_that_expires_in_the_middle_is_refreshed_and_reading_goes_on(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    stage.emulator.control.newsletters(stage.address(box), 60)
    answers(stage, box, people(stage)[0])
    stage.emulator.control.fault(LIST, status=401, skip=1, times=1)
    assert stage.read(box)
    assert statuses(stage) == [("stopped", "answered")]


def test_a_revoked_sign_in_closes_the_mailbox_as_a_send_would(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    stage.emulator.control.revoke(stage.address(box))
    stage.put(Credentials, access_token=None, access_expires_at=None)
    assert not stage.read(box)
    assert stage.only(Mailbox).standing == ("disconnected", "sign_in_expired")


def test_who_has_no_time_for_all_pages_leaves_the_rest_to_the_next_turn(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    stage.emulator.control.newsletters(stage.address(box), 120)
    answers(stage, box, people(stage)[0])
    assert not read_mailbox.read(stage.runtime, box, max_pages=1)
    assert row(stage, box, "read_as_of") is None  # so that no follow-up rests on it
    assert row(stage, box, "next_read_at") <= datetime.now(UTC)
    assert stage.read_due() == 1
    assert statuses(stage) == [("stopped", "answered")]


def test_only_one_worker_reads_a_mailbox_and_the_slot_is_given_back(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    stage.read(box)
    stage.put(MailboxRead, lease_token=new_id(), lease_until=ahead(seconds=40))
    assert not stage.read(box)
    assert stage.only(Lane).slot_token is None
    stage.later(MINUTE)
    assert stage.read(box)
    assert stage.only(Lane).slot_token is None
    stage.put(Lane, slot_token=new_id(), slot_until=ahead(seconds=40))
    assert not stage.read(box)


@pytest.mark.parametrize("point", ["before_recording", "after_recording", "before_the_end"])
def test_a_worker_that_dies_loses_nothing_and_doubles_nothing(
    stage: Stage, box: UUID, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    class Killed(BaseException):
        pass

    enrolled(stage, box)
    answers(stage, box, people(stage)[0])

    def dies(*args: Any, **more: Any) -> Any:
        raise Killed

    target = {
        "before_recording": (recording, "record"),
        "after_recording": (reads, "keep"),
        "before_the_end": (reads, "finish"),
    }[point]
    with monkeypatch.context() as patched:
        patched.setattr(*target, dies)
        with pytest.raises(Killed):
            stage.read(box)
    assert row(stage, box, "read_as_of") is None
    assert len(kept(stage)) == (point == "before_the_end")
    assert not stage.read(box)  # its lease
    stage.later(MINUTE)
    assert stage.read(box)
    assert kept(stage) == [("answer", "message_id")]
    assert statuses(stage) == [("stopped", "answered")]
    assert stage.count(Event, kind="CandidateAnswered") == 1
