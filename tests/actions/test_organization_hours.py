"""An organization's hours change while emails wait: the preview says what moves, the change moves it, and the gate asks again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from actions import organization_hours, withdraw
from db.sequences import organization_hours as stored
from domain.errors import InvalidInput
from domain.hand_edits import Overtaken
from domain.organization_hours import OrganizationHours
from lab.access_records import Organization
from lab.records import AuditEntry, Delivery
from lab.stage import Stage
from workers import send_step

NOW = datetime.now(UTC)
CLOSED = {
    "zone": "UTC",
    "days": [f"{NOW + timedelta(days=2):%a}".lower()],
    "from": "09:00",
    "to": "17:00",
    "holidays": [],
}


@pytest.fixture
def rita(stage: Stage) -> UUID:
    return stage.world.member("Rita Recruiter")


@pytest.fixture
def sequence(stage: Stage, rita: UUID) -> UUID:
    """Three people wait for an email that is due now."""
    sequence = stage.world.sequence(rita, stage.mailbox(rita), ("PT0S",))
    stage.world.enroll(sequence, 3)
    return sequence


def hours(stage: Stage) -> OrganizationHours:
    with stage.world.database.transaction() as tx:
        return stored.of(tx, stage.world.organization_id)


def change(
    stage: Stage, sending: dict[str, Any] | None, version: str | None = None, zone: str = "UTC"
) -> Any:
    wanted = OrganizationHours(zone, sending)
    return organization_hours.change(
        stage.runtime, stage.world.organization_id, wanted, version=version, actor="Ada"
    )


def dues(stage: Stage) -> list[datetime]:
    return [each.due_at for each in stage.all(Delivery)]


def test_the_preview_counts_what_moves_and_changes_nothing(stage: Stage, sequence: UUID) -> None:
    before = dues(stage)
    report = organization_hours.preview_change(
        stage.runtime, stage.world.organization_id, OrganizationHours("UTC", CLOSED), version=None
    )
    assert report.emails == 3
    assert report.sentences()[0] == "3 planned emails get another time."
    assert report.sentences()[1].startswith("Sequence ")
    assert ": 3 emails, from " in report.sentences()[1]
    assert dues(stage) == before
    assert stage.only(Organization).sending is None
    assert not [each for each in stage.all(AuditEntry) if each.action == "organization_hours_changed"]


def test_emails_move_into_new_hours_and_back_when_they_go(stage: Stage, sequence: UUID) -> None:
    assert change(stage, CLOSED).emails == 3
    assert {(each.strftime("%a").lower(), each.hour) for each in dues(stage)} == {(CLOSED["days"][0], 9)}
    stage.send_due()
    assert not stage.left()
    assert change(stage, None).emails == 3
    stage.send_due()
    assert len(stage.left()) == 3
    said = [each.data for each in stage.all(AuditEntry) if each.action == "organization_hours_changed"]
    assert [each["emails_moved"] for each in said] == [3, 3]


def test_an_email_that_a_worker_has_when_the_hours_close_does_not_leave(stage: Stage, sequence: UUID) -> None:
    queued = stage.due()
    assert len(queued) == 3
    with ThreadPoolExecutor() as pool:
        with stage.world.database.transaction() as tx:
            stored.lock(tx, stage.world.organization_id)
            asked = pool.submit(send_step.send, stage.runtime, queued[0])
            stage.world.until_a_lock_is_waited_for()  # at its gate
            stored.replace(
                tx,
                stage.world.organization_id,
                stored.of(tx, stage.world.organization_id),
                OrganizationHours("UTC", CLOSED),
            )
        asked.result()
    for each in queued[1:]:
        send_step.send(stage.runtime, each)
    assert not stage.left()
    assert {each.reason for each in stage.all(Delivery)} == {"outside_sending_window"}
    change(stage, None)
    stage.send_due()
    assert len(stage.left()) == 2
    (begun,) = [each for each in stage.all(Delivery) if each.state != "sent"]
    assert begun.due_at > NOW + timedelta(days=1), "an email that has a draft keeps its time"


def test_paused_sequences_follow_and_archived_ones_and_emails_by_hand_stay(
    stage: Stage, rita: UUID, sequence: UUID
) -> None:
    withdraw.pause_sequence(stage.runtime, sequence, actor="Rita", reason="holidays")
    archived = stage.world.sequence(rita, stage.mailbox(rita), ("PT0S",))
    stage.world.enroll(archived)
    withdraw.archive_sequence(stage.runtime, archived, actor="Rita", reason="over")
    assert change(stage, CLOSED).emails == 3


def test_what_somebody_else_saved_meanwhile_is_not_replaced(stage: Stage, sequence: UUID) -> None:
    read = hours(stage).version
    change(stage, CLOSED, read)
    with pytest.raises(Overtaken):
        change(stage, None, read)
    assert stage.only(Organization).sending == CLOSED
    assert not change(stage, CLOSED, read).changed, "the same form sent twice"


@pytest.mark.parametrize(
    ("sending", "where"),
    [
        ({"zone": "Nowhere"}, "zone"),
        ({"from": "17:00", "to": "09:00"}, "sending.to"),
        ({"days": []}, "sending.days"),
        ({"holidays": ["Christmas"]}, "sending.holidays"),
        (
            {"holidays": [str(date(2027, 1, 1) + timedelta(days=each)) for each in range(401)]},
            "sending.holidays",
        ),
    ],
)
def test_hours_that_cannot_be_are_refused_at_their_place(
    stage: Stage, sending: dict[str, Any], where: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        change(stage, sending)
    assert refused.value.where == where


def test_hours_that_never_meet_a_sequences_are_refused_with_its_name(stage: Stage, rita: UUID) -> None:
    own: dict[str, Any] = {"zone": "UTC", "days": ["mon"], "from": "09:00", "to": "10:00", "holidays": []}
    sequence = stage.world.sequence(rita, stage.mailbox(rita), ("PT0S",), sending=own)
    stage.world.enroll(sequence)
    with pytest.raises(InvalidInput, match="could send nothing"):
        change(stage, own | {"days": ["tue"]})
    assert stage.only(Organization).sending is None
