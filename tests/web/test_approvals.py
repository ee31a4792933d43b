"""Waiting for your approval: on pages, by the API. Each email is read as it would leave, and approved as it was read."""

from uuid import UUID

import pytest

from actions import person_fields, planned
from lab.records import Candidate, Delivery, Enrollment, Receipt, Step
from lab.stage import Stage
from tests.web.test_api import client, is_problem  # noqa: F401 - a fixture
from tests.web.test_api_sequences import Program, api  # noqa: F401 - a fixture
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of, known_account


class Office:
    """Hans writes to Priya and Jo; each first email waits for his approval."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.hans = member(stage, "Hans Holder")
        self.sequence = stage.world.sequence(
            self.hans, stage.mailbox(self.hans), ("PT0S", "P1D"), body="Hello {{first_name}}, step {n}."
        )
        stage.put(Step, stage.only(Step, position=1).id, kind="approval")
        stage.world.enroll(self.sequence, email="priya@kestrel.example", first_name="Priya")
        stage.world.enroll(self.sequence, email="jo@kestrel.example", first_name="Jo")
        stage.send_due()
        people = {each.id: each.first_name for each in stage.all(Candidate)}
        assert len(people) == 2
        self.people = {name: key for key, name in people.items()}

    def email(self, name: str) -> UUID:
        enrollment = self.stage.only(Enrollment, candidate_id=self.people[name])
        return self.stage.all(Delivery, enrollment_id=enrollment.id)[0].id

    def visit(self, path: str = "/outbox/approvals", who: UUID | None = None) -> Visitor:
        return Visitor(self.stage).sign_in(email_of(self.stage, who or self.hans)).get(path)

    def rename(self, name: str, wanted: str) -> None:
        person_fields.change_field(
            self.stage.runtime, self.people[name], "first_name", wanted, was=None, actor="Hans Holder"
        )


@pytest.fixture
def office(stage: Stage) -> Office:
    return Office(stage)


def mark_in(visitor: Visitor, delivery: UUID) -> str:
    """Return the mark that a page has of an email."""
    found = (
        visitor.text.partition(f'name="mark-{delivery}" value="')[2]
        or visitor.text.partition('name="mark" value="')[2]
    )
    return found.partition('"')[0]


def test_what_waits_leads_from_everywhere_to_where_it_is_read(stage: Stage, office: Office) -> None:
    visitor = office.visit("/attention")
    assert "2 emails of " in visitor.text
    assert f"/outbox/approvals?sequence={office.sequence}" in visitor.text
    assert "2 emails wait for approval" in visitor.get("/outbox").text
    assert "Your approval" in visitor.get("/outbox?which=held").text
    assert "Needs approval" in visitor.get(f"/sequences/{office.sequence}?tab=people&state=approval").text
    assert "after I approve it" in visitor.get(f"/sequences/{office.sequence}").text
    person = visitor.get(f"/people/{office.people['Priya']}").text
    assert "waits for approval by" in person
    assert f"/outbox/{office.email('Priya')}/approve" in person


def test_those_ticked_are_approved_and_leave(stage: Stage, office: Office) -> None:
    visitor = office.visit()
    assert "Hello Priya, step 1." in visitor.text
    assert "Hello Jo, step 1." in visitor.text
    priya, jo = office.email("Priya"), office.email("Jo")
    fields = {f"mark-{each}": mark_in(visitor, each) for each in (priya, jo)}
    assert visitor.send("/outbox/approvals", None, **fields).status == 422
    assert "Tick the emails that you have read." in visitor.text
    assert visitor.send("/outbox/approvals", None, tick=[str(priya)], **fields).status == 303
    assert "1 email approved" in visitor.follow().text
    assert "Hello Priya" not in visitor.text
    stage.send_due()
    (left,) = stage.left()
    assert "Hello Priya, step 1." in left.body
    detail = stage.only(Receipt).detail("approval")
    assert detail is not None
    assert detail.startswith("approved by Hans Holder at ")


def test_one_that_changed_since_is_refused_with_both_texts_and_holds_up_no_other(
    stage: Stage, office: Office
) -> None:
    visitor = office.visit()
    priya, jo = office.email("Priya"), office.email("Jo")
    fields = {f"mark-{each}": mark_in(visitor, each) for each in (priya, jo)}
    fields[f"read-{priya}"] = "A role\n\nHello Priya, step 1."
    office.rename("Priya", "Prija")
    assert visitor.send("/outbox/approvals", None, tick=[str(priya), str(jo)], **fields).status == 409
    assert "has changed since you read it" in visitor.text
    assert "Hello Priya, step 1." in visitor.text
    assert "Hello Prija, step 1." in visitor.text
    assert "1 email approved" in visitor.text
    stage.send_due()
    assert ["Hello Jo" in each.body for each in stage.left()] == [True]


def test_one_email_is_read_and_approved_on_its_own_page(stage: Stage, office: Office) -> None:
    path = f"/outbox/{office.email('Priya')}/approve"
    visitor = office.visit(path)
    mark = mark_in(visitor, office.email("Priya"))
    office.rename("Priya", "Prija")
    assert visitor.send(path, mark=mark, read="Hello Priya, step 1.").status == 409
    assert "What you read" in visitor.text
    assert "Hello Prija, step 1." in visitor.text
    mark = mark_in(visitor, office.email("Priya"))
    for _ in range(2):
        assert visitor.send(path, mark=mark).status == 303
    assert "approved by" in visitor.get(path).text
    assert "· approved" in visitor.get("/outbox").text
    undo = path.replace("approve", "take-back")
    assert visitor.get(path).send(undo).status == 303
    assert "Taken back." in visitor.follow().text
    stage.send_due()
    assert stage.left() == []
    assert "Take the approval back" not in visitor.get(path).text
    assert visitor.send(path, mark=mark).status == 303
    stage.send_due()
    assert len(stage.left()) == 1
    assert visitor.get(path).send(undo).status == 409
    assert "This email has left already." in visitor.text


def test_nobody_reads_or_approves_what_is_not_theirs_but_an_admin(stage: Stage, office: Office) -> None:
    rita = member(stage, "Rita Recruiter")
    priya = office.email("Priya")
    visitor = office.visit(who=rita)
    assert "Nothing waits for your approval" in visitor.text
    assert "Priya" not in visitor.get("/outbox/approvals?whose=all").text
    assert visitor.get(f"/outbox/{priya}/approve").status == 404
    mark = mark_in(office.visit(), priya)
    assert visitor.send(f"/outbox/{priya}/approve", mark=mark).status == 404
    assert visitor.send(f"/outbox/{priya}/take-back").status == 404
    fields = {f"mark-{priya}": mark}
    assert visitor.send("/outbox/approvals", None, tick=[str(priya)], **fields).status == 404
    assert visitor.get(f"/outbox/approvals?sequence={office.sequence}").status == 404
    admin = stage.world.member("Olga Owner", role="owner")
    known_account(stage, email_of(stage, admin))
    boss = office.visit("/outbox/approvals?whose=all", who=admin)
    assert "Hello Priya" in boss.text
    assert boss.send("/outbox/approvals", None, tick=[str(priya)], whose="all", **fields).status == 303
    stage.send_due()
    assert len(stage.left()) == 1


def test_a_long_email_is_approved_too(stage: Stage, office: Office) -> None:
    priya = office.email("Priya")
    planned.edit(stage.runtime, priya, subject="Long", body="Ж" * 60_000, mark=None, actor="Hans Holder")
    visitor = office.visit(f"/outbox/{priya}/approve")
    _, _, rest = visitor.text.partition('name="read" value="')
    read, _, _ = rest.partition('"')
    assert visitor.send(f"/outbox/{priya}/approve", mark=mark_in(visitor, priya), read=read).status == 303


def test_a_step_is_made_one_that_needs_approval_and_back(stage: Stage, office: Office) -> None:
    step = stage.only(Step, position=2)
    path = f"/sequences/{office.sequence}/steps/{step.id}"
    visitor = office.visit(path)
    assert "Email, after I approve it" in visitor.text
    said = {"wait": "1", "unit": "days", "thread": "same", "body": step.body, "position": "2"}
    changes = visitor.send(path, None, version="1", kind="approval", **said).url
    assert "needs approval from now on" in visitor.follow().text
    assert visitor.send(changes).status == 303
    assert stage.only(Step, step.id).kind == "approval"
    assert visitor.get(path).send(path, None, version="2", kind="task", **said).status == 422
    changes = visitor.send(path, None, version="2", kind="automatic", **said).url
    assert "needs no approval any more" in visitor.follow().text
    visitor.send(changes)
    assert stage.only(Step, step.id).kind == "automatic"
    copied = visitor.get(f"/sequences/{office.sequence}")
    assert copied.send(f"/sequences/{office.sequence}/duplicate", key="k").status == 303
    assert sorted(each.kind for each in stage.all(Step)) == ["approval", "approval", "automatic", "automatic"]


def test_a_program_reads_and_approves(stage: Stage, office: Office, api: Program) -> None:  # noqa: F811
    page = api.get("/approvals", limit=1).json()
    (rest,) = api.get("/approvals", after=page["next_after"]).json()["items"]
    (first,) = page["items"]
    assert {first["person"], rest["person"]} == {"Priya", "Jo"}
    priya, jo = office.email("Priya"), office.email("Jo")
    read = api.get(f"/deliveries/{priya}/letter").json()
    assert (read["text"], read["approved"], read["needs_approval"]) == ("Hello Priya, step 1.", False, True)
    office.rename("Priya", "Prija")
    refused = api.post(f"/deliveries/{priya}/approve", {"mark": read["mark"]})
    is_problem(refused, 409)
    assert refused.json()["present"]["text"] == "Hello Prija, step 1."
    again = api.post(f"/deliveries/{priya}/approve", {"mark": read["mark"]}, once="a")
    is_problem(again, 409)
    mark = refused.json()["present"]["mark"]
    done = [api.post(f"/deliveries/{priya}/approve", {"mark": mark}).json()["changed"] for _ in range(2)]
    assert done == [True, False]
    undone = [api.post(f"/deliveries/{priya}/take-back", None).json()["changed"] for _ in range(2)]
    assert undone == [True, False]
    assert not api.get(f"/deliveries/{priya}/letter").json()["approved"]
    assert api.post(f"/deliveries/{priya}/approve", {"mark": mark}).json()["changed"]
    marks = {str(jo): api.get(f"/deliveries/{jo}/letter").json()["mark"], str(priya): read["mark"]}
    several = api.post("/approvals", {"marks": marks}).json()
    assert several["approved"] == [str(jo)]
    assert list(several["refused"]) == [str(priya)]
    assert api.get("/approvals").json()["items"] == []
    is_problem(api.get("/approvals", after="nonsense"), 422)
    stage.send_due()
    assert len(stage.left()) == 2
    assert stage.count(Delivery, state="sent") == 2
    is_problem(api.post(f"/deliveries/{priya}/take-back", None), 409)


def test_a_program_says_which_kind_a_step_is(stage: Stage, office: Office, api: Program) -> None:  # noqa: F811
    path = f"/sequences/{office.sequence}"
    step = api.post(f"{path}/steps", {"delay": "P1D", "body": "Third.", "kind": "approval"}).json()["id"]
    kinds = [each["kind"] for each in api.get(path).json()["steps"]]
    assert kinds == ["approval", "automatic", "approval"]
    changed = {"delay": "P1D", "body": "Third, again.", "version": 1}
    assert api.put(f"{path}/steps/{step}", changed).json()["changed"]
    assert api.get(path).json()["steps"][2]["kind"] == "approval"
    is_problem(api.put(f"{path}/steps/{step}", {**changed, "version": 2, "kind": "task"}), 422)
