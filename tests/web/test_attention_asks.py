"""Needs attention lists messages that nobody can tell and what its reader is asked for; the badge counts the same."""

import re
from uuid import UUID

from lab.access_records import Mailbox
from lab.listening_records import IncomingMessage
from lab.records import Candidate, Enrollment
from lab.stage import Stage
from lab.tables import ahead
from tests.web.test_api import Api, api, client  # noqa: F401 - fixtures
from tests.web.test_handovers import Office, office  # noqa: F401 - a fixture
from tests.web.test_messages import answers, box, hans, rita, visit  # noqa: F401 - fixtures
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor


def badge(visitor: Visitor) -> int:
    found = re.search(r'<span class="badge[^"]*" id="badge-decisions"[^>]*?>(\d+)', visitor.text)
    assert found is not None
    return int(found[1])


def test_an_opt_out_is_decided_there(stage: Stage, rita: UUID, box: UUID) -> None:  # noqa: F811
    message = answers(stage, box, text="Please do not write to me again.")
    visitor = visit(stage, rita, "/attention")
    assert "Is this an opt-out?" in visitor.text
    assert all(label in visitor.text for label in ("Opt-out", "Just a no", "Neither"))
    assert badge(visitor) == 1
    visitor.send(f"/messages/{message}/decide", decision="no", on="mine").follow()
    assert "Nothing needs your attention." in visitor.text
    assert badge(visitor) == 0
    assert stage.only(Enrollment).standing == ("stopped", "answered")


def test_an_unclear_message_stays_there_while_it_holds_the_person(
    stage: Stage,
    rita: UUID,  # noqa: F811
    box: UUID,  # noqa: F811
    api: Api,  # noqa: F811
) -> None:
    message = answers(stage, box)
    stage.put(IncomingMessage, kind="unclear")
    stage.put(Candidate, unclear_until=ahead(days=1))
    stage.overwrite(Enrollment, status="active", reason=None, paused_at=None)
    visitor = visit(stage, rita, "/attention")
    assert "Did <bdi>Priya Raman</bdi> answer?" in visitor.text
    assert badge(visitor) == 1
    (listed,) = api.get("/attention").json()["messages"]
    assert (listed["id"], listed["kind"]) == (str(message), "unclear")
    assert api.post(f"/messages/{message}/decide", {"decision": "no_answer"}).json()["stopped"] == 0
    assert badge(visitor.get("/attention")) == 0
    assert "Did <bdi>" not in visitor.text


def test_who_is_asked_for_a_permission_finds_it_there(
    stage: Stage,
    rita: UUID,  # noqa: F811
    hans: UUID,  # noqa: F811
) -> None:
    address = stage.address(stage.only(Mailbox, owner_id=hans).id)
    theo = member(stage, "Theo Marsh")
    visit(stage, theo, "/settings/sequences").send(
        "/settings/sequences/requests", mailbox=address, words="For designers"
    )
    visitor = visit(stage, hans, "/attention")
    assert "asks to send from" in visitor.text
    assert badge(visitor) == 1
    (request,) = re.findall(r'href="(/settings/sequences/requests/[^"]+)"', visitor.text)
    visitor.send(f"{request}/decline").follow()
    assert badge(visitor.get("/attention")) == 0


def test_who_is_asked_to_take_over_finds_it_there(stage: Stage, office: Office) -> None:  # noqa: F811
    request = office.asked()
    visitor = office.visit(office.rita, "/attention")
    assert f'href="{request}"' in visitor.text
    assert badge(visitor) == 1
    visitor.send(f"{request}/decline").follow()
    assert badge(visitor.get("/attention")) == 0
