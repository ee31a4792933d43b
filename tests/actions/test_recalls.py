"""A withdrawal recalls the drafts of emails in flight.

A recalled email never counts as sent, nor is it sent by mistake.
"""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import UUID

import pytest

from actions import resume, withdraw
from actions.connect import connect_mailbox
from lab.access_records import Lane, Mailbox
from lab.records import Delivery
from lab.stage import Stage
from lab.tables import ahead

SEND = "POST /me/messages/{id}/send"
CREATE = "POST /me/messages"
PURGE = "POST /me/messages/{id}/permanentDelete"


def one_email(stage: Stage) -> UUID:
    """Somebody enrolled; returns the sequence."""
    owner = stage.world.member()
    sequence_id = stage.world.sequence(owner, stage.mailbox(owner))
    stage.world.enroll(sequence_id)
    return sequence_id


def accepted(stage: Stage) -> None:
    """Wait until the provider has accepted it."""
    while not stage.emulator.control.stats()["accepted"]:
        time.sleep(0.02)


def settle(stage: Stage) -> None:
    for _ in range(40):
        stage.later(60)
        stage.sweep()
        stage.send_due()
        stage.look()


@pytest.mark.parametrize("lease_ends", [False, True])
@pytest.mark.parametrize("copy_left", [False, True])
def test_an_accepted_email_whose_draft_was_removed_is_for_a_person_to_judge(
    stage: Stage, *, lease_ends: bool, copy_left: bool
) -> None:
    sequence_id = one_email(stage)
    stage.emulator.control.switch(copy_delay=0.0 if copy_left else 3600.0, drafts_delay=3600.0)
    stage.emulator.control.fault(SEND, when="after", delay=5.0)
    with ThreadPoolExecutor() as threads:
        sending: Future[int] = threads.submit(stage.send_due)
        accepted(stage)
        if lease_ends:
            stage.later(60)
            stage.sweep()
        answer = withdraw.pause_sequence(stage.runtime, sequence_id, actor="test", reason="a test")
        sending.result(20)
    assert len(answer.in_doubt) == 1
    stage.emulator.control.switch(copy_delay=0.0)
    settle(stage)
    assert len(stage.left()) == int(copy_left)
    assert stage.world.states() == {"review": 1}


def test_an_email_that_had_moved_to_sent_items_is_found_there(stage: Stage) -> None:
    sequence_id = one_email(stage)
    stage.emulator.control.switch(drafts_delay=0.0)
    stage.emulator.control.fault(SEND, when="after", delay=5.0)
    with ThreadPoolExecutor() as threads:
        sending: Future[int] = threads.submit(stage.send_due)
        accepted(stage)
        withdraw.pause_sequence(stage.runtime, sequence_id, actor="test", reason="a test")
        sending.result(20)
    settle(stage)
    assert len(stage.left()) == 1
    assert stage.world.states() == {"sent": 1}


def test_a_draft_whose_removal_is_under_way_is_never_sent_after_a_resume(stage: Stage) -> None:
    """The recall takes so long that the owner has reconnected and resumed before it arrives."""
    owner = stage.world.member()
    box = stage.mailbox(owner)
    sequence_id = stage.world.sequence(owner, box)
    stage.world.enroll(sequence_id)
    stage.emulator.control.fault(CREATE, when="after", delay=3.0)
    with ThreadPoolExecutor() as threads:
        drafting = threads.submit(stage.send_due)
        while not stage.emulator.control.messages(stage.address(box)):
            time.sleep(0.02)
        stage.put(Lane, retry_after_until=ahead(hours=1))
        drafting.result(20)
    assert stage.only(Delivery, state="pending").draft_id is not None
    stage.emulator.control.fault(PURGE, when="before", delay=3.0)
    stage.emulator.control.switch(copy_delay=3600.0, drafts_delay=3600.0)
    with ThreadPoolExecutor() as threads:
        leaving = threads.submit(withdraw.disconnect_mailbox, stage.runtime, box, actor="test")
        while stage.only(Mailbox, box).status == "connected":
            time.sleep(0.02)
        time.sleep(1)
        token = stage.emulator.control.refresh_token(stage.address(box))
        connect_mailbox(stage.runtime, box, refresh_token=token, actor="test")
        stage.run_outbox()
        stage.put(Lane, retry_after_until=None)
        resume.resume_sequence(stage.runtime, sequence_id, actor="test")
        stage.later(3601)
        assert stage.send_due() == 1
        leaving.result(60)
    stage.emulator.control.switch(copy_delay=0.0, drafts_delay=0.0)
    settle(stage)
    assert stage.world.states() == {"sent": 1}
    assert len(stage.left()) == 1
