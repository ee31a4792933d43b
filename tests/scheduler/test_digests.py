"""Once a week every mailbox owner hears what others sent from their mailbox, and how to end it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from lab.access_records import Grant, Lane, Organization
from lab.records import Delivery, Notice
from lab.stage import Stage
from lab.tables import ago
from scheduler import digests


@pytest.fixture
def hans(stage: Stage) -> UUID:
    """Hans. Rita sent three emails from his mailbox last week, on his permission."""
    world = stage.world
    hans, rita = world.member("Hans Holder"), world.member("Rita Recruiter")
    box = stage.mailbox(hans)
    world.grant(box, rita)
    world.enroll(world.sequence(rita, box), 3)
    world.enroll(world.sequence(hans, box), 2)
    stage.send_due()
    world.put(Lane, tokens=4)
    stage.later(60)
    stage.send_due()
    # The middle of the organization's last week, and a clock past Monday, eight o'clock. Where UTC is earlier,
    # one of these is that late.
    now = datetime.now(UTC)
    zone = "Pacific/Kiritimati" if now.isoweekday() == 1 and now.hour < 8 else "UTC"
    today = now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    world.put(Organization, world.organization_id, time_zone=zone)
    world.put(Delivery, where={"state": "sent"}, sent_at=today - timedelta(days=today.weekday() + 4))
    assert len(stage.left()) == 5
    return hans


def tell(stage: Stage) -> None:
    digests.notify(stage.world.database)
    stage.run_outbox()


def test_a_week_is_told_once_with_numbers_and_a_way_to_end_it(stage: Stage, hans: UUID) -> None:
    tell(stage)
    tell(stage)
    notice = stage.only(Notice, owner_id=hans, channel="in_app")
    grant = stage.only(Grant).id
    assert notice.title.startswith("Sent in your name, ")
    assert "- Rita Recruiter: 3 emails in " in notice.body
    assert notice.links == [
        ["Show each with its receipt", "/settings/sent"],
        ["End the permission of Rita Recruiter", f"/settings/sequences/grants/{grant}/revoke"],
    ]
    assert "Hans Holder" not in notice.body
    assert len(stage.left("smtp")) == 1


def test_nothing_is_told_where_nothing_was_sent_in_somebodys_name(stage: Stage, hans: UUID) -> None:
    stage.older(Delivery, "sent_at", where={"state": "sent"}, days=14)
    tell(stage)
    assert stage.notices() == []


def test_an_ended_permission_has_no_link_to_end_it(stage: Stage, hans: UUID) -> None:
    stage.put(Grant, archived_at=ago(), archived_reason="revoked")
    tell(stage)
    notice = stage.only(Notice, owner_id=hans, channel="in_app")
    assert "3 emails" in notice.body
    assert notice.links == [["Show each with its receipt", "/settings/sent"]]
