"""Team: who is there, who may name whom, and what ends when somebody leaves; by page, API and command."""

from uuid import UUID

import pytest

from lab.access_records import Grant, Member, Withdrawal
from lab.factories import World
from lab.records import AuditEntry, Sequence
from lab.stage import Stage
from tests.commands.test_cli import Cli, cli  # noqa: F401 - a fixture
from tests.web.test_api import Api, api, client  # noqa: F401 - fixtures
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of

HERE = "/settings/team"


@pytest.fixture
def edda(stage: Stage) -> UUID:
    """The owner."""
    edda = member(stage, "Edda Halden")
    stage.put(Member, edda, role="owner")
    return edda


@pytest.fixture
def ada(stage: Stage) -> UUID:
    """An admin."""
    ada = member(stage, "Ada Novak")
    stage.put(Member, ada, role="admin")
    return ada


@pytest.fixture
def hans(stage: Stage) -> UUID:
    """Two people wait for an email from his mailbox, in the sequence of Rita, whom he permits it."""
    hans = member(stage, "Hans Holder")
    rita = stage.world.member("Rita Recruiter")
    box = stage.mailbox(hans)
    stage.world.grant(box, rita)
    stage.world.enroll(stage.world.sequence(rita, box, ("P1D",)), 2)
    return hans


def visit(stage: Stage, who: UUID, path: str = HERE) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, who)).get(path)


def role_of(stage: Stage, who: UUID) -> str:
    return stage.only(Member, who).role


def said(stage: Stage, action: str) -> list[tuple[str, object]]:
    return [(each.actor_name, each.data) for each in stage.all(AuditEntry, action=action)]


def test_the_page_is_for_owners_and_admins(stage: Stage, ada: UUID, hans: UUID) -> None:
    assert "Hans Holder" in visit(stage, ada).text
    assert visit(stage, hans).status == 403
    other = World(stage.world.database).member("Somebody Else")
    assert visit(stage, ada, f"{HERE}/{other}/end").status == 404
    assert visit(stage, ada, f"{HERE}/{other}/role").status == 404


def test_an_owner_makes_somebody_an_admin_once(stage: Stage, edda: UUID, hans: UUID) -> None:
    visitor = visit(stage, edda, f"{HERE}/{hans}/role")
    visitor.send(f"{HERE}/{hans}/role", role="admin", was="member").follow()
    assert "Hans Holder is Admin now." in visitor.text
    visitor.send(f"{HERE}/{hans}/role", role="admin", was="member").follow()
    assert "Hans Holder was that before." in visitor.text
    assert said(stage, "member_role_changed") == [("Edda Halden", {"before": "member", "after": "admin"})]


def test_an_admin_names_nobody(stage: Stage, edda: UUID, ada: UUID, hans: UUID) -> None:
    visitor = visit(stage, ada)
    assert "Change role" not in visitor.text
    assert visitor.send(f"{HERE}/{hans}/role", role="admin", was="member").status == 422
    assert visitor.send(f"{HERE}/{edda}/role", role="member", was="owner").status == 422
    assert visitor.send(f"{HERE}/add", name="Bo", email="bo@acme.example", role="owner").status == 422
    assert (role_of(stage, hans), role_of(stage, edda)) == ("member", "owner")


def test_what_two_owners_decide_at_once_is_not_lost_silently(stage: Stage, edda: UUID, hans: UUID) -> None:
    visitor = visit(stage, edda, f"{HERE}/{hans}/role")
    stage.put(Member, hans, role="owner")  # by somebody else
    visitor.send(f"{HERE}/{hans}/role", role="admin", was="member")
    assert visitor.status == 422
    assert "Somebody else made Hans Holder owner meanwhile. Nothing was changed." in visitor.text
    assert role_of(stage, hans) == "owner"


def test_the_last_owner_stays_one(stage: Stage, edda: UUID, api: Api) -> None:  # noqa: F811
    visitor = visit(stage, edda, f"{HERE}/{edda}/role")
    assert visitor.send(f"{HERE}/{edda}/role", role="member", was="owner").status == 422
    assert "keeps at least one owner" in visitor.text
    assert api.post(f"/members/{edda}/role", {"role": "member"}).status_code == 409


