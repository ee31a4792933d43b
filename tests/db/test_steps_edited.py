"""Editing a running sequence: nobody gets a step again, everybody gets what they have not had, in order."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from actions import resume, withdraw
from db.sequences.imports import write_steps
from domain.edit_report import EditReport
from domain.step_edits import Words
from lab import records
from lab.records import Delivery, Enrollment
from lab.stage import Stage

Step = tuple[str, str | None, str]
A, B, C = ("PT0S", "A role", "Text A"), ("P3D", None, "Text B"), ("P3D", None, "Text C")
NEW = ("P3D", None, "Text NEW")


def bodies(stage: Stage) -> list[str]:
    """What people got to read above the line that leads to the opt-out page, which every email has."""
    above = [email.body.rpartition('\n<p><a href="')[0] for email in stage.left()]
    return [each.replace("<p>", "").replace("</p>", "").strip() for each in above]


def subjects(stage: Stage) -> list[str]:
    return [email.subject.casefold() for email in stage.left()]


def edit(stage: Stage, sequence: UUID, steps: Sequence[Step | Words], *, go_on: bool = False) -> EditReport:
    with stage.world.database.transaction() as tx:
        return write_steps(tx, stage.world.organization_id, sequence, steps, go_on=go_on)


def start(stage: Stage, *steps: Step | Words, people: int = 1) -> UUID:
    owner = stage.world.member()
    sequence = stage.world.sequence(owner, stage.mailbox(owner))
    edit(stage, sequence, steps or [A, B, C])
    stage.world.enroll(sequence, people)
    stage.send_due()
    return sequence


def days(stage: Stage, count: int) -> None:
    for _ in range(count):
        stage.later(3 * 86400 + 60)
        stage.send_due()


def due(stage: Stage) -> datetime:
    (waiting,) = [each for each in stage.all(Delivery) if each.state not in ("sent", "closed")]
    return waiting.due_at


def from_last(stage: Stage, delay: timedelta) -> datetime:
    return max(each.sent_at for each in stage.all(Delivery) if each.sent_at) + delay


def near(one: datetime, other: datetime) -> bool:
    return abs(one - other) < timedelta(seconds=30)


def test_a_step_put_in_between_sends_nobody_the_same_text_twice(stage: Stage) -> None:
    sequence = start(stage)
    days(stage, 1)  # this person has had A and B
    said = edit(stage, sequence, [A, NEW, B, C]).sentences()
    days(stage, 3)
    assert bodies(stage) == ["Text A", "Text B", "Text C"]
    assert said == ["Step 2 is new: 0 people get it; 1 person is already past it."]


def test_a_new_opener_sends_nobody_the_old_one_twice(stage: Stage) -> None:
    sequence = start(stage)  # this person has had A
    edit(stage, sequence, [("PT0S", "New opener", "Text NEW"), ("P3D", None, "Text A"), B, C])
    days(stage, 4)
    assert bodies(stage) == ["Text A", "Text B", "Text C"]
    assert subjects(stage) == [
        "a role",
        "re: a role",
        "re: a role",
    ]  # the thread that they have, not the new one


def test_a_step_taken_out_in_the_middle_takes_the_last_one_from_nobody(stage: Stage) -> None:
    sequence = start(stage)
    days(stage, 1)  # had A and B, waits for C
    edit(stage, sequence, [A, C])
    days(stage, 2)
    assert bodies(stage) == ["Text A", "Text B", "Text C"]


def test_a_step_added_before_the_one_somebody_waits_for_comes_first(stage: Stage) -> None:
    sequence = start(stage)  # had A, waits for B
    said = edit(stage, sequence, [A, ("P1D", None, "Text NEW"), B, C]).sentences()
    assert near(due(stage), from_last(stage, timedelta(days=1)))
    days(stage, 4)
    assert bodies(stage) == ["Text A", "Text NEW", "Text B", "Text C"]
    assert said[0] == "Step 2 is new: 1 person gets it."
    assert said[1].startswith("The due time of 1 person moves from ")


def test_a_new_opener_comes_first_for_whoever_has_had_nothing(stage: Stage) -> None:
    owner = stage.world.member()
    sequence = stage.world.sequence(owner, stage.mailbox(owner))
    edit(stage, sequence, [("P1D", *A[1:]), B])
    stage.world.enroll(sequence)
    edit(stage, sequence, [("PT0S", "Opener", "Text NEW"), ("P1D", *A[1:]), B])
    stage.send_due()
    days(stage, 3)
    assert bodies(stage) == ["Text NEW", "Text A", "Text B"]


@pytest.mark.parametrize("had", [1, 2, 3])
def test_two_steps_change_places_and_everybody_gets_each_once(stage: Stage, had: int) -> None:
    sequence = start(stage)
    days(stage, had - 1)
    edit(stage, sequence, [A, C, B])
    days(stage, 4)
    expected = ["Text A", "Text C", "Text B"] if had == 1 else ["Text A", "Text B", "Text C"]
    assert bodies(stage) == expected


def test_the_last_step_moves_to_the_front_and_is_still_owed(stage: Stage) -> None:
    sequence = start(stage, A, B, C, NEW)
    days(stage, 1)  # had A and B
    said = edit(stage, sequence, [A, NEW, B, C]).sentences()
    days(stage, 4)
    assert bodies(stage) == ["Text A", "Text B", "Text NEW", "Text C"]
    assert "Step 2 was step 4." in said


def test_a_sent_step_in_new_words_is_not_sent_again(stage: Stage) -> None:
    sequence = start(stage)
    said = edit(stage, sequence, [("PT0S", "Another role", "Dear you, quite other words"), B, C]).sentences()
    days(stage, 3)
    assert bodies(stage) == ["Text A", "Text B", "Text C"]
    assert said == [
        "Step 1 was reworded: 0 people get the new text; 1 has had the former text and does not get the new one."
    ]
    assert subjects(stage)[1] == "re: a role"  # what they have had, not what the step says now


def test_a_step_somebody_waits_for_is_sent_in_its_new_words(stage: Stage) -> None:
    sequence = start(stage)
    edit(stage, sequence, [A, ("P3D", None, "Quite other words"), C])
    days(stage, 3)
    assert bodies(stage) == ["Text A", "Quite other words", "Text C"]


def test_a_sent_step_is_deleted_and_nothing_else_changes_for_whoever_had_it(stage: Stage) -> None:
    sequence = start(stage)
    edit(stage, sequence, [("P3D", "A follow-up", "Text B"), C])
    days(stage, 3)
    assert bodies(stage) == ["Text A", "Text B", "Text C"]


def test_the_step_somebody_waits_for_is_deleted_and_they_go_on_with_the_next_at_its_own_delay(
    stage: Stage,
) -> None:
    sequence = start(stage, A, B, ("P5D", None, "Text C"))  # had A, waits for B
    said = edit(stage, sequence, [A, ("P5D", None, "Text C")]).sentences()
    assert near(due(stage), from_last(stage, timedelta(days=5)))
    assert said[0] == "Step 2 is removed: 1 person who waited for it continues without it."
    days(stage, 3)
    assert bodies(stage) == ["Text A", "Text C"]
    delivery = stage.only(Delivery, state="closed")
    assert (delivery.outcome, delivery.reason) == ("skipped", "step_removed")
    assert stage.only(Enrollment).status == "finished"


def test_a_step_that_was_taken_out_and_comes_back_is_the_same_step(stage: Stage) -> None:
    sequence = start(stage)
    days(stage, 1)  # had A and B
    edit(stage, sequence, [A, C])
    edit(stage, sequence, [A, C, B])
    days(stage, 4)
    assert bodies(stage) == ["Text A", "Text B", "Text C"]


def test_a_step_that_comes_back_still_reaches_whoever_was_to_go_without_it(stage: Stage) -> None:
    sequence = start(stage)  # waits for B
    edit(stage, sequence, [A, C])
    edit(stage, sequence, [A, B, C])
    days(stage, 4)
    assert bodies(stage) == ["Text A", "Text B", "Text C"]


def test_a_split_step_does_not_repeat_its_second_half(stage: Stage) -> None:
    both = ("P3D", None, "We build a platform for nurses in Berlin. May I call you on Tuesday or Wednesday?")
    sequence = start(stage, A, both, C)
    days(stage, 1)  # had A and both halves
    halves = [
        ("P3D", None, "We build a platform for nurses in Berlin."),
        ("P3D", None, "Hello again,\n\nMay I call you on Tuesday or Wednesday?"),
    ]
    said = edit(stage, sequence, [A, *halves, C]).sentences()
    days(stage, 3)
    assert len(bodies(stage)) == 3
    assert bodies(stage)[-1] == "Text C"
    assert any("had this text before" in each for each in said)


def test_ids_that_swap_their_words_send_nobody_the_same_words_twice(stage: Stage) -> None:
    words = [Words(*A, key="a"), Words(*B, key="b"), Words(*C, key="c")]
    sequence = start(stage, *words)
    days(stage, 1)  # had A and B
    edit(stage, sequence, [words[0], Words(*C, key="b"), Words(*B, key="c")])
    days(stage, 3)
    assert bodies(stage) == ["Text A", "Text B"]  # step c now says what they have had


def test_an_id_keeps_a_step_through_new_words_and_another_place(stage: Stage) -> None:
    words = [Words(*A, key="a"), Words(*B, key="b"), Words(*C, key="c")]
    sequence = start(stage, *words)
    days(stage, 1)  # had A and B
    changed = Words("P3D", None, "Nothing here is as it was before", key="b")
    edit(stage, sequence, [words[0], words[2], changed])
    days(stage, 3)
    assert bodies(stage) == ["Text A", "Text B", "Text C"]


def test_ids_given_to_a_sequence_that_had_none_change_nothing(stage: Stage) -> None:
    sequence = start(stage)
    edit(stage, sequence, [Words(*step, key=key) for step, key in zip((A, B, C), "abc", strict=True)])
    days(stage, 3)
    assert bodies(stage) == ["Text A", "Text B", "Text C"]


def test_a_step_added_at_the_end_reaches_who_is_on_the_way_and_says_who_is_through(stage: Stage) -> None:
    sequence = start(stage, A)  # finished
    said = edit(stage, sequence, [A, B]).sentences()
    days(stage, 2)
    assert bodies(stage) == ["Text A"]
    finished = "1 person has finished and will not get step 2: import the file with --continue, and they do."
    assert said == [f"Step 2 is new: 0 people get it. {finished}"]
    assert "1 person who had finished continues." in edit(stage, sequence, [A, B], go_on=True).sentences()
    assert near(due(stage), datetime.now(UTC))  # its three days are over
    days(stage, 2)
    assert bodies(stage) == ["Text A", "Text B"]
    assert stage.only(Enrollment).status == "finished"


def test_going_on_leaves_alone_who_is_suppressed_and_who_was_stopped(stage: Stage) -> None:
    sequence = start(stage, A, people=2)
    one = stage.all(Enrollment)[0].candidate_id
    withdraw.suppress_candidate(stage.runtime, one, actor="rita", reason="unsubscribed")
    edit(stage, sequence, [A, B], go_on=True)
    days(stage, 2)
    assert sorted(bodies(stage)) == ["Text A", "Text A", "Text B"]


def test_a_longer_delay_reaches_who_waits(stage: Stage) -> None:
    sequence = start(stage)
    before = due(stage)
    said = edit(stage, sequence, [A, ("P10D", None, "Text B"), C]).sentences()
    assert near(due(stage), from_last(stage, timedelta(days=10)))
    assert said == [
        f"The due time of 1 person moves from {before:%Y-%m-%d %H:%M} to {due(stage):%Y-%m-%d %H:%M} (UTC)."
    ]
    days(stage, 3)
    assert bodies(stage) == ["Text A"]
    days(stage, 1)
    assert bodies(stage) == ["Text A", "Text B"]


def test_a_shorter_delay_reaches_who_waits_and_is_never_in_the_past(stage: Stage) -> None:
    sequence = start(stage)
    stage.older(Delivery, "sent_at", where={"state": "sent"}, days=2)
    edit(stage, sequence, [A, ("P1D", None, "Text B"), C])
    assert near(due(stage), datetime.now(UTC))
    stage.send_due()
    assert bodies(stage) == ["Text A", "Text B"]


def test_a_delay_changes_nothing_for_whoever_is_being_written_to(stage: Stage) -> None:
    sequence = start(stage)
    stage.later(3 * 86400 + 60)
    assert len(stage.due()) == 1  # queued
    before = due(stage)
    said = edit(stage, sequence, [A, ("P10D", None, "Text B"), C]).sentences()
    assert due(stage) == before
    assert said == ["1 person keeps the time planned before: their email is on its way."]
    assert stage.world.states() == {"queued": 1, "sent": 1}


def test_a_step_added_before_an_email_that_is_on_its_way_stands_behind_that_person(stage: Stage) -> None:
    sequence = start(stage)
    stage.later(3 * 86400 + 60)
    jobs = stage.due()
    edit(stage, sequence, [A, NEW, B, C])
    from workers import send_step

    for job in jobs:
        send_step.send(stage.runtime, job)
    stage.send_due()
    days(stage, 3)
    assert bodies(stage) == ["Text A", "Text B", "Text C"]


def test_a_changed_delay_counts_for_a_paused_sequence_when_it_goes_on(stage: Stage) -> None:
    sequence = start(stage)
    withdraw.pause_sequence(stage.runtime, sequence, actor="rita", reason="edit")
    stage.run_outbox()
    edit(stage, sequence, [A, ("P10D", None, "Text B"), C])
    assert stage.only(Delivery, state="pending").held is True
    (planned,) = resume.preview_resume(stage.runtime, sequence).planned
    assert planned.send_at is not None
    assert near(planned.send_at, from_last(stage, timedelta(days=10)))


def test_a_step_deleted_while_paused_lets_its_people_go_on_with_the_next(stage: Stage) -> None:
    sequence = start(stage)
    withdraw.pause_sequence(stage.runtime, sequence, actor="rita", reason="edit")
    stage.run_outbox()
    edit(stage, sequence, [A, C])
    assert stage.send_due() == 0
    resume.resume_sequence(stage.runtime, sequence, actor="rita")
    days(stage, 2)
    assert bodies(stage) == ["Text A", "Text C"]


def test_a_stopped_person_stays_stopped_through_every_edit(stage: Stage) -> None:
    sequence = start(stage)
    enrollment = stage.only(Enrollment).id
    withdraw.stop_enrollment(stage.runtime, enrollment, actor="rita", reason="replied")
    edit(stage, sequence, [A, NEW, B, C], go_on=True)
    days(stage, 4)
    assert bodies(stage) == ["Text A"]


def test_nothing_changed_writes_nothing(stage: Stage) -> None:
    sequence = start(stage)
    before = stage.everything(records.Step, Delivery)
    assert not edit(stage, sequence, [A, B, C])
    assert stage.everything(records.Step, Delivery) == before


def test_many_edits_one_after_the_other_send_everything_once(stage: Stage) -> None:
    sequence = start(stage)
    for steps in ([A, NEW, B, C], [A, C, NEW, B], [NEW, A, B, C], [A, B], [C, A, B, NEW], [A, B, NEW, C]):
        edit(
            stage,
            sequence,
            [("P3D", step[1] or ("S" if n == 0 else None), step[2]) for n, step in enumerate(steps)],
        )
        days(stage, 1)
    days(stage, 6)
    assert bodies(stage)[0] == "Text A"
    assert sorted(bodies(stage)) == sorted(set(bodies(stage)))
    assert {"Text B", "Text C"} <= set(bodies(stage))
