"""Beside a local run: whoever is imported can sign in and send, and the demo goes on and on."""

from pathlib import Path

import httpx
import pytest

from actions import approvals
from db.views import approvals as approval_lists
from db.views import tasks
from importing.load import import_file
from importing.people import import_people
from lab.access_records import Lane, Mailbox, Member, Organization
from lab.demo_data import OPERATOR, SEQUENCES, load_demo, make_operator
from lab.demo_life import ACTOR, DemoLife, introduce
from lab.records import Candidate, Enrollment, Sequence
from lab.stage import Stage
from tests.web.visitor import Visitor

OWN = """\
organizations:
  - name: Initech
    time_zone: Europe/Berlin
    members:
      - {name: Bill, email: bill@initech.example, role: owner}
      - {name: Peter, email: peter@initech-labs.example}
    mailboxes:
      - {address: bill@initech.example, owner: bill@initech.example}
    sequences:
      - name: Reports
        owner: bill@initech.example
        send_from: bill@initech.example
        steps:
          - {delay: PT0S, subject: Reports, body: "Hello {{first_name|there}}"}
"""


def imported(stage: Stage, folder: Path) -> None:
    file = folder / "own.yaml"
    file.write_text(OWN)
    import_file(stage.database, file, actor=ACTOR)


def test_imported_people_sign_in_connect_their_mailbox_and_it_sends(stage: Stage, tmp_path: Path) -> None:
    imported(stage, tmp_path)
    introduce(stage.runtime, stage.emulator.control)
    page = httpx.get(
        f"{stage.emulator.url}/common/oauth2/v2.0/authorize",
        params={"client_id": "onbehalf", "redirect_uri": "http://localhost/back", "scope": "openid"},
        trust_env=False,
    ).text
    assert "bill@initech.example" in page
    stage.attend()
    assert "Sign in with Microsoft" not in Visitor(stage).sign_in("peter@initech-labs.example").text
    bill = Visitor(stage).sign_in("bill@initech.example").get("/settings/sequences")
    bill.send("/settings/sequences/connect")
    bill.come_back(bill.at_microsoft("bill@initech.example"))
    assert stage.only(Mailbox, address="bill@initech.example").status == "connected"
    people = tmp_path / "people.csv"
    people.write_text("Email\nann@example.org\n")
    import_people(stage.database, people, sequence="Reports", actor=ACTOR)
    stage.send_due()
    assert [each.to for each in stage.left()] == [["ann@example.org"]]


def test_who_is_known_keeps_their_account_and_a_chosen_tenant_stays(stage: Stage, tmp_path: Path) -> None:
    imported(stage, tmp_path)
    stage.put(Organization, stage.only(Organization, name="Initech").id, tenant_id="of-their-own")
    introduce(stage.runtime, stage.emulator.control)
    (before,) = stage.emulator.control.add_mailboxes({"address": "bill@initech.example"})
    assert before["tenant_id"] == "of-their-own"
    introduce(stage.runtime, stage.emulator.control)
    assert stage.emulator.control.add_mailboxes({"address": "bill@initech.example"}) == [before]


def test_two_organizations_of_one_domain_sign_in_apart(stage: Stage, tmp_path: Path) -> None:
    imported(stage, tmp_path)
    introduce(stage.runtime, stage.emulator.control)
    file = tmp_path / "second.yaml"
    file.write_text(OWN.replace("Initech", "Second").replace("bill@", "milton@").replace("peter@", "samir@"))
    import_file(stage.database, file, actor=ACTOR)
    introduce(stage.runtime, stage.emulator.control)
    assert "Sign in with Microsoft" not in Visitor(stage).sign_in("milton@initech.example").text
    assert "Sign in with Microsoft" not in Visitor(stage).sign_in("bill@initech.example").text
    assert (
        stage.only(Organization, name="Second").tenant_id
        != stage.only(Organization, name="Initech").tenant_id
    )


def test_without_anybody_the_sign_in_page_says_what_to_do(stage: Stage) -> None:
    stage.emulator.control.reset()
    page = httpx.get(
        f"{stage.emulator.url}/common/oauth2/v2.0/authorize",
        params={"client_id": "onbehalf", "redirect_uri": "http://localhost/back", "scope": "openid"},
        trust_env=False,
    ).text
    assert "onbehalf import FILE" in page


@pytest.fixture
def sequence(stage: Stage) -> Sequence:
    owner = stage.world.member()
    return stage.only(Sequence, stage.world.sequence(owner, stage.world.mailbox(owner), ("PT0S", "PT10M")))


def life_of(stage: Stage, sequence: Sequence) -> DemoLife:
    organization = stage.only(Organization, stage.world.organization_id).name
    return DemoLife(stage.runtime, frozenset({(organization, sequence.name)}))


def test_the_demo_enrolls_one_person_at_a_time_while_few_wait(stage: Stage, sequence: Sequence) -> None:
    life = life_of(stage, sequence)
    people = [life.enroll_somebody() for _ in range(12)]
    assert len(set(people)) == 12
    assert {each.email for each in stage.all(Candidate)} == set(people)
    assert life.enroll_somebody() is None
    assert stage.count(Enrollment) == 12
    life.close()


def test_the_demo_leaves_drafts_and_other_peoples_alone(stage: Stage, sequence: Sequence) -> None:
    others = DemoLife(stage.runtime, frozenset({("Another", sequence.name)}))
    assert others.enroll_somebody() is None
    others.close()
    draft = stage.world.sequence(sequence.owner_id, sequence.mailbox_id, status="draft")
    life = life_of(stage, stage.only(Sequence, draft))
    assert life.enroll_somebody() is None
    life.close()


def test_it_enrolls_at_a_human_pace(stage: Stage, sequence: Sequence) -> None:
    life = life_of(stage, sequence)
    for second in range(31):
        life.go_on(1000.0 + second)
    assert stage.count(Enrollment) == 4
    life.close()


def test_one_of_the_demo_operates_the_installation(stage: Stage) -> None:
    otto = stage.world.member("Otto Ops")
    stage.put(Member, otto, email=OPERATOR)
    introduce(stage.runtime, stage.emulator.control)
    for _ in range(2):  # each run loads the demo
        make_operator(stage.runtime, stage.emulator.control)
    assert Visitor(stage).sign_in(OPERATOR).get("/operations").status == 200


def test_the_demo_has_emails_to_approve_and_then_somebody_to_call(stage: Stage) -> None:
    stage.attend()
    load_demo(stage.runtime)
    leads = stage.only(Sequence, name="Engineering leads")
    acme = stage.only(Organization, name="Acme").id
    stage.send_due()
    with stage.database.transaction() as tx:
        waiting, _ = approval_lists.WAITING.page(tx, acme, None, leads.id)
        letters = [approvals.letter(tx, each.id) for each in waiting]
    assert len(waiting) == 4
    marks = {each.email.id: each.mark for each in letters if each.mark is not None}
    assert len(approvals.approve_several(stage.runtime, marks, actor="Rita Recruiter").approved) == 4
    stage.put(Lane, tokens=4)
    stage.send_due()
    stage.later(60)
    with stage.database.transaction() as tx:
        ((first, *_), _) = tasks.OPEN.page(tx, acme, None, leads.id)
    assert first.said.title.startswith("Call ")
    assert SEQUENCES.isdisjoint({("Acme", leads.name)})  # its emails would pile up unread
