"""Accepted, but still in Drafts minutes later: one notice, never sent again, and its follow-up waits for that reason."""

from datetime import timedelta
from uuid import UUID

import pytest

from commands.words import explain
from db.sending import drafts
from db.views import lookups
from lab.stage import Stage

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
    stuck = stage.world.one("SELECT enrollment_id FROM deliveries WHERE still_draft_at IS NOT NULL LIMIT 1")
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
    assert [channel for _, channel, _ in stage.notices()] == ["in_app", "email"]
    title, body = stage.world.rows("SELECT title, body FROM notices WHERE channel = 'in_app'")[0]
    assert title == f"2 emails have not left Drafts of {stage.address(box)}"
    assert "Microsoft accepted these emails but they are still in Drafts" in str(body)
    assert "Cand" in str(body)
    assert len(stage.left()) == left + 1  # the follow-up of the one that left
    assert len(in_drafts(stage, box)) == 2
    said = why(stage)
    assert "Step 2 waits: Microsoft accepted step 1, but it is still in Drafts" in said
    assert (
        stage.world.one(
            "SELECT count(*) FROM deliveries WHERE reason = 'previous_email_still_in_drafts' AND state = 'pending'"
        )
        == 2
    )
    with stage.world.database.transaction() as tx:
        stuck_id = UUID(
            str(stage.world.one("SELECT id FROM deliveries WHERE still_draft_at IS NOT NULL LIMIT 1"))
        )
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
    assert stage.world.one("SELECT count(*) FROM deliveries WHERE still_draft_at IS NOT NULL") == 0
    actions = [
        each
        for (each,) in stage.world.rows("SELECT action FROM audit_entries WHERE subject LIKE 'delivery:%'")
    ]
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
    assert stage.world.one("SELECT count(*) FROM deliveries WHERE left_check_at IS NOT NULL") == 0
    assert stage.notices() == []


def test_what_is_younger_than_two_minutes_waits_for_the_next_listing(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault(SEND, stuck="kept")
    stage.send_due()
    stage.later(250)
    stage.send_due()
    stage.later(60)  # the follow-ups were accepted a minute ago
    stage.check_drafts()
    assert stage.world.one("SELECT count(*) FROM deliveries WHERE left_check_at IS NOT NULL") == 3
    assert stage.world.one("SELECT count(*) FROM deliveries WHERE still_draft_at IS NOT NULL") == 1


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
    assert [channel for _, channel, _ in stage.notices()] == ["in_app", "email"]


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
    stage.world.run("UPDATE lanes SET open = false")
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
    assert stage.world.rows("SELECT reason FROM deliveries WHERE state = 'review'") == [("still_in_drafts",)]
    again = [each for each in stage.emulator.control.stats()["violations"] if "submitted again" in each]
    assert len(again) == 1
    assert len({(each.to[0], each.subject) for each in stage.left()}) == len(stage.left())
    (body,) = stage.world.rows("SELECT body FROM notices WHERE channel = 'in_app' AND title LIKE 'Did %'")[0]
    assert "still in Drafts" in str(body)
