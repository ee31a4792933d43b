"""A follow-up whose email is gone from the mailbox still replies to it in the candidate's mailbox."""

from uuid import UUID

import pytest

from lab.records import Delivery
from lab.stage import Stage


@pytest.fixture
def box(stage: Stage) -> UUID:
    """It has sent the first of three emails."""
    owner = stage.world.member()
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box, ("PT0S", "PT1H", "PT1H")))
    return box


def requests(stage: Stage) -> dict[str, int]:
    return dict(stage.emulator.control.stats()["requests"])


def test_a_follow_up_names_the_emails_before_it_although_they_are_gone(stage: Stage) -> None:
    owner = stage.world.member()
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box, ("PT0S", "PT1H", "PT1H")))
    for _ in range(3):
        stage.send_due()
        for item in stage.emulator.control.messages(stage.address(box)):
            stage.emulator.control.delete(stage.address(box), item["id"])
        stage.later(3600)
    first, second, third = stage.left()
    assert (second.in_reply_to, second.references) == (first.internet_message_id, first.internet_message_id)
    assert third.in_reply_to == second.internet_message_id
    assert third.references == f"{first.internet_message_id} {second.internet_message_id}"
    assert second.subject == third.subject == f"Re: {first.subject}"


def test_one_that_answers_the_email_itself_is_as_ever(stage: Stage) -> None:
    owner = stage.world.member()
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box, ("PT0S", "PT1H", "PT1H")))
    for _ in range(3):
        stage.send_due()
        stage.later(3600)
    first, second, third = stage.left()
    assert third.references == f"{first.internet_message_id} {second.internet_message_id}"
    assert len({each.conversation_id for each in (first, second, third)}) == 1


@pytest.mark.parametrize("checked", [True, False])
def test_a_follow_up_searches_only_if_its_email_is_not_known_to_have_left(
    stage: Stage, box: UUID, checked: bool
) -> None:
    stage.send_due()
    stage.later(3600)
    if checked:
        stage.check_drafts()
    stage.read(box)
    before = requests(stage)
    stage.send_due()
    asked = {name: count - before.get(name, 0) for name, count in requests(stage).items()}
    searched = {} if checked else {"GET /me/messages": 1}
    assert {name: count for name, count in asked.items() if count} == searched | {
        "POST /me/messages/{id}/createReplyAll": 1,
        "GET /me/messages/{id}": 1,  # back, to see whether replies are taken whole here
        "POST /me/messages/{id}/send": 1,
    }
    first, second = stage.left()
    assert (second.in_reply_to, second.conversation_id) == (first.internet_message_id, first.conversation_id)


def test_it_is_searched_for_if_its_id_changed_when_it_left(stage: Stage, box: UUID) -> None:
    stage.emulator.control.switch(immutable_id_survives=False)
    for _ in range(3):
        stage.send_due()
        stage.later(3600)
        stage.check_drafts()
    first, second, third = stage.left()
    assert third.references == f"{first.internet_message_id} {second.internet_message_id}"
    assert len({each.conversation_id for each in (first, second, third)}) == 1


def test_a_draft_that_never_left_and_was_moved_away_is_not_answered(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault("POST /me/messages/{id}/send", stuck="kept")
    stage.send_due()
    (item,) = stage.emulator.control.messages(stage.address(box))
    account = stage.emulator.world.mailboxes[stage.address(box)]
    account.messages[item["id"]].folder = "archive"
    stage.later(3600)
    stage.check_drafts()
    stage.send_due()
    assert stage.left() == []
    assert stage.count(Delivery, state="pending", reason="previous_email_still_in_drafts") == 1
    assert [each["id"] for each in stage.emulator.control.messages(stage.address(box))] == [item["id"]]


SEND, REPLY = "POST /me/messages/{id}/send", "POST /me/messages/{id}/createReplyAll"
GET, PATCH = "GET /me/messages/{id}", "PATCH /me/messages/{id}"


def follow_ups(stage: Stage, box: UUID, rounds: int = 2) -> list[dict[str, int]]:
    """Send the follow-ups that are due, round after round; returns the requests that each round took."""
    taken = []
    for _ in range(rounds):
        stage.later(3600)
        stage.check_drafts()
        stage.read(box)
        before = requests(stage)
        assert stage.send_due() == 1
        taken.append(
            {each: n - before.get(each, 0) for each, n in requests(stage).items() if n > before.get(each, 0)}
        )
    return taken


def test_where_replies_are_taken_whole_a_follow_up_takes_two_requests_after_one_that_was_read_back(
    stage: Stage, box: UUID
) -> None:
    stage.send_due()
    assert follow_ups(stage, box) == [{REPLY: 1, GET: 1, SEND: 1}, {REPLY: 1, SEND: 1}]
    sent = stage.all(Delivery, state="sent")
    assert {each.correlation_id for each in stage.left()} == {each.correlation_id for each in sent}
    assert len({(*each.to, each.conversation_id) for each in stage.left()}) == 1


@pytest.mark.parametrize(
    ("differs", "value"),
    [("replies_take_properties", False), ("replies_quote", True), ("expands_several", False)],
)
def test_where_they_are_not_all_is_set_again_each_time(
    stage: Stage, box: UUID, differs: str, value: bool
) -> None:
    stage.emulator.control.switch(None, **{differs: value})
    stage.send_due()
    assert follow_ups(stage, box) == [{REPLY: 1, GET: 1, PATCH: 1, SEND: 1}, {REPLY: 1, PATCH: 1, SEND: 1}]
    assert len({each.body for each in stage.left()}) == 3


def test_a_reply_that_quotes_although_others_did_not_is_set_again(stage: Stage, box: UUID) -> None:
    stage.send_due()
    assert follow_ups(stage, box, 1) == [{REPLY: 1, GET: 1, SEND: 1}]
    stage.emulator.control.switch(replies_quote=True)
    assert follow_ups(stage, box, 1) == [{REPLY: 1, PATCH: 1, SEND: 1}]
