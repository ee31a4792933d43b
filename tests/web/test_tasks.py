"""Tasks on pages and by the API: shown where people decide, done or skipped by whoever may, written and previewed in the builder."""

from uuid import UUID

import pytest

from lab.records import Candidate, Delivery, Enrollment, Step
from lab.stage import Stage
from tests.web.test_api import client, is_problem  # noqa: F401 - a fixture
from tests.web.test_api_sequences import Program, api  # noqa: F401 - a fixture
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of, known_account


class Office:
    """Hans calls Priya and Jo before he writes to them."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.hans = member(stage, "Hans Holder")
        self.sequence = stage.world.sequence(
            self.hans, stage.mailbox(self.hans), ("PT0S", "P1D"), body="Hello {{first_name}}, step {n}."
        )
        step = stage.only(Step, position=1).id
        stage.put(Step, stage.only(Step, position=2).id, subject="A role")
        stage.put(Step, step, kind="task", subject=None, body="Call {{first_name}}\nAsk about {{company}}.")
        for name in ("Priya", "Jo"):
            stage.world.enroll(
                self.sequence, email=f"{name.lower()}@kestrel.example", first_name=name, company="Kestrel"
            )
        self.people = {each.first_name: each.id for each in stage.all(Candidate)}

    def task(self, name: str) -> UUID:
        enrollment = self.stage.only(Enrollment, candidate_id=self.people[name])
        return self.stage.only(Delivery, enrollment_id=enrollment.id, step_id=self.first).id

    @property
    def first(self) -> UUID:
        return self.stage.only(Step, position=1).id

    def visit(self, path: str = "/attention", who: UUID | None = None) -> Visitor:
        return Visitor(self.stage).sign_in(email_of(self.stage, who or self.hans)).get(path)


@pytest.fixture
def office(stage: Stage) -> Office:
    return Office(stage)


def test_what_is_due_shows_wherever_somebody_would_look(stage: Stage, office: Office) -> None:
    visitor = office.visit()
    assert "Call Priya" in visitor.text
    assert "Ask about Kestrel." in visitor.text
    assert 'id="badge-decisions">2<' in visitor.text  # in the navigation
    outbox = visitor.get("/outbox").text
    assert "2 tasks are due" in outbox
    assert "/attention?#tasks" in outbox
    assert "Priya" not in visitor.get("/outbox?which=held").text  # it is no email
    needing = visitor.get("/outbox?which=held&needs=task").text
    assert needing.count("sends nothing.") == 2
    assert 'name="tick"' not in needing
    assert f"/attention?sequence={office.sequence}#tasks" in needing
    assert "is a task that is due" in visitor.get(f"/sequences/{office.sequence}?tab=people&state=task").text
    sequence = visitor.get(f"/sequences/{office.sequence}").text
    assert "The sequence waits for each person until you have done or skipped theirs" in sequence
    assert "Call {{first_name}}" in sequence
    person = visitor.get(f"/people/{office.people['Priya']}").text
    assert "waits for a task of" in person
    assert "Edit this email" not in person
    assert "Done" in visitor.get(f"/why?person={office.people['Priya']}").text


def test_it_is_done_or_skipped_once_and_the_timeline_says_by_whom(stage: Stage, office: Office) -> None:
    visitor = office.visit()
    priya, jo = office.task("Priya"), office.task("Jo")
    assert visitor.send(f"/attention/tasks/{priya}", None, outcome="maybe").status == 404
    for _ in range(2):
        visitor.get("/attention").send(f"/attention/tasks/{priya}", None, outcome="done")
        assert "Done." in visitor.follow().text
    assert "Call Priya" not in visitor.get("/attention").text
    path = f"/people/{office.people['Jo']}"
    visitor.get(path).send(f"/attention/tasks/{jo}", None, outcome="skipped", person=str(office.people["Jo"]))
    assert visitor.url == path or "/people/" in visitor.url
    said = visitor.follow().text
    assert "skipped by <bdi>Hans Holder</bdi>" in said
    assert "done by <bdi>Hans Holder</bdi>" in visitor.get(f"/people/{office.people['Priya']}").text
    visitor.get("/attention").send(f"/attention/tasks/{jo}", None, outcome="done")
    assert "This task was skipped already." in visitor.follow().text
    assert stage.left() == []
    stage.later(86400 + 60)
    stage.send_due()
    assert len(stage.left()) == 2


def test_nobody_sees_or_settles_what_is_not_theirs_but_an_admin(stage: Stage, office: Office) -> None:
    rita = member(stage, "Rita Recruiter")
    visitor = office.visit(who=rita)
    assert "Call Priya" not in visitor.text
    assert "Call Priya" not in visitor.get("/attention?whose=all").text
    assert visitor.send(f"/attention/tasks/{office.task('Priya')}", None, outcome="done").status == 404
    admin = stage.world.member("Olga Owner", role="owner")
    known_account(stage, email_of(stage, admin))
    boss = office.visit("/attention?whose=all", who=admin)
    assert "Call Priya" in boss.text
    assert (
        boss.send(f"/attention/tasks/{office.task('Priya')}", None, outcome="done", whose="all").status == 303
    )
    assert "Call Priya" not in boss.follow().text


def test_a_task_is_written_changed_previewed_and_duplicated(stage: Stage, office: Office) -> None:
    path = f"/sequences/{office.sequence}"
    visitor = office.visit(f"{path}/steps/new")
    assert "The sequence waits for each person" in visitor.text
    said = {"wait": "1", "unit": "days", "thread": "new", "subject": "Ignored", "position": "3"}
    body = "Connect on LinkedIn"
    changes = visitor.send(f"{path}/steps/new", None, key="k", kind="task", body=body, **said).url
    assert "is new" in visitor.follow().text
    visitor.send(changes)
    step = stage.only(Step, position=3)
    assert (step.kind, step.subject, step.body) == ("task", None, body)
    shown = visitor.get(f"{path}/steps/{step.id}").text
    assert "What to do" in shown
    assert 'name="subject"' not in shown
    preview = visitor.get(f"{path}/preview?step=1").text
    assert "Step 1, a task" in preview
    assert "Call Priya" in preview
    assert "Send to myself" not in preview
    assert visitor.send(f"{path}/steps/{office.first}/test", None, step="1").status == 303
    assert "This step is a task, and sends nothing." in visitor.follow().text
    assert visitor.get(path).send(f"{path}/duplicate", key="d").status == 303
    kinds = sorted(each.kind for each in stage.all(Step))
    assert kinds == ["automatic", "automatic", "task", "task", "task", "task"]


def test_a_task_without_words_and_a_first_email_without_a_subject_keep_a_draft_from_starting(
    stage: Stage, office: Office
) -> None:
    draft = stage.world.sequence(office.hans, office.stage.mailbox(office.hans), ("PT0S",), status="draft")
    step = stage.only(Step, sequence_id=draft)
    stage.put(Step, step.id, kind="task", subject=None, body="")
    visitor = office.visit(f"/sequences/{draft}")
    assert "Step 1 does not say what to do: write it." in visitor.text
    said = {"wait": "1", "unit": "days", "thread": "same", "body": "Hello", "kind": "automatic"}
    visitor.get(f"/sequences/{draft}/steps/new").send(
        f"/sequences/{draft}/steps/new", None, key="k", position="2", **said
    )
    assert "Step 2 has no subject: only later emails can answer" in visitor.get(f"/sequences/{draft}").text


def test_a_program_lists_finishes_and_skips(stage: Stage, office: Office, api: Program) -> None:  # noqa: F811
    page = api.get("/tasks", limit=1).json()
    (first,) = page["items"]
    (rest,) = api.get("/tasks", after=page["next_after"], sequence=str(office.sequence)).json()["items"]
    assert {first["title"], rest["title"]} == {"Call Priya", "Call Jo"}
    assert (first["note"], first["owner"], first["position"]) == ("Ask about Kestrel.", "Hans Holder", 1)
    priya, jo = office.task("Priya"), office.task("Jo")
    done = [api.post(f"/tasks/{priya}/done", None).json()["changed"] for _ in range(2)]
    assert done == [True, False]
    is_problem(api.post(f"/tasks/{priya}/skip", None), 409)
    assert api.post(f"/tasks/{jo}/skip", None).json() == {"id": str(jo), "changed": True}
    assert api.get("/tasks").json()["items"] == []
    is_problem(api.get("/tasks", after="nonsense"), 422)
    following = stage.all(Delivery, state="pending")[0].id
    is_problem(api.post(f"/tasks/{following}/done", None), 409)


def test_a_program_writes_a_task(stage: Stage, office: Office, api: Program) -> None:  # noqa: F811
    path = f"/sequences/{office.sequence}"
    said = {"delay": "P1D", "subject": "Ignored", "body": "Send a card", "kind": "task"}
    step = api.post(f"{path}/steps", said).json()["id"]
    written = api.get(path).json()["steps"][2]
    assert (written["kind"], written["subject"]) == ("task", None)
    changed = {"delay": "P1D", "body": "Send two cards", "version": 1}
    assert api.put(f"{path}/steps/{step}", changed).json()["changed"]
    is_problem(api.put(f"{path}/steps/{step}", {**changed, "version": 2, "kind": "automatic"}), 422)
    is_problem(api.put(f"{path}/steps/{step}", {**changed, "version": 2, "body": "x" * 4001}), 422)
    found = api.get(f"{path}/preview", position=1, member_id=str(office.hans)).json()
    assert (found["kind"], found["subject"]) == ("task", "Call Hans")
