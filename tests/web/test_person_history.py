"""A person's page tells what happened to them besides messages, and resumes whom somebody stopped."""

from uuid import UUID

import pytest

from actions import people_imports, withdraw
from actions.people_imports import Choices, Doer
from db.views.messages import Viewer
from lab.records import Candidate, Delivery, Enrollment
from lab.stage import Stage
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of
from tests.workers.test_read_mailbox import answers


@pytest.fixture
def rita(stage: Stage) -> UUID:
    return member(stage, "Rita Recruiter")


@pytest.fixture
def box(stage: Stage, rita: UUID) -> UUID:
    return stage.mailbox(rita)


@pytest.fixture
def priya(stage: Stage, rita: UUID, box: UUID) -> UUID:
    """Rita has enrolled her; she has had the first of three emails."""
    sequence = stage.world.sequence(rita, box, ("PT0S", "P1D", "P1D"))
    viewer = Viewer(stage.world.organization_id, rita)
    (person,) = stage.world.candidates(1, email="priya@kestrel.example", first_name="Priya")
    doer = Doer(viewer, rita, f"member:{rita}", admin=True)
    people_imports.add(
        stage.runtime, doer, {"email": "priya@kestrel.example", "first_name": "Priya"}, Choices(sequence)
    )
    stage.send_due()
    return person


def visit(stage: Stage, rita: UUID, priya: UUID) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, rita)).get(f"/people/{priya}")


def words(visitor: Visitor) -> str:
    return " ".join(visitor.text.split())


def test_the_timeline_tells_who_did_what(stage: Stage, rita: UUID, priya: UUID) -> None:
    visitor = visit(stage, rita, priya)
    here = f"/people/{priya}/enrollments/{stage.only(Enrollment).id}"
    visitor.send(f"{here}/pause").follow()
    visitor.send(f"{here}/resume").follow()
    pending = stage.only(Delivery, state="pending").id
    visitor.get(f"/outbox/{pending}/skip?from=person").send(f"/outbox/{pending}/skip").follow()
    visitor.get(f"/people/{priya}").send(
        f"/people/{priya}/fields", field="title", value="CTO", was=""
    ).follow()
    visitor.send(f"{here}/stop").follow()
    text = words(visitor.get(f"/people/{priya}"))
    for said in (
        "<strong>Enrolled · <bdi>",
        "<strong>Paused · <bdi>",
        "<strong>Resumed · <bdi>",
        "<strong>Skipped step 2 · <bdi>",
        "<strong>Stopped · <bdi>",
        "<strong>Field changed</strong>",
    ):
        assert said in text
    assert "by <bdi>Rita Recruiter</bdi>: <bdi>title</bdi>" in text
    enrolled = text.index("<strong>Enrolled")
    assert "by <bdi>Rita Recruiter</bdi>" in text[enrolled : enrolled + 400]
    assert text.index("<strong>Stopped") < text.index("<strong>Paused") < enrolled
    only = words(visitor.get(f"/people/{priya}?only=messages"))
    assert "<strong>Paused" not in only
    assert "Step 1 from" in only


def test_whoever_was_stopped_by_hand_resumes_where_they_stood(stage: Stage, rita: UUID, priya: UUID) -> None:
    here = f"/people/{priya}/enrollments/{stage.only(Enrollment).id}"
    visitor = visit(stage, rita, priya)
    assert "you can resume this sequence on their page" in words(visitor.get(f"{here}/stop"))
    visitor.send(f"{here}/stop").follow()
    assert stage.only(Enrollment).status == "stopped"
    assert f'action="{here}/resume"' in visitor.text
    assert "is resumed in" in visitor.send(f"{here}/resume").follow().text
    assert stage.only(Enrollment).standing == ("active", None)
    stage.later(2 * 86400)
    stage.read(stage.only(Delivery, state="sent").mailbox_id)
    stage.send_due()
    assert len(stage.left()) == 2


def test_nobody_resumes_after_a_no(stage: Stage, rita: UUID, box: UUID, priya: UUID) -> None:
    enrollment = stage.only(Enrollment).id
    here = f"/people/{priya}/enrollments/{enrollment}"
    visitor = visit(stage, rita, priya)
    visitor.send(f"{here}/stop").follow()
    answers(stage, box, "priya@kestrel.example")
    stage.read(box)
    assert "has written since" in visitor.send(f"{here}/resume").follow().text
    withdraw.suppress_candidate(stage.runtime, priya, actor="Ada", reason="unsubscribed")
    assert "is on the suppression list" in visitor.send(f"{here}/resume").follow().text
    assert stage.only(Enrollment).status == "stopped"
    assert stage.only(Candidate).email == "priya@kestrel.example"


def test_nobody_is_in_two_sequences_by_a_resume(stage: Stage, rita: UUID, box: UUID, priya: UUID) -> None:
    here = f"/people/{priya}/enrollments/{stage.only(Enrollment).id}"
    visitor = visit(stage, rita, priya)
    visitor.send(f"{here}/stop").follow()
    other = stage.world.sequence(rita, box, ("P1D",))
    viewer = Viewer(stage.world.organization_id, rita)
    doer = Doer(viewer, rita, f"member:{rita}", admin=True)
    people_imports.enroll_known(stage.runtime, doer, [priya], Choices(other, anyway="a test"))
    assert "Stop that sequence for them first." in visitor.send(f"{here}/resume").follow().text