def test_somebody_is_added_once_and_can_be_found(stage: Stage, ada: UUID) -> None:
    visitor = visit(stage, ada)
    visitor.send(f"{HERE}/add", name=" Bo  Lind ", email="Bo.Lind@acme.example", role="member").follow()
    assert "can sign in now" in visitor.text
    assert [each.email for each in stage.all(Member, name="Bo Lind")] == ["bo.lind@acme.example"]
    again = visitor.send(f"{HERE}/add", name="Bo", email="bo.lind@acme.example", role="member")
    assert again.status == 422
    assert "Somebody in the team has this address." in again.text
    assert 'value="bo.lind@acme.example"' in again.text
    found = visitor.get(f"{HERE}?q=bo.lind").text.split("Members, by name")[1]
    assert "Bo Lind" in found
    assert "Ada Novak" not in found.split("Add a person")[0]


@pytest.mark.parametrize(
    ("name", "email"), [("", "bo@acme.example"), ("Bo", "not an address"), ("x" * 101, "bo@acme.example")]
)
def test_what_is_no_member_is_refused_beside_its_field(
    stage: Stage, ada: UUID, name: str, email: str
) -> None:
    visitor = visit(stage, ada).send(f"{HERE}/add", name=name, email=email, role="member")
    assert visitor.status == 422
    assert 'aria-invalid="true"' in visitor.text


def test_a_departure_is_previewed_done_once_and_its_result_can_be_opened_again(
    stage: Stage, ada: UUID, hans: UUID
) -> None:
    visitor = visit(stage, ada, f"{HERE}/{hans}/end")
    assert "1 sequence with 2 people waiting" in visitor.text
    assert "given to <bdi>Rita Recruiter</bdi>" in visitor.text
    assert stage.only(Member, hans).active
    visitor.send(f"{HERE}/{hans}/end").follow()
    assert "Hans Holder is no longer active" in visitor.text
    assert "2 emails" in visitor.text
    assert not stage.only(Member, hans).active
    assert [each.archived_reason for each in stage.all(Grant)] == ["member_deactivated"]
    result = visitor.get(f"{HERE}/{hans}/end").url
    assert result == f"/withdrawals/{stage.only(Withdrawal).id}"
    assert visitor.send(f"{HERE}/{hans}/end").url == result
    stage.run_outbox()
    assert stage.only(Sequence).status == "paused"
    assert "Hans Holder" in visitor.get(f"{HERE}?which=left").text


def test_somebody_comes_back_without_what_ended(stage: Stage, ada: UUID, hans: UUID) -> None:
    visitor = visit(stage, ada)
    visitor.send(f"{HERE}/{hans}/end")
    visitor.send(f"{HERE}/{hans}/return").follow()
    assert "Hans Holder can sign in again." in visitor.text
    assert stage.only(Member, hans).active
    assert [each.archived_reason for each in stage.all(Grant)] == ["member_deactivated"]


def test_nobody_ends_their_own_access_or_an_owners_as_an_admin(stage: Stage, ada: UUID, edda: UUID) -> None:
    visitor = visit(stage, ada)
    for who in (ada, edda):
        assert visitor.send(f"{HERE}/{who}/end").status == 403
        assert visitor.get(f"{HERE}/{who}/end").status == 403
        assert stage.only(Member, who).active


def test_the_api_and_the_command_do_the_same(stage: Stage, hans: UUID, api: Api, cli: Cli) -> None:  # noqa: F811
    added = api.post("/members", {"name": "Bo Lind", "email": "bo@acme.example"}, once="a")
    assert added.status_code == 201
    assert (
        api.post("/members", {"name": "Bo Lind", "email": "bo@acme.example"}, once="a").json() == added.json()
    )
    assert api.post("/members", {"name": "Bo", "email": "bo@acme.example"}).status_code == 422
    changed = api.post(f"/members/{hans}/role", {"role": "admin", "was": "member"}).json()
    assert changed == {"id": str(hans), "role": "admin", "changed": True}
    assert api.post(f"/members/{hans}/role", {"role": "owner", "was": "member"}).status_code == 409
    name = f"Organization {stage.world.organization_id}"
    assert cli("member", "role", email_of(stage, hans), "member").exit_code == 0
    assert cli("member", "add", name, "Cy Marsh", "cy@acme.example", "--role", "admin").exit_code == 0
    assert (role_of(stage, hans), stage.only(Member, email="cy@acme.example").role) == ("member", "admin")
    assert cli("member", "add", name, "Cy Marsh", "cy@acme.example").exit_code == 2
