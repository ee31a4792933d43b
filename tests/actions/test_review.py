"""What only a person can know is settled by hand: audited, once, and never a second email by accident."""

from uuid import UUID

import pytest

from actions import review
from domain.errors import InvalidInput, NotFound, NotPermitted
from lab.records import AuditEntry, Delivery, Receipt, Sequence
from lab.stage import Stage


@pytest.fixture
def doubtful(stage: Stage) -> UUID:
    """The first of two steps was submitted, its answer was lost, and the mailbox's owner deleted its draft."""
    owner = stage.world.member()
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box, ("PT0S", "PT0S")))
    stage.emulator.control.fault("POST /me/messages/{id}/send", when="before", reset=True)
    stage.send_due()
    address = stage.address(box)
    for item in stage.emulator.control.messages(address):
        stage.emulator.control.delete(address, item["id"])
    stage.emulator.control.clear_faults()
    for _ in range(20):
        stage.later(120)
        stage.look()
    assert stage.world.states() == {"review": 1}
    return stage.only(Delivery, state="review").id


def test_sent_writes_a_receipt_that_says_a_person_vouched_and_goes_on(stage: Stage, doubtful: UUID) -> None:
    review.settle(stage.runtime, doubtful, verdict="sent", actor="olga", because="the candidate answered")
    stage.send_due()
    assert stage.world.states() == {"sent": 2}
    assert "step 2" in stage.left()[0].body
    assert stage.count(Receipt) == 2
    assert stage.only(Receipt, doubtful).known_by == "person"


def test_not_sent_goes_through_the_gate_again_and_leaves_once(stage: Stage, doubtful: UUID) -> None:
    review.settle(stage.runtime, doubtful, verdict="not_sent", actor="olga", because="not in Sent Items")
    for _ in range(3):
        stage.later(60)
        stage.send_due()
    assert ["step 1" in entry.body for entry in stage.left()] == [True, False]
    assert stage.world.states() == {"sent": 2}


def test_not_sent_after_a_withdrawal_stays_here(stage: Stage, doubtful: UUID) -> None:
    from actions import withdraw

    sequence = stage.only(Sequence).id
    withdraw.pause_sequence(stage.runtime, sequence, actor="rita", reason="wait")
    stage.run_outbox()
    review.settle(stage.runtime, doubtful, verdict="not_sent", actor="olga", because="not in Sent Items")
    stage.send_due()
    assert stage.left() == []


def test_skip_lets_the_email_be_and_writes_no_more_to_this_person(stage: Stage, doubtful: UUID) -> None:
    review.settle(stage.runtime, doubtful, verdict="skip", actor="olga", because="nobody knows")
    stage.later(86400)
    stage.send_due()
    assert stage.left() == []
    assert stage.world.states() == {"closed": 1}


@pytest.mark.parametrize("verdict", ["sent", "not_sent", "skip"])
def test_it_is_settled_once_and_audited(stage: Stage, doubtful: UUID, verdict: review.Verdict) -> None:
    review.settle(stage.runtime, doubtful, verdict=verdict, actor="olga", because="I looked")
    with pytest.raises(NotPermitted, match="only one in review"):
        review.settle(stage.runtime, doubtful, verdict="sent", actor="olga", because="again")
    entry = stage.only(AuditEntry, action="review_settled")
    assert (entry.actor_name, entry.data) == ("olga", {"verdict": verdict, "because": "I looked"})


def test_a_reason_and_an_email_are_needed(stage: Stage, doubtful: UUID) -> None:
    with pytest.raises(InvalidInput, match="reason"):
        review.settle(stage.runtime, doubtful, verdict="sent", actor="olga", because="  ")
    with pytest.raises(NotFound):
        review.settle(stage.runtime, UUID(int=7), verdict="sent", actor="olga", because="x")
    assert stage.world.states() == {"review": 1}
