"""Activating drafts and setting sequences back.

What is missing, who gets what first, and that nothing leaves meanwhile.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from actions import activation, resume, withdraw
from domain.errors import NotPermitted
from lab.access_records import Lane, Mailbox, Member
from lab.records import AuditEntry, Delivery, Enrollment, Record, Sequence, Step
from lab.stage import Stage
from lab.tables import ago, lock
from workers import send_step


def draft(stage: Stage, *delays: str, people: int = 2) -> tuple[UUID, UUID]:
    owner = stage.world.member()
    box = stage.mailbox(owner)
    sequence = stage.world.sequence(owner, box, delays or ("PT0S", "P1D"), status="draft")
    stage.world.enroll(sequence, people)
    return sequence, box


def test_a_draft_sends_nothing_until_it_is_activated_and_then_everything_once(stage: Stage) -> None:
    sequence, _ = draft(stage)
    stage.later(86400)
    assert stage.send_due() == 0
    preview = activation.preview_activation(stage.runtime, sequence)
    assert [each.step_position for each in preview.planned] == [1, 1]
    assert stage.only(Sequence).status == "draft"
    activation.activate_sequence(stage.runtime, sequence, actor="rita")
    stage.later(10)
    stage.send_due()
    assert len(stage.left()) == 2
    stage.later(86400)
    stage.send_due()
    assert len(stage.left()) == 4
    assert stage.count(AuditEntry, action="sequence_activated") == 1


def test_who_is_enrolled_in_a_draft_gets_the_first_step_at_its_delay_from_the_activation(
    stage: Stage,
) -> None:
    sequence, _ = draft(stage, "P2D", people=1)
    stage.older(Enrollment, "created_at", days=30)
    stage.older(Delivery, "created_at", "due_at", days=30)
    (planned,) = activation.activate_sequence(stage.runtime, sequence, actor="rita").planned
    assert planned.send_at is not None
    assert abs(planned.send_at - datetime.now(UTC) - timedelta(days=2)) < timedelta(minutes=1)


def test_activating_twice_is_activating_once(stage: Stage) -> None:
    sequence, _ = draft(stage)
    for _ in range(2):
        activation.activate_sequence(stage.runtime, sequence, actor="rita")
    stage.later(10)
    stage.send_due()
    assert len(stage.left()) == 2


@pytest.mark.parametrize(
    ("kind", "where", "values", "missing"),
    [
        (Step, {}, {"retired_at": ago()}, "It has no steps"),
        (Step, {"position": 1}, {"subject": " "}, "Step 1 has no subject"),
        (Step, {"position": 2}, {"body": " "}, "Step 2 has no text"),
        (Step, {}, {"body": "Hi {{nobody_knows}}"}, "Step 1: {{nobody_knows}} is not a known field"),
        (Mailbox, {}, {"status": "never_connected"}, "is not connected"),
        (Mailbox, {}, {"scopes": []}, "lacks "),
        (Member, {}, {"active": False, "deactivated_at": ago()}, "is deactivated"),
    ],
    ids=["steps", "subject", "text", "field", "connection", "scopes", "owner"],
)
def test_what_a_draft_lacks_keeps_it_a_draft(
    stage: Stage, kind: type[Record], where: dict[str, object], values: dict[str, object], missing: str
) -> None:
    sequence, _ = draft(stage)
    stage.put(kind, where=where, **values)
    assert missing in " ".join(activation.preview_activation(stage.runtime, sequence).blockers)
    with pytest.raises(NotPermitted, match="cannot be activated yet"):
        activation.activate_sequence(stage.runtime, sequence, actor="rita")
    assert stage.only(Sequence).status == "draft"


def test_a_draft_from_a_mailbox_without_permission_names_who_can_give_it(stage: Stage) -> None:
    hans, rita = stage.world.member("Hans"), stage.world.member("Rita")
    sequence = stage.world.sequence(rita, stage.mailbox(hans), status="draft")
    (blocker,) = activation.preview_activation(stage.runtime, sequence).blockers
    assert "has no permission to send from" in blocker


def test_after_setting_back_nothing_leaves_and_it_says_what_was_stopped(stage: Stage) -> None:
    owner = stage.world.member()
    sequence = stage.world.sequence(owner, stage.mailbox(owner), ("PT0S", "P1D"))
    stage.world.enroll(sequence, 2)
    stage.send_due()
    stage.world.enroll(sequence, 1)
    jobs = stage.due()  # one is queued
    answer = withdraw.deactivate_sequence(stage.runtime, sequence, actor="rita", reason="rewrite")
    assert (answer.stopped, answer.already_sent, answer.complete) == (3, 2, True)

    for job in jobs:
        send_step.send(stage.runtime, job)
    stage.later(2 * 86400)
    assert stage.send_due() == 0
    assert len(stage.left()) == 2
    assert stage.only(Sequence).status == "draft"
    stage.run_outbox()
    assert [
        each.title
        for each in stage.notices()
        if each.title.startswith("rita set ") and each.title.endswith(" back to draft")
    ]


def test_setting_back_freezes_the_clocks_and_activating_lets_them_go_on(stage: Stage) -> None:
    owner = stage.world.member()
    sequence = stage.world.sequence(owner, stage.mailbox(owner), ("PT0S", "P3D"))
    stage.world.enroll(sequence)
    stage.send_due()
    stage.later(86400)  # two days are left
    withdraw.deactivate_sequence(stage.runtime, sequence, actor="rita", reason="rewrite")
    stage.older(Sequence, "set_back_at", days=10)
    stage.older(Delivery, "due_at", days=10)
    stage.older(Delivery, "created_at", days=20)
    (planned,) = activation.activate_sequence(stage.runtime, sequence, actor="rita").planned
    assert planned.send_at is not None
    assert abs(planned.send_at - datetime.now(UTC) - timedelta(days=2)) < timedelta(minutes=1)


def test_a_paused_sequence_can_be_set_back_and_a_late_cause_does_not_pause_the_draft(stage: Stage) -> None:
    owner = stage.world.member()
    sequence = stage.world.sequence(owner, stage.mailbox(owner))
    stage.world.enroll(sequence)
    withdraw.pause_sequence(stage.runtime, sequence, actor="rita", reason="no")
    withdraw.deactivate_sequence(stage.runtime, sequence, actor="rita", reason="rewrite")
    stage.run_outbox()
    found = stage.only(Sequence)
    assert (found.status, found.paused_reason) == ("draft", None)
    with pytest.raises(NotPermitted, match="Start it instead"):
        resume.resume_sequence(stage.runtime, sequence, actor="rita")
    activation.activate_sequence(stage.runtime, sequence, actor="rita")
    stage.run_outbox()
    row = stage.only(Sequence)
    assert (row.status, row.set_back_at, row.set_back_by) == ("active", None, None)


@pytest.mark.parametrize("status", ["paused", "archived"])
def test_only_a_draft_can_be_activated(stage: Stage, status: str) -> None:
    owner = stage.world.member()
    sequence = stage.world.sequence(owner, stage.mailbox(owner))
    act = withdraw.pause_sequence if status == "paused" else withdraw.archive_sequence
    act(stage.runtime, sequence, actor="rita", reason="no")
    with pytest.raises(NotPermitted, match=status):
        activation.activate_sequence(stage.runtime, sequence, actor="rita")
    if status == "archived":
        with pytest.raises(NotPermitted, match="archived"):
            withdraw.deactivate_sequence(stage.runtime, sequence, actor="rita", reason="no")


def test_setting_back_waits_for_the_lane_as_every_no_does(stage: Stage) -> None:

    owner = stage.world.member()
    sequence = stage.world.sequence(owner, stage.mailbox(owner))
    with ThreadPoolExecutor(1) as pool, stage.world.database.transaction() as blocker:
        lock(blocker, Lane)
        waiting = pool.submit(
            withdraw.deactivate_sequence, stage.runtime, sequence, actor="rita", reason="no"
        )
        with pytest.raises(TimeoutError):
            waiting.result(0.5)
        assert stage.only(Sequence).status == "active"
        blocker.rollback()
        assert waiting.result(30).complete
