"""A person's address is corrected on their page: previewed, and refused in words where somebody could get an email twice or after a no."""

from uuid import UUID

import pytest
from typer.testing import CliRunner

from lab.records import Candidate, Enrollment
from lab.stage import Stage
from tests.commands.test_planned_commands import operator, said  # noqa: F401 - a fixture
from tests.web.test_api import Api, api, client, is_problem  # noqa: F401 - fixtures
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of
from tests.workers.test_follow import bounce, titles
from tests.workers.test_read_mailbox import people

NEW = "priya@kestrel.example"


@pytest.fixture
def rita(stage: Stage) -> UUID:
    return member(stage, "Rita Recruiter")


@pytest.fixture
def priya(stage: Stage, rita: UUID) -> UUID:
    """Whose first email came back."""
    box = stage.mailbox(rita)
    stage.world.enroll(stage.world.sequence(rita, box, ("PT0S", "P1D")))
    stage.send_due()
    bounce(stage, box, people(stage)[0], "5.1.1")
    stage.read(box)
    return stage.only(Candidate).id


def visit(stage: Stage, rita: UUID) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, rita))


def test_the_notice_leads_to_the_form_and_the_form_shows_what_goes_on(
    stage: Stage, rita: UUID, priya: UUID
) -> None:
    old, path = stage.only(Candidate).email, f"/people/{priya}/address"
    assert any("came back" in each for each in titles(stage))
    visitor = visit(stage, rita).get("/notifications")
    assert f'href="{path}"' in visitor.text
    assert f'href="{path}"' in visitor.get(f"/people/{priya}").text
    visitor.get(path).send(path, address=NEW, was=old)
    assert "step 1 did not arrive" in visitor.text
    assert stage.only(Candidate).email == old
    visitor.send(path, address=NEW, was=old, read=NEW)
    assert f"has the address {NEW} now. 1 sequence goes on." in visitor.follow().text
    stage.send_due()
    text = visitor.get(f"/people/{priya}").text
    assert [each.to for each in stage.left()] == [[old], [NEW]]
    assert f"<dt>To</dt><dd><bdi>{old}</bdi>" in text
    assert f"<dt>To</dt><dd><bdi>{NEW}</bdi>" in text
    visitor.get(path).send(path, address="other@kestrel.example", was=old, read="other@kestrel.example")
    assert visitor.status == 422
    assert f"Somebody corrected it to {NEW} meanwhile." in visitor.text


def test_somebody_elses_address_is_refused_with_a_link_to_them(stage: Stage, rita: UUID, priya: UUID) -> None:
    (other,) = stage.world.enroll(
        stage.world.sequence(rita, stage.mailbox(rita), ("P1D",)), email="taken@example.org"
    )
    taken = next(each.candidate_id for each in stage.all(Enrollment) if each.id == other)
    path = f"/people/{priya}/address"
    visitor = visit(stage, rita).get(path)
    visitor.send(path, address="Taken@example.org")
    assert visitor.status == 422
    assert "is the address of another person" in visitor.text
    assert f'href="/people/{taken}"' in visitor.text
    stage.world.suppress("no@example.org")
    visitor.get(path).send(path, address="no@example.org")
    assert "no@example.org gets no more emails." in visitor.text


def test_nobody_corrects_a_stranger(stage: Stage, priya: UUID) -> None:
    mona = visit(stage, member(stage, "Mona Member"))
    assert mona.send(f"/people/{priya}/address", None, address=NEW).status == 404
    assert mona.get(f"/people/{priya}/address").status == 404


def test_programs_and_operators_correct_it_too(
    stage: Stage,
    priya: UUID,
    api: Api,  # noqa: F811
    operator: CliRunner,  # noqa: F811
) -> None:
    path, old = f"/candidates/{priya}/address", stage.only(Candidate).email
    foreseen = api.post(path, {"address": NEW, "dry_run": True}).json()
    assert [(each["goes"], each["step"]) for each in foreseen["places"]] == [("again", 1)]
    assert api.post(path, {"address": NEW, "was": old}).json()["address"] == NEW
    is_problem(api.post(path, {"address": "x@example.org", "was": old}), 422)
    stage.attend()
    output = said(operator, "candidate", "correct-address", NEW, "third@kestrel.example", "--yes")
    assert "has the address third@kestrel.example now." in output
