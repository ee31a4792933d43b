"""The outbox, a person's buttons and "Why did X get nothing?": who sees what, each decision by a form, and repeated forms."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from actions import withdraw
from lab.records import Candidate, Delivery, Enrollment, Sequence
from lab.stage import Stage
from lab.tables import ago, ahead
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of


class Office:
    """Hans writes to Priya in three steps, of which the first has left."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.hans = member(stage, "Hans Holder")
        self.box = stage.mailbox(self.hans)
        self.sequence = stage.world.sequence(self.hans, self.box, ("PT0S", "P1D", "P1D"), fields=("role",))
        (self.enrollment,) = stage.world.enroll(
            self.sequence, email="priya@kestrel.example", first_name="Priya", last_name="Raman"
        )
        stage.send_due()
        self.priya = stage.only(Candidate).id

    @property
    def next(self) -> Delivery:
        return self.stage.only(Delivery, state=["pending", "queued"])

    def visit(self, path: str = "/outbox", who: UUID | None = None) -> Visitor:
        return Visitor(self.stage).sign_in(email_of(self.stage, who or self.hans)).get(path)


@pytest.fixture
def office(stage: Stage) -> Office:
    return Office(stage)


def test_the_outbox_shows_what_is_planned_and_what_it_waits_for(stage: Stage, office: Office) -> None:
    visitor = office.visit()
    for words in ("Priya Raman", "Step 2 of 3", "Its time", "Hans Holder", "Tomorrow, ", "Next seven days"):
        assert words in visitor.text
    assert "Priya Raman" in visitor.get("/outbox?q=raman").text
    assert "No email matches" in visitor.get("/outbox?q=nobody").text
    assert "Priya Raman" in visitor.get(f"/outbox?sequence={office.sequence}&sender={office.box}").text
    withdraw.pause_enrollment(stage.runtime, office.enrollment, actor="Hans", reason="later")
    assert "No email is planned" in visitor.get("/outbox").text
    assert "Somebody paused this person." in visitor.get("/outbox?which=held").text


def test_an_absence_that_is_over_is_no_reason_any_more(stage: Stage, office: Office) -> None:
    stage.put(Delivery, office.next.id, reason="person_away")
    assert "Their automatic reply is on." in office.visit().text
    stage.put(Delivery, office.next.id, due_at=ago())  # and it waits for its mailbox's pace
    visitor = office.visit()
    assert "Priya Raman" in visitor.text
    assert "Their automatic reply is on." not in visitor.text


def test_nobody_sees_or_changes_what_is_not_theirs(stage: Stage, office: Office) -> None:
    visitor = office.visit(who=member(stage, "Rita Recruiter"))
    assert "Priya" not in visitor.text
    email = f"/outbox/{office.next.id}"
    for path in (f"{email}/skip", f"{email}/later", f"{email}/edit", f"/people/{office.priya}/stop"):
        assert visitor.get(path).status == 404
        assert visitor.send(path, text="New", at="2030-01-01T09:00").status == 404
    own = f"/people/{office.priya}/enrollments/{office.enrollment}"
    for path in (f"{own}/pause", f"{own}/stop", f"/people/{office.priya}/fields"):
        assert visitor.send(path, field="title", value="x").status == 404
    assert "Nobody matches" in visitor.get("/why?q=priya").text
    assert office.next.state == "pending"
    assert stage.only(Enrollment).status == "active"


def test_a_step_is_skipped_once_after_a_look_at_what_moves(stage: Stage, office: Office) -> None:
    path = f"/outbox/{office.next.id}/skip"
    visitor = office.visit(path)
    assert "Step 2: does not leave" in visitor.text
    assert "Step 3: " in visitor.text
    assert "move with it" in visitor.text
    for _ in range(2):
        assert visitor.get(path).send(path).status == 303
    assert stage.count(Delivery) == 3
    assert office.next.state == "pending"


def test_an_email_is_moved_by_the_members_clock(stage: Stage, office: Office) -> None:
    path = f"/outbox/{office.next.id}/later"
    day = (ahead(days=40)).date()
    visitor = office.visit(path)
    assert visitor.send(path, at=f"{day}T09:30", do="show").status == 303
    assert "was planned" in visitor.get(visitor.url.removeprefix(visitor.public_url)).text
    assert visitor.send(path, at=f"{day}T09:30").status == 303
    assert office.next.due_at == datetime.combine(day, datetime.min.time(), UTC) + timedelta(
        hours=9, minutes=30
    )
    for wrong in ("yesterday", "2020-01-01T09:00", "9999-12-31T23:59", "0001-01-01T00:00"):
        assert visitor.get(path).send(path, at=wrong).status == 422
        assert 'aria-invalid="true"' in visitor.text


