"""The sender's automatic replies: read before a send, one notice to the owner, shown by name, over on return."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from actions import resume, withdraw
from commands.words import explain
from db.sending import waits
from db.views import lookups
from domain.jobs import SendStep
from lab.access_records import Mailbox
from lab.records import Delivery
from lab.stage import Stage
from lab.tables import ago, ahead
from workers import send_step

AWAY = {"status": "alwaysEnabled", "externalAudience": "all"}
BACK = {"status": "disabled"}


def between(start: timedelta, end: timedelta, audience: str = "all") -> dict[str, Any]:
    def said(moment: datetime) -> dict[str, str]:
        return {"dateTime": f"{moment:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "UTC"}

    now = datetime.now(UTC)
    return {
        "status": "scheduled",
        "externalAudience": audience,
        "scheduledStartDateTime": said(now + start),
        "scheduledEndDateTime": said(now + end),
    }


class Desk:
    """Rita's sequence to some people, from Hans's mailbox, on his permission."""

    def __init__(self, stage: Stage, people: int = 3) -> None:
        self.stage = stage
        hans, self.rita = stage.world.member("Hans Holder"), stage.world.member("Rita Recruiter")
        self.box = stage.mailbox(hans)
        stage.world.grant(self.box, self.rita)
        self.sequence = stage.world.sequence(self.rita, self.box)
        self.people = stage.world.enroll(self.sequence, people)

    def replies(self, said: dict[str, Any]) -> None:
        address = self.stage.address(self.box)
        self.stage.emulator.control.add_mailboxes({"address": address, "automatic_replies": said})

    def read_ago(self, minutes: float) -> None:
        self.stage.put(Mailbox, settings_at=ago(minutes=minutes), checked_at=ago())

    def reasons(self) -> set[object]:
        return {each.reason for each in self.stage.all(Delivery, state="pending")}


@pytest.fixture
def desk(stage: Stage) -> Desk:
    return Desk(stage)


def titles(stage: Stage) -> list[str]:
    return [each.title for each in stage.notices(channel="in_app")]


def why(stage: Stage, enrollment: UUID) -> str:
    with stage.world.database.transaction() as tx:
        story = lookups.situation(tx, enrollment)
        assert story is not None
        return explain(story, waits.of_sequences(tx, [story.sequence_id]).get(story.sequence_id))


def test_replies_that_came_on_since_the_last_reading_hold_every_email(stage: Stage, desk: Desk) -> None:
    desk.read_ago(16)
    desk.replies(AWAY)
    stage.send_due()
    assert stage.left() == []
    assert desk.reasons() == {"sender_away"}


def test_settings_that_were_read_a_moment_ago_are_not_read_again(stage: Stage, desk: Desk) -> None:
    desk.read_ago(5)
    desk.replies(AWAY)
    stage.send_due()
    assert len(stage.left()) == 3


def test_one_reads_and_the_others_wait_for_what_it_finds(stage: Stage, desk: Desk) -> None:
    desk.read_ago(16)
    desk.replies(AWAY)
    stage.put(Mailbox, reading_until=ahead(seconds=30))
    (first, *others) = stage.due()
    send_step.send(stage.runtime, first)
    assert desk.reasons() == {"reading_mailbox_settings"}
    stage.put(Mailbox, reading_until=None)
    for job in others:
        send_step.send(stage.runtime, job)
    stage.later(3)
    stage.send_due()
    assert stage.left() == []
    assert desk.reasons() == {"sender_away"}


def test_a_mailbox_that_cannot_be_read_sends_as_before_and_is_asked_once(stage: Stage, desk: Desk) -> None:
    desk.read_ago(16)
    stage.emulator.control.fault("GET /me/mailboxSettings", status=503, times=100)
    stage.send_due()
    assert len(stage.left()) == 3
    unread_until = stage.only(Mailbox).unread_until
    assert unread_until is not None
    assert unread_until > ago()


def test_the_owner_is_told_once_by_name_and_number(stage: Stage, desk: Desk) -> None:
    desk.replies(between(timedelta(hours=-1), timedelta(days=2)))
    stage.check_mailboxes()
    stage.send_due()
    stage.run_outbox()
    (title,) = titles(stage)
    assert title.startswith("Hans Holder is away until ")
    assert title.endswith("; 3 emails wait")
    stage.check_mailboxes()
    stage.later(2 * 86400)
    stage.send_due()
    stage.run_outbox()
    assert titles(stage) == [title]


def test_an_absence_without_end_is_one_however_often_it_is_read(stage: Stage, desk: Desk) -> None:
    desk.replies(AWAY)
    for _ in range(3):
        stage.check_mailboxes()
        stage.later(86400)
        stage.send_due()
    stage.run_outbox()
    assert titles(stage) == ["Hans Holder is away; 3 emails wait"]
    assert stage.left() == []


def test_when_the_sender_is_back_the_emails_leave_at_once(stage: Stage, desk: Desk) -> None:
    desk.replies(AWAY)
    stage.check_mailboxes()
    stage.send_due()
    assert stage.left() == []
    desk.replies(BACK)
    stage.check_mailboxes()
    stage.send_due()
    assert len(stage.left()) == 3


def test_an_absence_that_grows_shorter_moves_the_emails_up_to_its_end(stage: Stage, desk: Desk) -> None:
    desk.replies(between(timedelta(hours=-1), timedelta(days=9)))
    stage.check_mailboxes()
    stage.send_due()
    desk.replies(between(timedelta(hours=-1), timedelta(hours=2)))
    stage.check_mailboxes()
    waits = max(each.due_at for each in stage.all(Delivery)) - datetime.now(UTC)
    assert timedelta(hours=1, minutes=59) < waits <= timedelta(hours=2)


@pytest.mark.parametrize(("audience", "leave"), [("none", 3), ("contactsOnly", 0), ("all", 0)])
def test_replies_for_colleagues_alone_hold_nobody(
    stage: Stage, desk: Desk, audience: str, leave: int
) -> None:
    desk.replies({"status": "alwaysEnabled", "externalAudience": audience})
    stage.check_mailboxes()
    stage.send_due()
    assert len(stage.left()) == leave


def test_why_names_the_absence_before_and_after_the_email_was_held(stage: Stage, desk: Desk) -> None:
    desk.replies(between(timedelta(hours=-1), timedelta(days=2)))
    stage.check_mailboxes()
    for _ in range(2):
        answer = why(stage, desk.people[0])
        assert "Hans Holder is away until " in answer
        assert "outside_sending_window" not in answer
        stage.send_due()


def test_the_resume_plan_waits_for_the_sender(stage: Stage, desk: Desk) -> None:
    withdraw.pause_sequence(stage.runtime, desk.sequence, actor="rita", reason="a test")
    stage.run_outbox()
    desk.replies(between(timedelta(hours=-1), timedelta(days=2)))
    stage.check_mailboxes()
    preview = resume.preview_resume(stage.runtime, desk.sequence)
    now = datetime.now(UTC)
    assert all(
        each.send_at is not None and each.send_at > now + timedelta(days=1) for each in preview.planned
    )
    assert any("Hans Holder is away until" in each for each in preview.notes)


def test_why_a_late_bell_of_a_held_email_changes_nothing(stage: Stage, desk: Desk) -> None:
    desk.read_ago(16)
    desk.replies(AWAY)
    jobs = stage.due()
    for job in jobs:
        send_step.send(stage.runtime, job)
        send_step.send(stage.runtime, SendStep(job.delivery_id, job.dispatch_no))
    assert stage.left() == []
