"""One incident for each cause and owner: it closes by itself, and goes to somebody else, once, if nobody reads it."""

from uuid import UUID

import pytest

from actions import incidents as actions
from actions import resume, withdraw
from db.events import events, notices
from db.views.incidents import Viewer
from domain.errors import NotFound
from lab.access_records import Mailbox, Member, Organization
from lab.records import AuditEntry, Event, Notice, Sequence
from lab.stage import Stage
from scheduler import incidents

_OPENED = ("opened_at",)


@pytest.fixture
def rita(stage: Stage) -> UUID:
    """Rita, whose three sequences have lost Hans' permission."""
    hans, rita = stage.world.member("Hans Holder"), stage.world.member("Rita Recruiter")
    box = stage.mailbox(hans)
    grant = stage.world.grant(box, rita)
    for _ in range(3):
        stage.world.enroll(stage.world.sequence(rita, box), 2)
    withdraw.revoke_grant(stage.runtime, grant, actor="Hans Holder")
    stage.run_outbox()
    return rita


def examine(stage: Stage) -> None:
    incidents.examine(stage.world.database)
    stage.run_outbox()


def incident(stage: Stage, owner: UUID) -> Notice:
    (found,) = [each for each in stage.all(Notice, owner_id=owner) if each.opened_at is not None]
    return found


def told(stage: Stage, member: UUID) -> list[str]:
    return [each.title for each in stage.all(Notice, owner_id=member, channel="in_app")]


def test_three_sequences_are_one_incident_and_it_stays_open_while_one_of_them_is_paused(
    stage: Stage, rita: UUID
) -> None:
    box = stage.only(Mailbox).id
    stage.world.grant(box, rita)
    first, *others = [each.id for each in stage.all(Sequence)]
    resume.resume_sequence(stage.runtime, first, actor="Rita Recruiter")
    examine(stage)
    assert incident(stage, rita).closed_at is None
    for each in others:
        resume.resume_sequence(stage.runtime, each, actor="Rita Recruiter")
    examine(stage)
    assert incident(stage, rita).closed_at is not None


def test_what_is_no_trouble_is_no_incident(stage: Stage, rita: UUID) -> None:
    hans = stage.only(Member, name="Hans Holder").id
    assert [each.opened_at for each in stage.all(Notice) if each.owner_id == hans] == []
    assert [each.channel for each in stage.all(Notice) if each.opened_at] == ["in_app"]


def test_unread_for_a_day_it_goes_to_the_admins_once(stage: Stage, rita: UUID) -> None:
    ada = stage.world.member("Ada Novak", role="admin")
    stage.older(Notice, *_OPENED, hours=23)
    examine(stage)
    assert told(stage, ada) == []
    stage.older(Notice, *_OPENED, hours=1)
    for _ in range(3):
        examine(stage)
    (title,) = told(stage, ada)
    assert title.startswith("Rita Recruiter has not read: ")
    assert incident(stage, rita).escalated_at is not None
    assert stage.count(AuditEntry, action="incident_escalated") == 1


def test_it_goes_to_the_backup_and_not_to_the_admins(stage: Stage, rita: UUID) -> None:
    ada, theo = stage.world.member("Ada Novak", role="admin"), stage.world.member("Theo Marsh")
    stage.put(Member, rita, backup_id=theo)
    stage.older(Notice, *_OPENED, hours=25)
    examine(stage)
    assert (len(told(stage, theo)), told(stage, ada)) == (1, [])


def test_a_backup_who_has_left_is_passed_over(stage: Stage, rita: UUID) -> None:
    ada, theo = stage.world.member("Ada Novak", role="admin"), stage.world.member("Theo", active=False)
    stage.put(Member, rita, backup_id=theo)
    stage.older(Notice, *_OPENED, hours=25)
    examine(stage)
    assert (told(stage, theo), len(told(stage, ada))) == ([], 1)


@pytest.mark.parametrize("hours", [2, 48])
def test_how_long_is_the_organizations_setting(stage: Stage, rita: UUID, hours: int) -> None:
    ada = stage.world.member("Ada Novak", role="admin")
    actions.set_unread_hours(stage.runtime, stage.world.organization_id, hours, actor="Ada Novak")
    assert stage.only(Organization).unread_hours == hours
    stage.older(Notice, *_OPENED, hours=hours - 1)
    examine(stage)
    assert told(stage, ada) == []
    stage.older(Notice, *_OPENED, hours=2)
    examine(stage)
    assert len(told(stage, ada)) == 1


@pytest.mark.parametrize("seen", ["read", "acknowledged"])
def test_what_somebody_has_seen_goes_to_nobody_else(stage: Stage, rita: UUID, seen: str) -> None:
    ada = stage.world.member("Ada Novak", role="admin")
    found = incident(stage, rita)
    if seen == "read":
        stage.put(Notice, found.id, read_at=found.opened_at)
    else:
        viewer = Viewer(stage.world.organization_id, rita, manages=False)
        assert actions.acknowledge(stage.runtime, viewer, found.id, actor="Rita Recruiter")
        assert not actions.acknowledge(stage.runtime, viewer, found.id, actor="Rita Recruiter")
        assert incident(stage, rita).acknowledged_by == "Rita Recruiter"
        assert stage.count(AuditEntry, action="incident_acknowledged") == 1
    stage.older(Notice, *_OPENED, hours=99)
    examine(stage)
    assert told(stage, ada) == []


def test_a_lost_mailbox_is_its_owners_incident_until_it_works_again(stage: Stage) -> None:
    hans = stage.world.member("Hans Holder")
    box = stage.mailbox(hans)
    stage.emulator.control.add_mailboxes({"address": stage.address(box), "refusal": "50173"})
    stage.check_mailboxes()
    assert incident(stage, hans).closed_at is None
    examine(stage)
    assert incident(stage, hans).closed_at is None
    stage.put(Mailbox, box, status="connected", status_reason=None, connection_version=2)
    examine(stage)
    assert incident(stage, hans).closed_at is not None


def test_only_who_may_see_an_incident_acknowledges_it(stage: Stage, rita: UUID) -> None:
    mona, ada = stage.world.member("Mona"), stage.world.member("Ada", role="admin")
    found, organization = incident(stage, rita).id, stage.world.organization_id
    with pytest.raises(NotFound):
        actions.acknowledge(stage.runtime, Viewer(organization, mona, manages=False), found, actor="Mona")
    whole = Viewer(organization, ada, manages=True, whole=True)
    assert actions.acknowledge(stage.runtime, whole, found, actor="Ada")


def test_an_incident_that_comes_back_is_open_and_unread_again(stage: Stage, rita: UUID) -> None:
    found = incident(stage, rita)
    stage.put(
        Notice, found.id, read_at=found.opened_at, closed_at=found.opened_at, escalated_at=found.opened_at
    )
    with stage.world.database.transaction() as tx:
        event = events.load(tx, stage.only(Event, kind="GrantRevoked").id)
        assert event is not None
        notices.write_in_app(tx, event, rita)
    again = incident(stage, rita)
    assert (again.closed_at, again.read_at, again.escalated_at) == (None, None, None)
    assert found.opened_at is not None
    assert again.opened_at is not None
    assert again.opened_at > found.opened_at
