"""The page Unassigned: reached where an organization has a default address, for owners and admins, and what they decide."""

import re
from collections.abc import Iterator
from uuid import UUID

import pytest

from db.mailboxes import senders
from lab.listening_records import IncomingMessage
from lab.records import AuditEntry, Candidate
from lab.stage import Stage
from tests.transports.name_server import name_server
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of, known_account
from tests.workers.test_process_mail import comes, letter

HERE = "/messages/unassigned"


@pytest.fixture(autouse=True)
def names(stage: Stage) -> Iterator[None]:
    with name_server({}) as resolver:
        stage.runtime.__dict__["resolver"] = resolver
        yield


@pytest.fixture
def ada(stage: Stage) -> UUID:
    ada = stage.world.member("Ada Novak", role="admin")
    known_account(stage, email_of(stage, ada))
    return ada


@pytest.fixture
def box(stage: Stage) -> UUID:
    """The organization's default address."""
    with stage.world.database.transaction() as tx:
        senders.ensure_default(tx, stage.world.organization_id, "onbehalf.example")
        found = senders.sender_of(tx, stage.world.organization_id, None)
    assert found is not None
    return found


def visit(stage: Stage, who: UUID, path: str = HERE) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, who)).get(path)


def came(stage: Stage, box: UUID, sender: str = "olga@personal.example") -> str:
    """A message that is nobody's; returns its page."""
    comes(stage, box, letter(stage, sender, "Is the job <b>still</b> open?"), peer="203.0.113.9")
    return f"{HERE}/{stage.all(IncomingMessage)[-1].id}"


def test_without_a_default_address_messages_do_not_lead_there(stage: Stage, ada: UUID) -> None:
    assert HERE not in visit(stage, ada, "/messages").text


def test_admins_are_led_to_what_is_nobodys_and_members_are_not(stage: Stage, ada: UUID, box: UUID) -> None:
    path = came(stage, box)
    visitor = visit(stage, ada, "/messages")
    assert f'<a href="{HERE}">Unassigned <span class="badge">1</span></a>' in visitor.text
    assert f'href="{path}"' in visitor.get(HERE).text
    assert "No person has this address" in visitor.text
    assert "Is the job &lt;b&gt;still&lt;/b&gt; open?" in visitor.get(path).text
    assert "sender not verified" in visitor.text
    rita = visit(stage, member(stage, "Rita Recruiter"), "/messages")
    assert HERE not in rita.text
    assert rita.get(HERE).status == 403
    assert rita.get(path).status == 403
    assert rita.send(f"{path}/discard", because="mine").status == 403
    assert stage.only(IncomingMessage).status == "unassigned"


@pytest.mark.row("P47", "N11")
def test_its_sender_becomes_a_person_whose_conversation_begins_with_it(
    stage: Stage, ada: UUID, box: UUID
) -> None:
    path = came(stage, box)
    visitor = visit(stage, ada, path).send(f"{path}/person").follow()
    assert "They are a person of your organization now." in visitor.text
    assert "Is the job" in visitor.text
    assert stage.only(Candidate).email == "olga@personal.example"
    assert "Nothing is unassigned." in visitor.get(HERE).text
    visitor.send(f"{path}/discard", because="late").follow()
    assert "This message is matched already." in visitor.text


@pytest.mark.row("P47", "P48")
def test_it_is_answered_to_its_sender_who_becomes_a_person(stage: Stage, ada: UUID, box: UUID) -> None:
    path = came(stage, box)
    visitor = visit(stage, ada, path).send(f"{path}/person", then="answer")
    here = f"/people/{stage.only(Candidate).id}/messages"
    assert visitor.headers["location"].endswith("#write")
    visitor.get(here)
    (thread, *_) = re.findall(r'<option value="([^"]+)">[^<]+in this thread', visitor.text)
    (key,) = re.findall('name="key" value="([^"]+)"', visitor.text)
    visitor.send(here, key=key, sender=thread, text="It is. Shall we talk?").follow()
    stage.send_due()
    (entry,) = stage.left("smtp")
    assert entry.to == ["olga@personal.example"]
    assert "It is. Shall we talk?" in entry.body
    assert entry.in_reply_to == "<1@example.org>"


@pytest.mark.row("P47", "N11")
def test_it_is_assigned_to_a_person_and_an_unknown_one_is_refused(stage: Stage, ada: UUID, box: UUID) -> None:
    stage.world.enroll(stage.world.sequence(ada, stage.mailbox(ada)), email="olga@work.example")
    path = came(stage, box)
    visitor = visit(stage, ada, path).send(f"{path}/assign", email="nobody@work.example")
    assert visitor.status == 422
    assert "Your organization has no person with this address." in visitor.text
    assert 'value="nobody@work.example"' in visitor.text
    visitor.send(f"{path}/assign", email="olga@work.example").follow()
    assert "Assigned." in visitor.text
    assert stage.only(IncomingMessage).candidate_id == stage.only(Candidate).id


@pytest.mark.row("P47", "N11")
def test_it_is_discarded_with_a_reason_that_is_audited(stage: Stage, ada: UUID, box: UUID) -> None:
    path = came(stage, box)
    visitor = visit(stage, ada, path).send(f"{path}/discard", because="")
    assert visitor.status == 422
    assert "A reason is needed." in visitor.text
    visitor.send(f"{path}/discard", because="a newsletter").follow()
    assert "Discarded." in visitor.text
    assert stage.only(IncomingMessage).status == "discarded"
    (entry,) = [each for each in stage.all(AuditEntry) if each.action == "message_discarded"]
    assert entry.data == {"because": "a newsletter"}
