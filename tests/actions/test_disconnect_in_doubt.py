"""A disconnect that leaves emails in doubt searches once more while it can. The rest is one notice that names them."""

from uuid import UUID

import pytest

from actions import withdraw
from lab.access_records import Lane
from lab.records import Delivery, Notice
from lab.stage import Stage
from lab.tables import ago, ahead

SEND = "POST /me/messages/{id}/send"


@pytest.fixture
def box(stage: Stage) -> UUID:
    owner = stage.world.member()
    mailbox = stage.mailbox(owner)
    stage.put(Lane, tokens=4)
    stage.world.enroll(stage.world.sequence(owner, mailbox), 4)
    return mailbox


def test_what_has_left_is_found_by_the_last_search_and_nobody_is_asked(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault(SEND, when="after", status=504, times=4)
    stage.send_due()
    assert stage.world.states() == {"in_doubt": 4}
    answer = withdraw.disconnect_mailbox(stage.runtime, box, actor="rita")
    assert list(answer.in_doubt) == []
    assert answer.already_sent == 4
    assert stage.world.states() == {"sent": 4}
    stage.run_outbox()
    assert not [each.title for each in stage.notices() if "leave?" in each.title]


def test_the_rest_is_one_notice_that_names_everybody(stage: Stage, box: UUID) -> None:
    stage.emulator.control.switch(drafts_delay=3600.0)
    stage.emulator.control.fault(SEND, when="after", status=504, times=3)
    stage.send_due()
    answer = withdraw.disconnect_mailbox(stage.runtime, box, actor="rita")
    assert len(answer.in_doubt) == 3
    for _ in range(4):
        stage.later(200)
        stage.look()
        stage.run_outbox()
    assert stage.world.states() == {"review": 3, "sent": 1}
    asked = [(each.channel, each.title) for each in stage.notices() if "leave?" in each.title]
    assert asked == [
        ("in_app", f"Did 3 emails from {stage.address(box)} leave?"),
        ("email", f"Did 3 emails from {stage.address(box)} leave?"),
    ]
    question = next(each for each in stage.all(Notice, channel="email") if each.title.startswith("Did "))
    assert all(name in question.body for name in ("Cand", " and "))


def test_reviews_for_one_reason_in_one_mailbox_are_one_notice_brought_up_to_date(
    stage: Stage, box: UUID
) -> None:
    stage.emulator.control.fault(SEND, when="before", status=504, times=4)
    stage.send_due()
    for item in stage.emulator.control.messages(stage.address(box)):
        stage.emulator.control.delete(stage.address(box), item["id"])
    first, *rest = [each.id for each in stage.all(Delivery)]
    stage.put(Delivery, due_at=ahead(hours=1))
    stage.put(Delivery, first, grace_until=ago(), due_at=ago())
    stage.look()
    stage.run_outbox()
    one = stage.notices()[0].title
    assert one.startswith("Did the email to Cand")
    assert [each.title for each in stage.notices()] == [one] * 2
    stage.put(Notice, read_at=ago())
    stage.put(Delivery, rest, grace_until=ago(), due_at=ago())
    for _ in range(4):
        stage.look()
    stage.run_outbox()
    assert stage.world.states() == {"review": 4}
    titles = {each.channel: each.title for each in stage.notices()}
    assert titles == {
        "in_app": f"Did 4 emails from {stage.address(box)} leave?",
        "email": one,
    }
    assert stage.only(Notice, channel="in_app").read_at is None
