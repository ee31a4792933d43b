"""Incidents on pages and over the API: where they are, what somebody can do about them, and who may."""

from uuid import UUID

import httpx
import pytest

from actions import withdraw
from lab.access_records import Member, Organization
from lab.records import Notice
from lab.stage import Stage
from scheduler import incidents
from tests.web.test_api import Api, client, key_of  # noqa: F401 - fixtures
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of


@pytest.fixture
def rita(stage: Stage) -> UUID:
    """Rita, whose sequence has lost Hans' permission."""
    hans, rita = stage.world.member("Hans Holder"), member(stage, "Rita Recruiter")
    box = stage.mailbox(hans)
    grant = stage.world.grant(box, rita)
    stage.world.enroll(stage.world.sequence(rita, box), 2)
    withdraw.revoke_grant(stage.runtime, grant, actor="Hans Holder")
    stage.run_outbox()
    return rita


def admin(stage: Stage) -> UUID:
    ada = member(stage, "Ada Novak")
    stage.put(Member, ada, role="admin")
    return ada


def incident(stage: Stage) -> Notice:
    (found,) = [each for each in stage.all(Notice) if each.opened_at is not None]
    return found


def signed_in(stage: Stage, member_id: UUID) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, member_id))


def test_it_is_on_both_pages_with_its_remedy_and_is_acknowledged_once(stage: Stage, rita: UUID) -> None:
    found, visitor = incident(stage), signed_in(stage, rita)
    visitor.get("/attention")
    assert found.title in visitor.text
    assert found.links[0][1].replace("&", "&amp;") in visitor.text
    assert "The admins hear of it" in visitor.text
    visitor.send(f"/attention/incidents/{found.id}/acknowledge").follow()
    assert "Acknowledged. It closes by itself once it is over." in visitor.text
    assert "acknowledged by" in visitor.text
    visitor.get("/notifications")
    assert "Acknowledged" in visitor.text
    visitor.get("/attention").send(f"/attention/incidents/{found.id}/acknowledge", None).follow()
    assert "Already acknowledged, or closed." in visitor.text


def test_others_neither_see_nor_acknowledge_it_and_admins_do(stage: Stage, rita: UUID) -> None:
    found = incident(stage)
    mona = signed_in(stage, member(stage, "Mona"))
    assert found.title not in mona.get("/attention").text
    assert mona.send(f"/attention/incidents/{found.id}/acknowledge", None).status == 404
    ada = signed_in(stage, admin(stage))
    assert found.title not in ada.get("/attention").text
    assert found.title in ada.get("/attention?whose=all").text
    ada.send(f"/attention/incidents/{found.id}/acknowledge").follow()
    assert incident(stage).acknowledged_by == "Ada Novak"


@pytest.mark.parametrize("left", [False, True])
def test_what_nobody_read_is_with_whoever_hears_of_it_next(stage: Stage, rita: UUID, left: bool) -> None:
    ada, theo = admin(stage), member(stage, "Theo Marsh")
    found = incident(stage)
    stage.put(Member, rita, backup_id=theo)
    if left:
        stage.put(Member, theo, active=False, deactivated_at=found.opened_at)
    stage.older(Notice, "opened_at", hours=25)
    incidents.examine(stage.world.database)
    stage.run_outbox()
    hears = signed_in(stage, ada if left else theo).get("/attention")
    assert found.title in hears.text
    assert "Rita Recruiter" in hears.text
    if not left:
        assert found.title not in signed_in(stage, ada).get("/attention").text


def test_admins_set_how_long_an_incident_may_stay_unread(stage: Stage, rita: UUID) -> None:
    ada = signed_in(stage, admin(stage))
    ada.get("/attention?whose=all").send("/attention/hours", hours="500", whose="all")
    assert ada.status == 422
    assert "Give 1 to 168 hours" in ada.text
    ada.get("/attention?whose=all").send("/attention/hours", hours="4", whose="all").follow()
    assert stage.only(Organization).unread_hours == 4
    assert signed_in(stage, rita).get("/attention").send("/attention/hours", None, hours="5").status == 403


def test_programs_list_and_acknowledge_them(stage: Stage, rita: UUID, client: httpx.Client) -> None:  # noqa: F811
    api = Api(client, key_of(stage.world, "read", "manage"))
    (listed,) = api.get("/attention").json()["incidents"]
    assert (listed["id"], listed["state"]) == (str(incident(stage).id), "open")
    path = f"/attention/incidents/{listed['id']}/acknowledge"
    assert api.post(path, {}).json()["acknowledged"] is True
    assert api.post(path, {}).json()["acknowledged"] is False
    assert api.post("/attention/settings", {"unread_hours": 6}).json() == {"unread_hours": 6}
    assert stage.only(Organization).unread_hours == 6
