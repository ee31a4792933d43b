"""Activating drafts and setting sequences back.

What is missing, who gets what first, and that nothing leaves meanwhile.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from actions import activation, resume, withdraw
from domain.errors import NotPermitted
from lab.stage import Stage
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
    assert stage.world.one("SELECT status FROM sequences") == "draft"
    activation.activate_sequence(stage.runtime, sequence, actor="rita")
    stage.later(10)
    stage.send_due()
    assert len(stage.left()) == 2
    stage.later(86400)
    stage.send_due()
    assert len(stage.left()) == 4
    assert stage.world.one("SELECT count(*) FROM audit_entries WHERE action = 'sequence_activated'") == 1


def test_who_is_enrolled_in_a_draft_gets_the_first_step_at_its_delay_from_the_activation(
    stage: Stage,
) -> None:
    sequence, _ = draft(stage, "P2D", people=1)
    stage.world.run("UPDATE enrollments SET created_at = created_at - interval '30 days'")
    stage.world.run(
        "UPDATE deliveries SET created_at = created_at - interval '30 days', due_at = due_at - interval '30 days'"
    )
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
    ("change", "missing"),
    [
        ("UPDATE steps SET retired_at = now()", "It has no steps"),
        ("UPDATE steps SET subject = ' ' WHERE position = 1", "Step 1 has no subject"),
        ("UPDATE steps SET body = ' ' WHERE position = 2", "Step 2 has no text"),
        ("UPDATE steps SET body = 'Hi {{nobody_knows}}'", "Step 1: {{nobody_knows}} is not a known field"),
        ("UPDATE mailboxes SET status = 'never_connected'", "is not connected"),
        ("UPDATE mailboxes SET scopes = '{}'", "lacks "),
        ("UPDATE members SET active = false, deactivated_at = now()", "is not active"),
    ],
)
def test_what_a_draft_lacks_keeps_it_a_draft(stage: Stage, change: str, missing: str) -> None:
    sequence, _ = draft(stage)
    stage.world.run(change)
    assert missing in " ".join(activation.preview_activation(stage.runtime, sequence).blockers)
    with pytest.raises(NotPermitted, match="cannot be activated yet"):
        activation.activate_sequence(stage.runtime, sequence, actor="rita")
    assert stage.world.one("SELECT status FROM sequences") == "draft"


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
    assert stage.world.one("SELECT status FROM sequences") == "draft"
    stage.run_outbox()
    assert [
        title
        for _, _, title in stage.notices()
        if str(title).startswith("rita set ") and str(title).endswith(" back to draft")
    ]


def test_setting_back_freezes_the_clocks_and_activating_lets_them_go_on(stage: Stage) -> None:
    owner = stage.world.member()
    sequence = stage.world.sequence(owner, stage.mailbox(owner), ("PT0S", "P3D"))
    stage.world.enroll(sequence)
    stage.send_due()
    stage.later(86400)  # two days are left
    withdraw.deactivate_sequence(stage.runtime, sequence, actor="rita", reason="rewrite")
    stage.world.run("UPDATE sequences SET set_back_at = set_back_at - interval '10 days'")
    stage.world.run(
        "UPDATE deliveries SET due_at = due_at - interval '10 days', created_at = created_at - interval '20 days'"
    )
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
    assert stage.world.rows("SELECT status, paused_reason FROM sequences") == [("draft", None)]
    with pytest.raises(NotPermitted, match="Start it instead"):
        resume.resume_sequence(stage.runtime, sequence, actor="rita")
    activation.activate_sequence(stage.runtime, sequence, actor="rita")
    stage.run_outbox()
    assert stage.world.rows("SELECT status, set_back_at, set_back_by FROM sequences") == [
        ("active", None, None)
    ]


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
        blocker.execute(text("SELECT 1 FROM lanes FOR UPDATE"))
        waiting = pool.submit(
            withdraw.deactivate_sequence, stage.runtime, sequence, actor="rita", reason="no"
        )
        with pytest.raises(TimeoutError):
            waiting.result(0.5)
        assert blocker.execute(text("SELECT status FROM sequences")).scalar_one() == "active"
        blocker.rollback()
        assert waiting.result(30).complete
