"""Once a week every mailbox owner hears what others sent from their mailbox, and how to end it."""

from uuid import UUID

import pytest

from lab.stage import Stage
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
    world.run("UPDATE lanes SET tokens = 4")
    stage.later(60)
    stage.send_due()
    # The middle of the organization's last week, and a clock past Monday, eight o'clock. Where UTC is earlier,
    # one of these is that late.
    world.run(
        "UPDATE organizations SET time_zone = CASE WHEN extract(isodow FROM now() AT TIME ZONE 'UTC') = 1"
        " AND extract(hour FROM now() AT TIME ZONE 'UTC') < 8 THEN 'Pacific/Kiritimati' ELSE 'UTC' END WHERE id = :id",
        id=world.organization_id,
    )
    world.run(
        "UPDATE deliveries d SET sent_at = (date_trunc('week', now() AT TIME ZONE o.time_zone) - interval '4 days')"
        " AT TIME ZONE o.time_zone FROM organizations o WHERE o.id = d.organization_id AND d.state = 'sent'"
    )
    assert len(stage.left()) == 5
    return hans


def tell(stage: Stage) -> None:
    digests.notify(stage.world.database)
    stage.run_outbox()


def test_a_week_is_told_once_with_numbers_and_a_way_to_end_it(stage: Stage, hans: UUID) -> None:
    tell(stage)
    tell(stage)
    rows = stage.world.rows(
        "SELECT title, body, links FROM notices WHERE owner_id = :id AND channel = 'in_app'", id=hans
    )
    ((title, body, links),) = rows
    (grant,) = stage.world.rows("SELECT id FROM grants")[0]
    assert str(title).startswith("Sent in your name, ")
    assert "- Rita Recruiter: 3 emails in " in str(body)
    assert links == [["End the permission of Rita Recruiter", f"/settings/sequences/grants/{grant}/revoke"]]
    assert "Hans Holder" not in str(body)
    assert len(stage.left("smtp")) == 1


def test_nothing_is_told_where_nothing_was_sent_in_somebodys_name(stage: Stage, hans: UUID) -> None:
    stage.world.run("UPDATE deliveries SET sent_at = sent_at - interval '14 days' WHERE state = 'sent'")
    tell(stage)
    assert stage.notices() == []


def test_an_ended_permission_has_no_link(stage: Stage, hans: UUID) -> None:
    stage.world.run("UPDATE grants SET archived_at = now(), archived_reason = 'revoked'")
    tell(stage)
    ((body, links),) = stage.world.rows(
        "SELECT body, links FROM notices WHERE owner_id = :id AND channel = 'in_app'", id=hans
    )
    assert "3 emails" in str(body)
    assert links == []
