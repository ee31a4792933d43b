"""Holds by page and API: each member of what is theirs, admins of their organization, and nobody of what an operator holds."""

import re
from uuid import UUID, uuid4

import httpx
import pytest

from actions import holds
from db.withdrawing.holds import Whose
from domain.holds import Level
from lab.access_records import HoldRow
from lab.factories import World
from lab.stage import Stage
from tests.web.test_api import Api, client, is_problem, key_of  # noqa: F401 - fixtures
from tests.web.visitor import Visitor, email_of, known_account

HERE = "/settings/holds"


class Office:
    """Hans' mailbox, from which two emails of Rita's are due; Ada is an admin."""

    def __init__(self, stage: Stage) -> None:
        world = stage.world
        self.stage = stage
        self.hans, self.rita = world.member("Hans Holder"), world.member("Rita Recruiter")
        self.ada = world.member("Ada Novak", role="admin")
        for each in (self.hans, self.rita, self.ada):
            known_account(stage, email_of(stage, each))
        self.box = stage.mailbox(self.hans)
        world.grant(self.box, self.rita)
        world.enroll(world.sequence(self.rita, self.box), 2)

    def visit(self, member: UUID, path: str = HERE) -> Visitor:
        return Visitor(self.stage).sign_in(email_of(self.stage, member)).get(path)

    def held_by_operators(self, mailbox: UUID | None) -> None:
        whose = Whose(self.stage.world.organization_id, mailbox)
        holds.hold(
            self.stage.runtime, whose, level=Level.OPERATOR, actor="operator olga", reason="an investigation"
        )


@pytest.fixture
def office(stage: Stage) -> Office:
    return Office(stage)


def test_a_mailboxs_owner_holds_it_sees_it_everywhere_and_releases_it(stage: Stage, office: Office) -> None:
    hans = office.visit(office.hans)
    assert "Nothing is held." in hans.text
    assert hans.text.count("<option") == 1
    result = hans.send(HERE, what=str(office.box), reason="a wrong signature").follow()
    assert f"{stage.address(office.box)} is held" in result.text
    assert re.search(r"<dt>Waiting</dt>\s*<dd>2 emails</dd>", result.text)
    assert stage.send_due() == 0
    for path in (HERE, "/settings/sequences"):
        assert "by Hans Holder: a wrong signature. It lasts until it is released." in hans.get(path).text
    outbox = office.visit(office.rita, "/outbox").text
    assert outbox.count("Hans Holder holds the mailbox: a wrong signature.") == 2
    assert "is held since" in office.visit(office.rita, "/sequences").text
    released = hans.get(HERE).send(f"{HERE}/release", what=str(office.box)).follow()
    assert "It is released. Emails go on by themselves." in released.text
    assert stage.send_due() == 2


def test_who_owns_no_mailbox_and_is_no_admin_holds_nothing(stage: Stage, office: Office) -> None:
    rita = office.visit(office.rita)
    assert "<select" not in rita.text
    for what in (str(office.box), "organization", str(uuid4()), "", "x"):
        refused = rita.get(HERE).send(HERE, what=what, reason="because")
        assert refused.status == 422
    holds.hold(
        stage.runtime,
        Whose(stage.world.organization_id, office.box),
        level=Level.OWNER,
        actor="Hans Holder",
        reason="a wrong signature",
    )
    assert "Nothing is held." in rita.get(HERE).text  # another's mailbox
    assert rita.send(f"{HERE}/release", what=str(office.box)).status == 403
    assert stage.send_due() == 0


def test_an_admin_holds_any_mailbox_and_the_organization_until_a_time(stage: Stage, office: Office) -> None:
    ada = office.visit(office.ada)
    ada.send(HERE, what="organization", reason="the offers changed", until="2199-01-01T09:00").follow()
    assert "All sending of" in ada.text
    row = stage.only(HoldRow)
    assert (row.level, row.mailbox_id, row.until and row.until.year) == ("admin", None, 2199)
    hans = office.visit(office.hans)
    assert "The organization&#39;s owners and admins can release it." in hans.text
    assert f"{HERE}/release" not in hans.text
    ada.get(HERE).send(HERE, what=str(office.box), reason="a wrong signature").follow()
    ada.get(HERE).send(f"{HERE}/release", what="organization").follow()
    assert stage.send_due() == 0
    ada.get(HERE).send(f"{HERE}/release", what=str(office.box)).follow()
    assert stage.send_due() == 2


def test_what_an_operator_holds_no_page_and_no_program_releases(
    stage: Stage,
    office: Office,
    client: httpx.Client,  # noqa: F811
) -> None:
    office.held_by_operators(office.box)
    for member in (office.hans, office.ada):
        visitor = office.visit(member)
        assert "Only Onbehalf&#39;s operators can release it." in visitor.text
        assert f"{HERE}/release" not in visitor.text
        refused = visitor.send(f"{HERE}/release", what=str(office.box))
        assert refused.status == 403
        assert "operator olga holds it." in refused.text
    api = Api(client, key_of(stage.world, "read", "manage"))
    assert "Only Onbehalf's operators" in is_problem(api.post(f"/mailboxes/{office.box}/release"), 409)
    assert stage.send_due() == 0


def test_a_refused_form_keeps_what_was_typed(stage: Stage, office: Office) -> None:
    hans = office.visit(office.hans)
    refused = hans.send(HERE, what=str(office.box), reason="a wrong signature", until="2001-01-01T09:00")
    assert refused.status == 422
    assert "That time has passed." in refused.text
    assert 'value="a wrong signature"' in refused.text
    assert stage.count(HoldRow) == 0


def test_programs_hold_release_and_list(
    stage: Stage,
    office: Office,
    client: httpx.Client,  # noqa: F811
) -> None:
    api = Api(client, key_of(stage.world, "read", "manage"))
    held = api.post(f"/mailboxes/{office.box}/hold", {"reason": "a wrong text"}, once="k").json()
    assert (held["stopped"], held["complete"]) == (2, True)
    assert api.post(f"/mailboxes/{office.box}/hold", {"reason": "a wrong text"}, once="k").json() == held
    api.post("/organization/hold", {"reason": "a wrong text", "until": "2199-01-01T09:00:00+01:00"})
    listed = api.get("/holds").json()["items"]
    assert [(each["mailbox_id"], each["until"], each["level"]) for each in listed] == [
        (None, "2199-01-01T08:00:00Z", "admin"),
        (str(office.box), None, "admin"),
    ]
    assert api.post("/organization/release").json() == {"ended": True, "left": None}
    assert stage.send_due() == 0
    assert api.post(f"/mailboxes/{office.box}/release").json() == {"ended": True, "left": None}
    assert api.post(f"/mailboxes/{office.box}/release").json()["ended"] is False
    assert stage.send_due() == 2
    is_problem(api.post("/organization/hold", {"reason": ""}), 422)
    is_problem(Api(client, key_of(stage.world, "read")).post("/organization/hold", {"reason": "x"}), 403)


def test_nobody_holds_or_sees_what_is_anothers(
    stage: Stage,
    office: Office,
    client: httpx.Client,  # noqa: F811
) -> None:
    office.held_by_operators(office.box)
    other = World(stage.world.database)
    stranger = Api(client, key_of(other, "read", "manage"))
    is_problem(stranger.post(f"/mailboxes/{office.box}/hold", {"reason": "x"}), 404)
    is_problem(stranger.post(f"/mailboxes/{office.box}/release"), 404)
    assert stranger.get("/holds").json()["items"] == []