def test_one_email_gets_a_text_of_its_own(stage: Stage, office: Office) -> None:
    path = f"/outbox/{office.next.id}/edit"
    visitor = office.visit(path)
    assert "this is step 2." in visitor.text
    assert visitor.send(path, text="Hello {{frst_name}}").status == 422
    assert "Hello {{frst_name}}" in visitor.text
    assert visitor.send(path, text="Hello {{first_name}}!").status == 303
    assert office.next.own_body == "Hello {{first_name}}!"
    assert "edited" in visitor.get("/outbox").text


def test_what_comes_too_late_is_said_and_changes_nothing(stage: Stage, office: Office) -> None:
    delivery = office.next.id
    stage.later(86400)
    stage.read(office.box)
    stage.send_due()
    visitor = office.visit(f"/outbox/{delivery}/cancel")
    assert "This email has left already." in visitor.text
    assert "Keep it" not in visitor.text
    assert visitor.send(f"/outbox/{delivery}/cancel").status == 303
    assert stage.only(Delivery, delivery).state == "sent"


def test_a_person_is_paused_resumed_and_stopped_on_their_page(stage: Stage, office: Office) -> None:
    here = f"/people/{office.priya}"
    own = f"{here}/enrollments/{office.enrollment}"
    visitor = office.visit(here)
    for words in ("Step 1 from", "Receipt", "Step 2 is planned for", "Version 1", "What stops emails"):
        assert words in visitor.text
    for _ in range(2):
        assert visitor.send(f"{own}/pause").status == 303
    assert stage.only(Enrollment).status == "paused"
    assert "this person is paused" in visitor.get(here).text
    for _ in range(2):
        assert visitor.send(f"{own}/resume").status == 303
    assert stage.only(Enrollment).status == "active"
    assert "No further email" in visitor.get(f"{own}/stop").text
    for _ in range(2):
        assert visitor.send(f"{own}/stop").status == 303
    assert stage.only(Enrollment).status == "stopped"


def test_everything_of_a_person_is_stopped_at_once(stage: Stage, office: Office) -> None:
    visitor = office.visit(f"/people/{office.priya}/stop")
    for _ in range(2):
        assert visitor.send(f"/people/{office.priya}/stop").status == 303
    assert stage.only(Enrollment).status == "stopped"


def test_a_field_is_changed_and_two_who_do_it_at_once_notice_each_other(stage: Stage, office: Office) -> None:
    path = f"/people/{office.priya}/fields"
    visitor = office.visit(f"/people/{office.priya}")
    assert visitor.send(path, field="title", value="Staff engineer", was="").status == 303
    assert visitor.get(f"/people/{office.priya}").send(path, field="title", value="CTO", was="").status == 422
    assert "Somebody set it to" in visitor.text
    assert 'value="CTO"' in visitor.text
    assert visitor.send(path, field="nonsense", value="x").status == 422
    assert "has no field" in visitor.text


def test_why_finds_a_person_and_offers_what_helps(stage: Stage, office: Office) -> None:
    stage.put(Enrollment, status="paused", reason="missing_merge_field: role", paused_at=ago())
    stage.put(Delivery, office.next.id, held=True, reason="enrollment_paused")
    visitor = office.visit("/why?q=raman")
    assert "Why did <bdi>Priya Raman</bdi> get nothing?" in visitor.text
    assert "role is missing" in visitor.text
    sent = visitor.send(f"/people/{office.priya}/fields", field="role", value="Engineer", back="why")
    assert sent.status == 303
    assert "/why?person=" in sent.headers["location"]
    assert stage.only(Enrollment).status == "active"
    assert "is planned for" in visitor.get(f"/why?person={office.priya}").text
    stage.put(Sequence, status="paused", paused_reason="SequencePaused", paused_at=ahead(), paused_cause="x")
    assert f"/sequences/{office.sequence}/resume" in visitor.get(f"/why?person={office.priya}").text


def test_why_tells_people_of_one_name_apart(stage: Stage, office: Office) -> None:
    for address, family, company in (
        ("p.rao@kestrel.example", "Rao", "Kestrel"),
        ("priya.r@kestrel.example", "Raman", ""),
    ):
        stage.world.enroll(
            office.sequence, email=address, first_name="Priya", last_name=family, company=company
        )
    text = office.visit("/why?q=priya").text
    assert "<span><bdi>Priya Rao</bdi>, <bdi>Kestrel</bdi></span>" in text
    for address in ("priya@kestrel.example", "priya.r@kestrel.example"):
        assert f"<span><bdi>Priya Raman</bdi>, <bdi>{address}</bdi></span>" in text


def test_why_is_linked_from_search_and_from_needs_attention(office: Office) -> None:
    visitor = office.visit("/search?q=raman")
    assert f"/why?person={office.priya}" in visitor.text
    assert 'href="/why"' in visitor.get("/attention").text
