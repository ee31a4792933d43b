"""Accepted, but still in Drafts minutes later: one notice, never sent again, and its follow-up waits for that reason."""

from datetime import timedelta
from uuid import UUID

import pytest

from commands.words import explain
from db.sending import drafts
from db.views import lookups
from lab.access_records import Lane
from lab.records import AuditEntry, Delivery, Notice
from lab.stage import Stage
from lab.tables import PRESENT

SEND = "POST /me/messages/{id}/send"
LIST = "GET /me/mailFolders/{id}/messages"


@pytest.fixture
def box(stage: Stage) -> UUID:
    owner = stage.world.member()
    mailbox = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, mailbox, ("PT0S", "PT1M")), 3)
    return mailbox


def in_drafts(stage: Stage, box: UUID) -> list[dict[str, object]]:
    return [
        item for item in stage.emulator.control.messages(stage.address(box)) if item["folder"] == "drafts"
    ]


def why(stage: Stage) -> str:
    stuck = stage.all(Delivery, still_draft_at=PRESENT)[0].enrollment_id
    with stage.world.database.transaction() as tx:
        return explain(lookups.situation(tx, UUID(str(stuck))))


@pytest.mark.parametrize("stuck", ["kept", "copied"])
def test_it_is_told_once_kept_in_view_and_never_sent_again(stage: Stage, box: UUID, stuck: str) -> None:
    stage.emulator.control.fault(SEND, stuck=stuck, times=2)
    stage.send_due()
    left = len(stage.left())
    stage.later(310)
    stage.check_drafts()
    stage.send_due()
    for _ in range(3):
        stage.later(960)
        stage.send_due()
        stage.check_drafts()
    assert [each.channel for each in stage.notices()] == ["in_app", "email"]
    notice = stage.all(Notice, channel="in_app")[0]
    assert notice.title == f"2 emails have not left Drafts of {stage.address(box)}"
    assert "they are still in Drafts" in notice.body
    assert "Cand" in notice.body
    assert len(stage.left()) == left + 1  # the follow-up of the one that left
    assert len(in_drafts(stage, box)) == 2
    said = why(stage)
    assert "Step 2 waits: Microsoft accepted step 1, but it is still in Drafts" in said
    assert stage.count(Delivery, reason="previous_email_still_in_drafts", state="pending") == 2
    with stage.world.database.transaction() as tx:
        stuck_id = stage.all(Delivery, still_draft_at=PRESENT)[0].id
        receipt = lookups.receipt(tx, stuck_id)
    assert receipt is not None
    assert receipt["still_draft_at"] is not None


def test_a_follow_up_waits_longer_than_a_day_and_leaves_when_its_email_has_left(
    stage: Stage, box: UUID
) -> None:
    stage.emulator.control.fault(SEND, stuck="kept")
    stage.send_due()
    for _ in range(30):
        stage.later(3600)
        stage.check_drafts()
    stage.send_due()
    assert stage.world.states() == {"sent": 5, "pending": 1}
    (item,) = in_drafts(stage, box)
    stage.emulator.world.mailboxes[stage.address(box)].messages[
        str(item["id"])
    ].stuck = ""  # it leaves after all
    stage.emulator.world.mailboxes[stage.address(box)].moving[str(item["id"])] = None
    stage.later(960)
    stage.check_drafts()
    stage.send_due()
    assert stage.world.states() == {"sent": 6}
    assert len(stage.left()) == 6
    assert stage.count(Delivery, still_draft_at=PRESENT) == 0
    actions = [each.action for each in stage.all(AuditEntry) if each.subject.startswith("delivery:")]
    assert actions.count("email_still_in_drafts") == actions.count("email_left_drafts") == 1


def test_a_draft_that_its_owner_deletes_lets_the_sequence_go_on(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault(SEND, stuck="kept")
    stage.send_due()
    stage.later(310)
    stage.check_drafts()
    (item,) = in_drafts(stage, box)
    stage.emulator.control.delete(stage.address(box), str(item["id"]))
    stage.later(960)
    stage.check_drafts()
    stage.send_due()
    assert stage.world.states() == {"sent": 6}


def test_one_listing_checks_all_of_a_mailbox_and_none_where_nothing_is_due(stage: Stage, box: UUID) -> None:
    stage.send_due()
    stage.check_drafts()
    assert LIST not in stage.emulator.control.stats()["requests"]
    stage.later(310)
    stage.check_drafts()
    stage.check_drafts()
    stage.later(3600)
    stage.check_drafts()
    assert stage.emulator.control.stats()["requests"][LIST] == 1
    assert stage.count(Delivery, left_check_at=PRESENT) == 0
    assert stage.notices() == []


def test_what_is_younger_than_two_minutes_waits_for_the_next_listing(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault(SEND, stuck="kept")
    stage.send_due()
    stage.later(250)
    stage.send_due()
    stage.later(60)  # the follow-ups were accepted a minute ago
    stage.check_drafts()
    assert stage.count(Delivery, left_check_at=PRESENT) == 3
    assert stage.count(Delivery, still_draft_at=PRESENT) == 1


@pytest.mark.parametrize(
    "trouble", [{"status": 503}, {"refusal": "request_rate"}, {"reset": True, "times": 2}]
)
def test_a_listing_that_fails_says_nothing_and_is_made_again(
    stage: Stage, box: UUID, trouble: dict[str, object]
) -> None:
    stage.emulator.control.fault(SEND, stuck="kept")
    stage.emulator.control.fault(LIST, **trouble)
    stage.send_due()
    stage.later(310)
    stage.check_drafts()
    assert stage.notices() == []
    stage.later(200)
    stage.check_drafts()
    assert [each.channel for each in stage.notices()] == ["in_app", "email"]


def test_listings_of_a_mailbox_are_minutes_apart_and_not_made_of_a_closed_one(
    stage: Stage, box: UUID
) -> None:
    stage.send_due()
    stage.later(310)

    def planned() -> int:
        with stage.world.database.transaction() as tx:
            return drafts.plan(tx)

    assert [planned(), planned()] == [1, 0]
    stage.later(drafts.APART / timedelta(seconds=1) + 1)
    stage.put(Lane, open=False)
    assert planned() == 0


def test_a_submission_that_is_refused_a_second_time_while_its_draft_lies_there_is_asked_once(
    stage: Stage, box: UUID
) -> None:
    stage.emulator.control.switch(leaves_drafts=False)
    stage.emulator.control.fault(SEND, when="after", status=504)
    stage.send_due()
    for _ in range(40):
        stage.later(120)
        stage.look()
        stage.send_due()
    stage.run_outbox()
    assert stage.only(Delivery, state="review").reason == "still_in_drafts"
    again = [each for each in stage.emulator.control.stats()["violations"] if "submitted again" in each]
    assert len(again) == 1
    assert len({(each.to[0], each.subject) for each in stage.left()}) == len(stage.left())
    question = next(each for each in stage.all(Notice, channel="in_app") if each.title.startswith("Did "))
    assert "still in Drafts" in question.body
