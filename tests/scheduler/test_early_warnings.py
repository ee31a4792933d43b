"""What cannot be sent is noticed before it is due. Owners are notified in time, once, and learn why."""

from datetime import timedelta
from uuid import UUID

import pytest

from actions import grants, resume, withdraw
from db.core.session import database_now
from domain.grant import Bounds
from lab.access_records import Mailbox
from lab.records import Candidate, Delivery, Enrollment, Event, Notice, Sequence
from lab.stage import Stage
from scheduler import early_warnings


@pytest.fixture
def desk(stage: Stage) -> tuple[UUID, UUID, UUID]:
    """Hans, Rita, and his mailbox."""
    hans, rita = stage.world.member("Hans Holder"), stage.world.member("Rita Recruiter")
    return hans, rita, stage.mailbox(hans)


def look(stage: Stage) -> None:
    stage.run_outbox()
    stage.older(Sequence, "created_at", hours=1)
    stage.older(Mailbox, "disconnected_at", hours=1)
    stage.older(Event, "occurred_at", hours=1)
    early_warnings.warn_early(stage.world.database)
    stage.run_outbox()


def start(stage: Stage, owner: UUID, box: UUID, delay: str = "PT1H") -> UUID:
    sequence_id = stage.world.sequence(owner, box, (delay,))
    stage.world.enroll(sequence_id, 2)
    return sequence_id


def status(stage: Stage, sequence_id: UUID) -> object:
    return stage.only(Sequence, sequence_id).status


def titles(stage: Stage, member_id: UUID) -> list[str]:
    return [each.title for each in stage.all(Notice, owner_id=member_id, channel="in_app")]


def test_what_can_be_sent_is_left_alone(stage: Stage, desk: tuple[UUID, UUID, UUID]) -> None:
    hans, rita, box = desk
    stage.world.grant(box, rita)
    sequences = [start(stage, hans, box), start(stage, rita, box)]
    look(stage)
    assert [status(stage, each) for each in sequences] == ["active", "active"]
    assert stage.notices() == []


@pytest.mark.row("M31")
def test_a_sequence_started_on_a_removed_mailbox_is_paused_with_that_reason(
    stage: Stage, desk: tuple[UUID, UUID, UUID]
) -> None:
    hans, _, box = desk
    withdraw.disconnect_mailbox(stage.runtime, box, actor="Hans Holder")
    stage.run_outbox()
    sequence_id = start(stage, hans, box)
    look(stage)
    look(stage)
    assert status(stage, sequence_id) == "paused"
    assert titles(stage, hans) == [f"{stage.address(box)} cannot send"]


@pytest.mark.row("M13")
def test_a_sequence_without_a_permission_is_paused_before_its_first_email_is_due(
    stage: Stage, desk: tuple[UUID, UUID, UUID]
) -> None:
    _, rita, box = desk
    sequence_id = start(stage, rita, box)
    look(stage)
    assert status(stage, sequence_id) == "paused"
    assert titles(stage, rita) == [f"No permission to send from {stage.address(box)}"]
    assert stage.left() == []


def test_what_is_further_away_than_two_days_can_wait(stage: Stage, desk: tuple[UUID, UUID, UUID]) -> None:
    _, rita, box = desk
    sequence_id = start(stage, rita, box, "P3D")
    look(stage)
    assert status(stage, sequence_id) == "active"


def test_a_mailbox_that_was_never_connected_is_missed_when_an_email_is_due(
    stage: Stage, desk: tuple[UUID, UUID, UUID]
) -> None:
    hans, _, _ = desk
    box = stage.world.mailbox(hans, connected=False)
    sequence_id = start(stage, hans, box)
    look(stage)
    assert status(stage, sequence_id) == "active"  # there is time to connect it
    stage.later(3600)
    look(stage)
    assert status(stage, sequence_id) == "active"  # just due
    stage.later(300)
    look(stage)
    assert status(stage, sequence_id) == "paused"
    assert titles(stage, hans) == [f"{stage.address(box)} cannot send"]


def test_the_end_of_a_permission_is_told_two_days_before_once(
    stage: Stage, desk: tuple[UUID, UUID, UUID]
) -> None:
    hans, rita, box = desk
    with stage.world.database.transaction() as tx:
        end = database_now(tx) + timedelta(hours=30)
    grants.give_grant(
        stage.runtime,
        mailbox_id=box,
        mailbox_owner_id=hans,
        grantee_id=rita,
        actor="Hans",
        bounds=Bounds(expires_at=end),
    )
    sequence_id = start(stage, rita, box)
    look(stage)
    look(stage)
    assert titles(stage, rita)[1:] == [f"Your permission to send from {stage.address(box)} ends soon"]
    assert status(stage, sequence_id) == "active"


def test_a_field_that_is_missing_is_seen_two_days_before_and_told_once(
    stage: Stage, desk: tuple[UUID, UUID, UUID]
) -> None:
    hans, _, box = desk
    body = "Dear {{first_name}}, {{role}} at {{company|your company}}? {{sender_name}}"
    sequence_id = stage.world.sequence(hans, box, ("PT40H",), body=body, fields=("role",))
    later = stage.world.sequence(hans, box, ("P5D",), body=body, fields=("role",))
    for each in (sequence_id, later):
        stage.world.enroll(each, 3)
    stage.put(Candidate, fields={"role": "the role"}, first_name="Anna")
    _, *incomplete = [each.id for each in stage.all(Candidate)]
    stage.put(Candidate, incomplete, first_name=" ")
    for _ in range(2):
        early_warnings.hold_incomplete(stage.world.database)
        stage.run_outbox()
    found = {
        (each.sequence_id, each.status, each.reason, stage.only(Delivery, enrollment_id=each.id).held)
        for each in stage.all(Enrollment, candidate_id=incomplete)
    }
    assert found == {
        (sequence_id, "paused", "missing_merge_field: first_name", True),
        (later, "active", None, False),  # its time has not come
    }
    assert [title for title in titles(stage, hans) if "First name is missing for" in str(title)] == titles(
        stage, hans
    )
    assert len(titles(stage, hans)) == 1
    assert stage.left() == []


def test_a_custom_field_that_is_missing_is_seen_too(stage: Stage, desk: tuple[UUID, UUID, UUID]) -> None:
    hans, _, box = desk
    sequence_id = stage.world.sequence(hans, box, ("PT1H",), body="About {{role}}", fields=("role",))
    stage.world.enroll(sequence_id, 2)
    early_warnings.hold_incomplete(stage.world.database)
    assert {each.reason for each in stage.all(Enrollment)} == {"missing_merge_field: role"}
    stage.run_outbox()
    stage.later(7200)
    stage.send_due()
    assert stage.left() == []


def test_whoever_is_complete_again_can_be_resumed(stage: Stage, desk: tuple[UUID, UUID, UUID]) -> None:
    hans, _, box = desk
    sequence_id = stage.world.sequence(hans, box, ("PT1H",), body="Dear {{company}}")
    (enrollment,) = stage.world.enroll(sequence_id, 1, company="")
    early_warnings.hold_incomplete(stage.world.database)
    assert stage.only(Enrollment).status == "paused"
    stage.put(Candidate, company="Acme")
    resume.resume_enrollment(stage.runtime, enrollment, actor="Hans")
    stage.later(7200)
    stage.send_due()
    assert len(stage.left()) == 1
