"""Answers to the submission that say nothing about acceptance: never two emails; settled, or in review with a notice."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from actions import resume, withdraw
from domain.address import Address
from domain.message import OutgoingMessage
from lab.records import Delivery, Receipt, Sequence
from lab.stage import Stage
from lab.tables import PRESENT, ahead

SEND, AT_GMAIL = "POST /me/messages/{id}/send", "POST /gmail/drafts/send"


def enrolled(stage: Stage, *, at_google: bool = False) -> tuple[UUID, UUID]:
    owner = stage.world.member()
    box = stage.google_mailbox(owner) if at_google else stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box))
    return owner, box


def settle(stage: Stage, rounds: int = 40) -> None:
    for _ in range(rounds):
        stage.later(60)
        stage.sweep()
        stage.send_due()
        stage.look()
    stage.run_outbox()


FAULTS = {
    "504": {"status": 504},
    "504 html": {"status": 504, "body": "<html>Gateway Timeout</html>"},
    "500": {"status": 500},
    "503 with retry-after": {"status": 503, "headers": {"Retry-After": "5"}},
    "429": {"status": 429, "headers": {"Retry-After": "2"}},
    "404": {"status": 404},
    "409": {"status": 409},
    "reset": {"reset": True},
    "hang": {"hang": 0.3},
    "200 nonsense": {"status": 200, "body": "what?"},
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_one_email_whether_or_not_it_had_been_accepted(
    stage: Stage, fault: dict[str, object], when: str
) -> None:
    enrolled(stage)
    stage.emulator.control.fault(SEND, when=when, **fault)
    stage.send_due()
    assert stage.world.states() == {"in_doubt": 1}
    settle(stage)
    assert len(stage.left()) == 1
    assert stage.world.states() == {"sent": 1}
    assert stage.emulator.control.stats()["violations"] == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_one_email_of_a_mailbox_in_a_tenant_whether_or_not_it_had_been_accepted(
    stage: Stage, fault: dict[str, object], when: str
) -> None:
    owner = stage.world.member()
    stage.world.enroll(stage.world.sequence(owner, stage.tenant_mailbox(owner)))
    stage.emulator.control.fault(SEND, when=when, **fault)
    stage.send_due()
    assert stage.world.states() == {"in_doubt": 1}
    settle(stage)
    assert len(stage.left()) == 1
    assert stage.world.states() == {"sent": 1}
    assert stage.emulator.control.stats()["violations"] == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_one_email_of_a_mailbox_at_google_whether_or_not_it_had_been_accepted(
    stage: Stage, fault: dict[str, object], when: str
) -> None:
    enrolled(stage, at_google=True)
    stage.emulator.control.fault(AT_GMAIL, when=when, **fault)
    stage.send_due()
    # It waits and looks (429), or is searched for at once.
    assert stage.world.states() in ({"in_doubt": 1}, {"pending": 1})
    settle(stage)
    assert len(stage.left("gmail")) == 1
    assert stage.world.states() == {"sent": 1}
    assert stage.emulator.control.stats()["violations"] == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_same_with_ids_that_change_and_copies_that_come_late(stage: Stage, when: str) -> None:
    enrolled(stage)
    stage.emulator.control.switch(
        immutable_id_survives=False, keeps_internet_message_id=False, drafts_delay=0.4, sent_gap=0.4
    )
    stage.emulator.control.fault(SEND, when=when, status=504)
    stage.send_due()
    for _ in range(12):  # checks while the item is in Drafts, in neither folder, then in Sent Items
        time.sleep(0.1)
        stage.later(3)
        stage.look()
    settle(stage)
    assert len(stage.left()) == 1
    assert stage.world.states() == {"sent": 1}


def test_202_is_acceptance_even_with_retry_after(stage: Stage) -> None:
    enrolled(stage)
    stage.emulator.control.fault(SEND, when="after", status=202, headers={"Retry-After": "30"})
    stage.send_due()
    assert stage.world.states() == {"sent": 1}
    settle(stage, 3)
    assert len(stage.left()) == 1


@pytest.mark.parametrize("second", ["404", "400", "202"])
def test_an_accepted_item_that_never_leaves_drafts_ends_in_review_never_in_a_second_email(
    stage: Stage, second: str
) -> None:
    owner, _ = enrolled(stage)
    stage.emulator.control.switch(leaves_drafts=False, second_send=second)
    stage.emulator.control.fault(SEND, when="after", status=504)
    stage.send_due()
    settle(stage, 80)
    assert len(stage.left()) == 1
    if second == "202":
        assert stage.world.states() == {"sent": 1}
    else:
        assert stage.world.states() == {"review": 1}
        assert owner in [each.owner_id for each in stage.notices()]


def test_a_submitted_draft_that_its_owner_deleted_ends_in_review_and_the_owner_is_told_once(
    stage: Stage,
) -> None:
    owner, box = enrolled(stage)
    stage.emulator.control.fault(SEND, when="before", status=504)
    stage.send_due()
    (draft,) = stage.emulator.control.messages(stage.address(box))
    stage.emulator.control.delete(stage.address(box), draft["id"])
    settle(stage)
    assert stage.left() == []
    assert stage.world.states() == {"review": 1}
    assert [(each.owner_id, each.channel, each.title) for each in stage.notices()] == [
        (owner, "in_app", "Did the email to Cand0 leave?"),
        (owner, "email", "Did the email to Cand0 leave?"),
    ]
    assert len(stage.left("smtp")) == 1


def test_a_draft_that_its_owner_sent_by_hand_is_never_sent_again(stage: Stage) -> None:
    _, box = enrolled(stage)
    stage.emulator.control.fault(SEND, when="before", status=429, headers={"Retry-After": "1"})
    stage.send_due()
    (draft,) = stage.emulator.control.messages(stage.address(box))
    stage.runtime.transport(box, "graph").send(_draft(draft["id"]))
    settle(stage)
    assert len(stage.left()) == 1
    assert stage.world.states() == {"sent": 1}


def test_a_search_that_fails_keeps_looking_instead_of_guessing(stage: Stage) -> None:
    enrolled(stage)
    stage.emulator.control.fault(SEND, when="after", reset=True)
    stage.emulator.control.fault("GET /me/messages", status=503, times=5)
    stage.send_due()
    settle(stage)
    assert len(stage.left()) == 1
    assert stage.world.states() == {"sent": 1}


def _draft(item_id: str):  # type: ignore[no-untyped-def]
    from transports.base import Draft

    return Draft(item_id)


def test_a_twin_sent_by_hand_does_not_settle_a_draft_that_may_still_leave(stage: Stage) -> None:
    _, box = enrolled(stage)
    stage.emulator.control.fault(SEND, when="before", reset=True)
    stage.send_due()
    correlation_id = str(stage.only(Delivery).correlation_id)
    transport = stage.runtime.transport(box, "graph")
    words = OutgoingMessage(Address("candidate@example.org"), "A role at Acme", "<p>Hello</p>", "Hello")
    transport.send(
        transport.prepare(words, correlation_id, None)
    )  # as a late request's draft, and its owner's press on Send
    for _ in range(3):
        stage.later(60)
        stage.look()
    assert stage.world.states() == {"in_doubt": 1}
    settle(stage)
    assert stage.world.states() == {"sent": 1}
    assert len(stage.left()) == 1


def late_duplicate(stage: Stage, box: UUID) -> None:
    """Add the draft of a request that arrived after its worker had been given up."""
    correlation_id = str(stage.only(Delivery, correlation_id=PRESENT).correlation_id)
    words = OutgoingMessage(Address("candidate@example.org"), "A role at Acme", "<p>Hello</p>", "Hello")
    stage.runtime.transport(box, "graph").prepare(words, correlation_id, None)


def test_a_late_twin_is_never_sent_in_place_of_an_accepted_draft_that_a_withdrawal_removed(
    stage: Stage,
) -> None:
    _, box = enrolled(stage)
    sequence_id = stage.only(Sequence).id
    stage.emulator.control.switch(drafts_delay=3600.0)
    stage.emulator.control.fault(SEND, when="after", status=504)
    stage.send_due()
    late_duplicate(stage, box)
    withdraw.pause_sequence(stage.runtime, sequence_id, actor="test", reason="a test")
    resume.resume_sequence(stage.runtime, sequence_id, actor="test")
    settle(stage)
    assert len(stage.left()) == 1
    assert stage.world.states() == {"review": 1}


def test_a_late_twin_is_never_sent_in_place_of_a_submitted_draft_that_vanished_before_the_next_attempt(
    stage: Stage,
) -> None:
    _, box = enrolled(stage)
    stage.emulator.control.fault(SEND, when="before", status=504)
    stage.send_due()
    (draft,) = stage.emulator.control.messages(stage.address(box))
    stage.later(601)
    stage.look()
    assert stage.world.states() == {"pending": 1}
    late_duplicate(stage, box)
    stage.emulator.control.delete(stage.address(box), draft["id"])
    settle(stage)
    assert stage.left() == []
    assert stage.world.states() == {"review": 1}


def test_a_late_twin_of_the_step_before_does_not_hold_up_the_next_one(stage: Stage) -> None:
    owner = stage.world.member()
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box, ("PT0S", "PT1H")))
    stage.emulator.control.switch(drafts_delay=0.0)
    stage.send_due()
    late_duplicate(stage, box)
    (sent,) = (item for item in stage.emulator.control.messages(stage.address(box)) if item["copied"])
    stage.emulator.control.delete(stage.address(box), sent["id"])  # its owner clears out Sent Items
    stage.later(3600)
    stage.send_due()
    first, second = stage.left()
    assert second.subject == f"Re: {first.subject}"
    assert stage.world.states() == {"sent": 2}


def test_an_answer_that_comes_after_the_lease_has_ended_settles_the_doubt(stage: Stage) -> None:
    enrolled(stage)
    stage.emulator.control.switch(drafts_delay=3600.0)
    stage.emulator.control.fault(SEND, when="after", delay=4.0)
    with ThreadPoolExecutor() as threads:
        sending = threads.submit(stage.send_due)
        while not stage.left():
            time.sleep(0.02)
        stage.later(60)
        stage.sweep()
        assert stage.world.states() == {"in_doubt": 1}
        sending.result(20)
    assert stage.world.states() == {"sent": 1}
    assert stage.only(Receipt).known_by == "answer"


def test_a_look_during_which_the_grace_ends_is_followed_by_the_last_one_at_once(stage: Stage) -> None:
    enrolled(stage)
    stage.emulator.control.fault(SEND, when="before", status=504)
    stage.send_due()
    stage.put(Delivery, reconcile_attempts=5, grace_until=ahead(seconds=3))
    stage.emulator.control.fault("GET /me/messages", when="before", delay=4.0)
    assert stage.look() == 1
    stage.later(1)
    assert stage.look() == 1
    assert stage.world.states() == {"pending": 1}
