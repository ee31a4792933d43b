"""One delivery from due to sent, judged by what left the mailbox."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from actions import resume, withdraw
from db.sequences.imports import write_steps
from lab.access_records import Lane
from lab.records import Delivery, Enrollment, Receipt, Sequence, Step
from lab.stage import Stage
from lab.tables import ago, lock
from workers import send_step


@pytest.mark.row("H1", "M1", "M8", "M12", "P27")
def test_a_due_step_becomes_one_email_from_the_owners_mailbox_with_a_receipt(
    stage: Stage,
) -> None:
    hans, rita = stage.world.member("Hans Holder"), stage.world.member()
    box = stage.mailbox(hans)
    grant = stage.world.grant(box, rita)
    stage.world.enroll(stage.world.sequence(rita, box))
    assert stage.send_due() == 1
    (email,) = stage.left()
    assert email.sender == email.mailbox == stage.address(box)
    assert email.subject == "A role at Acme"
    assert "Hello Cand0, this is step 1." in email.body
    assert stage.world.states() == {"sent": 1}
    receipt = stage.only(Receipt)
    assert (receipt.authority, receipt.grant_id, receipt.known_by) == ("grant_to_person", grant, "answer")


@pytest.mark.row("M1", "M7")
def test_an_email_has_no_reply_to_of_ours_and_nothing_but_it_is_left_in_the_mailbox(
    stage: Stage,
) -> None:
    owner = stage.world.member("Hans Holder")
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box))
    stage.send_due()
    (email,) = stage.left()
    assert email.sender == stage.address(box)
    (item,) = stage.emulator.world.mailboxes[stage.address(box)].messages.values()
    assert item.data["replyTo"] == []


@pytest.mark.row("M9")
def test_the_senders_out_of_office_holds_a_step_and_fails_none(stage: Stage) -> None:
    owner = stage.world.member("Hans Holder")
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box))
    address = stage.address(box)
    away = {"status": "alwaysEnabled", "externalAudience": "all"}
    stage.emulator.control.add_mailboxes({"address": address, "automatic_replies": away})
    stage.check_mailboxes()
    stage.send_due()
    assert stage.left() == []
    assert stage.only(Delivery).standing == ("pending", "sender_away")
    assert stage.only(Sequence).status == "active"
    stage.emulator.control.add_mailboxes({"address": address, "automatic_replies": {"status": "disabled"}})
    stage.check_mailboxes()
    stage.later(25 * 3600)
    stage.send_due()
    assert len(stage.left()) == 1


def steps(stage: Stage, sequence: UUID, *delays: str) -> None:
    """Edit the sequence as an import does."""
    words = [
        (delay, "Edited" if n == 0 else None, f"Hello, this is step {n + 1}, edited.")
        for n, delay in enumerate(delays)
    ]
    with stage.world.database.transaction() as tx:
        write_steps(tx, stage.world.organization_id, sequence, words)


def test_a_step_that_was_removed_is_left_out_and_the_sequence_ends_there(stage: Stage) -> None:
    owner = stage.world.member()
    sequence = stage.world.sequence(owner, stage.mailbox(owner), ("PT0S", "PT1H"))
    stage.world.enroll(sequence)
    stage.send_due()
    steps(stage, sequence, "PT0S")
    stage.later(3600)
    stage.send_due()
    assert len(stage.left()) == 1
    delivery = stage.only(Delivery, state="closed")
    assert (delivery.outcome, delivery.reason) == ("skipped", "step_removed")
    assert stage.only(Enrollment).status == "finished"
    assert [
        item for item in stage.emulator.control.messages(stage.left()[0].mailbox) if item["isDraft"]
    ] == []


def test_a_paused_step_that_was_removed_is_left_out_when_the_sequence_resumes(stage: Stage) -> None:
    owner = stage.world.member()
    sequence = stage.world.sequence(owner, stage.mailbox(owner), ("PT0S", "PT1H"))
    stage.world.enroll(sequence)
    stage.send_due()
    withdraw.pause_sequence(stage.runtime, sequence, actor="rita", reason="edit")
    stage.run_outbox()
    steps(stage, sequence, "PT0S")
    (planned,) = resume.preview_resume(stage.runtime, sequence).planned
    assert (planned.send_at, planned.note) == (None, "left out: the step was removed")
    resume.resume_sequence(stage.runtime, sequence, actor="rita")
    assert stage.only(Enrollment).status == "finished"


def test_an_edited_step_leaves_in_its_present_words_and_an_added_one_follows(stage: Stage) -> None:
    owner = stage.world.member()
    sequence = stage.world.sequence(owner, stage.mailbox(owner), ("PT0S", "PT1H"))
    stage.world.enroll(sequence)
    stage.send_due()
    steps(stage, sequence, "PT0S", "PT1H", "PT0S")
    stage.later(3600)
    stage.send_due()
    assert ["edited" in entry.body for entry in stage.left()] == [False, True, True]
    assert stage.only(Enrollment).status == "finished"


def test_a_refusal_waits_for_the_lane_holding_nothing_else(stage: Stage) -> None:
    owner = stage.world.member()
    sequence = stage.world.sequence(owner, stage.mailbox(owner))
    stage.world.enroll(sequence)
    (job,) = stage.due()
    stage.put(Sequence, status="paused", paused_cause="x", paused_reason="x", paused_at=ago())
    with ThreadPoolExecutor(1) as pool:
        with stage.world.database.transaction() as blocker:
            lock(blocker, Lane)
            refused = pool.submit(send_step.send, stage.runtime, job)
            stage.until_a_lock_is_waited_for()
            # As a withdrawal would. If the delivery were locked, both would wait forever.
            lock(blocker, Delivery, wait=False)
            lock(blocker, Enrollment, wait=False)
        refused.result(10)
    delivery = stage.only(Delivery)
    assert (delivery.state, delivery.held) == ("pending", True)


@pytest.mark.parametrize(
    "subject",
    [
        "two  spaces",
        "Gr\u00fc\u00dfe \U0001f389",
        "\u05e9\u05dc\u05d5\u05dd",
        "=?utf-8?q?x?=",
        "a" * 255,
        '100 %: "q" <b>',
    ],
)
def test_a_subject_arrives_by_graph_as_it_was_written(stage: Stage, subject: str) -> None:
    owner = stage.world.member()
    sequence = stage.world.sequence(owner, stage.mailbox(owner), ("PT0S", "PT0S"))
    stage.put(Step, where={"position": 1}, subject=f" {subject}  ")
    stage.world.enroll(sequence)
    stage.send_due()
    stage.later(5)
    stage.send_due()
    first, second = stage.left()
    assert first.subject == subject
    answered = second.subject.removeprefix("Re: ").removeprefix("RE: ")
    assert answered == subject or (len(second.subject) == 255 and subject.startswith(answered))
