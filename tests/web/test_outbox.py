"""The outbox, a person's buttons and "Why did X get nothing?": who sees what, each decision by a form, and repeated forms."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from actions import withdraw
from lab.records import Candidate, Delivery, Enrollment, Sequence
from lab.stage import Stage
from lab.tables import ago, ahead
from tests.web.test_frame import FOUND
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


def test_the_outbox_is_filtered_by_what_emails_wait_for_and_leads_to_a_hold(
    stage: Stage, office: Office
) -> None:
    visitor = office.visit()
    assert 'href="/settings/holds#hold"' in visitor.text
    assert "Priya Raman" not in visitor.get("/outbox?waits=Away").text
    stage.put(Delivery, office.next.id, reason="person_away")
    assert "Priya Raman" in visitor.get("/outbox?waits=Away").text
    assert "<option selected>Away</option>" in visitor.text
    assert "No email matches" in visitor.get("/outbox?waits=Daily+limit").text
    assert "Priya Raman" in visitor.get("/outbox?waits=nonsense").text


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


def chosen(visitor: Visitor, which: str = "") -> list[str]:
    """The emails that can be ticked."""
    text = visitor.get(f"/outbox{which}").text
    assert 'id="bulk"' in text
    return re.findall(r'name="tick" value="([^"]+)" form="bulk"', text)


def test_several_are_skipped_by_one_form_and_each_says_what_became_of_it(
    stage: Stage, office: Office
) -> None:
    stage.world.enroll(office.sequence, 2)
    visitor = office.visit()
    ids = chosen(visitor)
    assert len(ids) == 3
    (left,) = stage.all(Delivery, state="sent")
    asked = visitor.get(f"/outbox/decide?do=skip&tick={left.id}&{'&'.join(f'tick={each}' for each in ids)}")
    assert "Skip 3 emails?" in asked.text
    assert "1 email stays as it is" in asked.text
    assert "has left already" in asked.text
    stage.overwrite(Delivery, UUID(ids[2]), state="preparing", lease_token=left.id)
    visitor.send("/outbox/decide", None, do="skip", tick=ids).follow()
    assert "2 emails changed, 1 stayed as it was" in visitor.text
    assert visitor.text.count("Skipped. The next step counts its delay from now.") == 2
    assert "This email is leaving right now." in visitor.text
    visitor.send("/outbox/decide", None, do="skip", tick=ids[:2]).follow()  # a second click
    assert visitor.text.count(">Done before<") == 2
    assert "No email changed, 2 stayed as they were" in visitor.text
    assert stage.count(Delivery, outcome="skipped") == 2
    over = visitor.get(f"/outbox/decide?do=later&tick={left.id}").text
    assert "None of these emails can be moved" in over
    assert "<form" not in over.split('id="h-dialog"')[1] or 'name="tick"' not in over


def test_several_are_cancelled_or_moved_by_the_members_clock(stage: Stage, office: Office) -> None:
    stage.world.enroll(office.sequence)
    visitor = office.visit()
    ids, day = chosen(visitor), ahead(days=40).date()
    asked = visitor.get(f"/outbox/decide?do=later&{'&'.join(f'tick={each}' for each in ids)}").text
    assert "Move 2 emails?" in asked
    assert 'type="datetime-local"' in asked
    assert visitor.send("/outbox/decide", None, do="later", tick=ids, at="2020-01-01T09:00").status == 422
    assert "This time is over." in visitor.text
    assert 'value="2020-01-01T09:00"' in visitor.text
    visitor.send("/outbox/decide", None, do="later", tick=ids, at=f"{day}T09:30").follow()
    assert visitor.text.count("at the earliest.") == 2
    assert {each.due_at.date() for each in stage.all(Delivery, state="pending")} == {day}
    visitor.send("/outbox/decide", None, do="cancel", tick=ids, whose="all").follow()
    assert visitor.text.count("Cancelled. It cannot leave any more.") == 2
    assert 'href="/outbox?whose=all"' in visitor.text


def test_nothing_ticked_and_nothing_known_changes_nothing(stage: Stage, office: Office) -> None:
    visitor = office.visit("/outbox/decide?do=skip").follow()
    assert "Tick emails in the list first." in visitor.text
    visitor.send("/outbox/decide", None, do="cancel", tick=["x"]).follow()
    assert "Tick emails in the list first." in visitor.text
    assert visitor.get("/outbox/decide?do=burn").status == 404
    assert visitor.get(f"/outbox/decided/{office.sequence}").status == 404
    other = office.visit(who=member(stage, "Rita Recruiter"))
    other.send("/outbox/decide", None, do="cancel", tick=[str(office.next.id)]).follow()
    assert "There is no such email." in other.text
    assert "Priya" not in other.text
    assert office.next.state == "pending"


def test_what_needs_something_first_is_filtered_by_what_it_needs(stage: Stage, office: Office) -> None:
    visitor = office.visit("/outbox?which=held&needs=field")
    assert "No email matches" in visitor.text
    stage.put(Enrollment, status="paused", reason="missing_merge_field: role", paused_at=ago())
    stage.put(Delivery, office.next.id, held=True, reason="enrollment_paused")
    assert "Role is missing." in visitor.get("/outbox?which=held&needs=field").text
    assert '<option value="field" selected>A missing field</option>' in visitor.text
    assert "Priya Raman" in visitor.get("/outbox?which=held&needs=field&q=raman").text
    assert "No email matches" in visitor.get("/outbox?which=held&needs=field&q=nobody").text
    assert "No email matches" in visitor.get("/outbox?which=held&needs=approval").text
    assert len(chosen(visitor, "?which=held&needs=nonsense")) == 1


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
    assert "somebody paused this person" in visitor.get(here).text
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


def test_suggestions_tell_people_of_one_name_and_company_apart(stage: Stage, office: Office) -> None:
    for address in ("p.rao@kestrel.example", "priya.rao@kestrel.example"):
        stage.world.enroll(
            office.sequence, email=address, first_name="Priya", last_name="Rao", company="Kestrel"
        )
    text = office.visit("/outbox").get("/search?q=priya", FOUND).text
    for address in ("p.rao@kestrel.example", "priya.rao@kestrel.example"):
        assert f"<bdi>Priya Rao</bdi> <small><bdi>{address}</bdi></small>" in text


def test_why_is_linked_from_search_and_from_needs_attention(office: Office) -> None:
    visitor = office.visit("/search?q=raman")
    assert f"/why?person={office.priya}" in visitor.text
    assert 'href="/why"' in visitor.get("/attention").text
