"""A sequence is handed over on pages, by the API and by command: whoever takes it over accepts; an admin does it for a leaver."""

import re
from uuid import UUID

import pytest

from actions import handovers, withdraw
from domain.handover import TakeOver
from lab.access_records import Member
from lab.factories import World
from lab.records import HandoverRequest, Sequence
from lab.stage import Stage
from tests.commands.test_cli import Cli, cli, ok  # noqa: F401 - fixtures
from tests.web.test_api import Api, api, client  # noqa: F401 - fixtures
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of


class Office:
    """Theo's sequence has two people, who had the first of two steps. Rita has a mailbox of her own, and Ada is an admin."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.theo, self.rita, self.ada = (
            member(stage, name) for name in ("Theo Marsh", "Rita Recruiter", "Ada Novak")
        )
        stage.put(Member, self.ada, role="admin")
        self.theos, self.ritas = stage.mailbox(self.theo), stage.mailbox(self.rita)
        self.sequence = stage.world.sequence(self.theo, self.theos, ("PT0S", "P1D"))
        stage.world.enroll(self.sequence, 2)
        stage.send_due()
        self.here = f"/sequences/{self.sequence}/hand-over"

    def visit(self, who: UUID, path: str = "/sequences") -> Visitor:
        return Visitor(self.stage).sign_in(email_of(self.stage, who)).get(path)

    def present(self) -> tuple[UUID, UUID, str]:
        found = self.stage.only(Sequence, self.sequence)
        return found.owner_id, found.mailbox_id, found.status

    def version(self, visitor: Visitor) -> str:
        (found,) = re.findall('name="version" value="([^"]+)"', visitor.text)
        return str(found)

    def asked(self) -> str:
        """Theo asks Rita on pages; returns the path of the request."""
        visitor = self.visit(self.theo, f"{self.here}?to={self.rita}")
        visitor.send(self.here, to=str(self.rita), words="From May on").follow()
        assert "Asked. It stays as it is until they accept." in visitor.text
        return f"/handovers/{self.stage.only(HandoverRequest).id}"


@pytest.fixture
def office(stage: Stage) -> Office:
    return Office(stage)


def test_somebody_asks_and_whoever_takes_over_accepts_with_a_preview(stage: Stage, office: Office) -> None:
    request = office.asked()
    visitor = office.visit(office.rita)
    assert "Theo Marsh asks you to take over" in visitor.text
    visitor.get(request)
    assert "From May on" in visitor.text
    assert "<dt>New thread</dt><dd>2 people" in visitor.text
    assert "I am taking over from Theo Marsh, who wrote to you before." in visitor.text
    assert office.present() == (office.theo, office.theos, "active")
    visitor.send(f"{request}/accept", sender=str(office.ritas), introduction="I write now.").follow()
    assert "is handed over" in visitor.text
    assert "nothing can leave now" in visitor.text
    assert office.present() == (office.rita, office.ritas, "paused")
    assert "was accepted already" in visitor.send(f"{request}/accept").follow().text
    assert "it was handed over" in visitor.get(f"/sequences/{office.sequence}").text
    visitor.get(f"/sequences/{office.sequence}/resume").send(f"/sequences/{office.sequence}/resume")
    stage.later(90_000)
    stage.send_due()
    assert "I write now." in stage.left()[-1].body
    assert stage.left()[-1].mailbox == stage.address(office.ritas)


def test_another_sender_shows_what_it_means_first(stage: Stage, office: Office) -> None:
    request = office.asked()
    visitor = office.visit(office.rita, request)
    visitor.send(f"{request}/accept", sender="", do="show").follow()
    assert "The sequence stays paused until it has another sender." in visitor.text
    assert "<dt>Same thread</dt><dd>2 people" in visitor.text
    assert office.present()[0] == office.theo


def test_whoever_is_asked_declines_once(stage: Stage, office: Office) -> None:
    request = office.asked()
    visitor = office.visit(office.rita, request)
    assert "Declined." in visitor.send(f"{request}/decline").follow().text
    assert "was declined already" in visitor.get(request).follow().text
    assert office.present() == (office.theo, office.theos, "active")


def test_whoever_asked_cancels(stage: Stage, office: Office) -> None:
    request = office.asked()
    visitor = office.visit(office.theo, f"/sequences/{office.sequence}")
    assert "Rita Recruiter is asked to take this sequence over" in visitor.text
    assert (
        "Request to Rita Recruiter cancelled."
        in visitor.get(office.here).send(f"{request}/cancel").follow().text
    )
    assert stage.only(HandoverRequest).status == "cancelled"


@pytest.mark.parametrize(("status", "page"), [("active", "resume"), ("draft", "activate")])
def test_a_sequence_of_somebody_deactivated_leads_to_its_hand_over(
    stage: Stage, office: Office, status: str, page: str
) -> None:
    stage.put(Sequence, office.sequence, status=status)
    path = f"/sequences/{office.sequence}/{page}"
    assert f'href="{office.here}"' not in office.visit(office.ada, path).text
    withdraw.deactivate_member(stage.runtime, office.theo, actor="ada")
    stage.run_outbox()
    visitor = office.visit(office.ada, path)
    assert "is deactivated. Hand the sequence over, or reactivate them." in visitor.text
    assert f'href="{office.here}">Hand over' in visitor.text


def test_what_is_typed_wrong_is_kept_and_named(stage: Stage, office: Office) -> None:
    request = office.asked()
    visitor = office.visit(office.rita, request)
    visitor.send(f"{request}/accept", sender=str(office.ritas), introduction="Hi {{first_name}}")
    assert visitor.status == 422
    assert "Fields and markup do not work here." in visitor.text
    assert 'value="Hi {{first_name}}"' in visitor.text
    assert office.present()[0] == office.theo


def test_an_admin_takes_over_at_once_and_a_second_click_does_nothing_more(
    stage: Stage, office: Office
) -> None:
    visitor = office.visit(office.ada, f"{office.here}?to={office.ada}")
    version = office.version(visitor)
    for _ in range(2):
        visitor.send(office.here, to=str(office.ada), sender="", version=version)
        assert visitor.status == 303
    assert office.present() == (office.ada, office.theos, "paused")


def test_of_two_who_hand_over_at_once_the_second_reads_so(stage: Stage, office: Office) -> None:
    stage.world.grant(office.ritas, office.theo)
    visitor = office.visit(office.theo, f"{office.here}?to={office.theo}")
    version = office.version(visitor)
    handovers.hand_over(
        stage.runtime, office.sequence, office.ada, TakeOver(None), by=office.ada, actor="Ada Novak"
    )
    stage.put(Member, office.theo, role="admin")  # so that he still sees it
    visitor.send(office.here, to=str(office.theo), sender=str(office.ritas), version=version)
    assert visitor.status == 409
    assert office.present()[0] == office.ada


def test_others_see_neither_the_sequence_nor_the_request(stage: Stage, office: Office) -> None:
    request = office.asked()
    hans = member(stage, "Hans Holder")
    visitor = office.visit(hans)
    assert visitor.get(office.here).status == 404
    assert visitor.get(request).status == 404
    for verb in ("accept", "decline", "cancel"):
        assert visitor.get("/sequences").send(f"{request}/{verb}").status == 404
    stranger = World(stage.world.database).member("Somebody Else")
    assert (
        "has left or is not in your organization"
        in office.visit(office.theo, f"{office.here}?to={stranger}").text
    )
    assert office.present()[0] == office.theo


def test_an_admin_hands_over_everything_of_a_leaver(stage: Stage, office: Office) -> None:
    here = f"/settings/team/{office.theo}/hand-over"
    visitor = office.visit(office.ada, here)
    assert "Theo Marsh is active." in visitor.text
    visitor.get(f"/settings/team/{office.theo}/end").send(f"/settings/team/{office.theo}/end").follow()
    stage.run_outbox()
    assert here in visitor.text
    assert here in visitor.get("/settings/team?which=left").text
    visitor.get(f"{here}?to={office.rita}")
    assert "1 sequence with 2 people waiting." in visitor.text
    assert stage.address(office.ritas) in visitor.text
    visitor.send(
        here, to=str(office.rita), sender=str(office.ritas), middle="go_on", introduction="Hello"
    ).follow()
    assert "The sequences of Theo Marsh are handed over" in visitor.text
    assert office.present() == (office.rita, office.ritas, "paused")
    assert "Nothing to hand over" in visitor.get(here).text
    visitor.send(here, to=str(office.rita), sender=str(office.ritas)).follow()
    assert "No sequence of Theo Marsh is left to hand over." in visitor.text
    assert office.visit(office.rita, here).status == 403


def test_the_api_asks_or_does_it(stage: Stage, office: Office, api: Api) -> None:  # noqa: F811
    body = {"to": str(office.rita), "sender_id": str(office.ritas)}
    path = f"/sequences/{office.sequence}/hand-over"
    meant = api.get(path, **body).json()
    assert (meant["middle"], meant["asks"], meant["problem"]) == (2, True, "")
    asked = api.post(path, body).json()
    assert asked["result"] is None
    assert api.get("/hand-overs").json()[0]["id"] == asked["request_id"]
    assert api.post(f"/hand-overs/{asked['request_id']}/cancel").status_code == 200
    assert api.post(f"/hand-overs/{asked['request_id']}/cancel").status_code == 409
    assert api.post(f"/members/{office.theo}/hand-over", body).status_code == 409
    withdraw.deactivate_member(stage.runtime, office.theo, actor="Ada Novak")
    done = api.post(f"/members/{office.theo}/hand-over", body, once="a")
    assert done.json()["complete"]
    assert api.post(f"/members/{office.theo}/hand-over", body, once="a").json() == done.json()
    assert office.present() == (office.rita, office.ritas, "paused")
    other = World(stage.world.database)
    stranger = other.member("Somebody Else")
    assert api.post(path, {"to": str(stranger)}).status_code == 404


def test_the_commands_do_the_same(stage: Stage, office: Office, cli: Cli) -> None:  # noqa: F811
    name, rita, box = (
        stage.only(Sequence).name,
        email_of(stage, office.rita),
        stage.address(office.ritas),
    )
    asked = ok(cli("sequence", "hand-over", name, "--to", rita, "--json"))["request_id"]
    organization = f"Organization {stage.world.organization_id}"
    assert [each["id"] for each in ok(cli("sequence", "hand-overs", organization, "--json"))] == [asked]
    ok(cli("sequence", "cancel-hand-over", asked))
    again = ok(cli("sequence", "hand-over", name, "--to", rita, "--json"))["request_id"]
    done = ok(cli("sequence", "accept-hand-over", again, "--by", rita, "--from", box, "--json"))
    assert done["complete"]
    assert office.present() == (office.rita, office.ritas, "paused")
    withdraw.deactivate_member(stage.runtime, office.rita, actor="ops")
    ok(cli("member", "hand-over", rita, "--to", email_of(stage, office.ada), "--yes", "--json"))
    assert office.present()[0] == office.ada
