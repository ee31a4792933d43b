"""A recruiter suppresses a person, with a reason and after reading what stops."""

from uuid import UUID

import pytest

from lab.records import AuditEntry, Candidate, Enrollment, Suppression
from lab.stage import Stage
from tests.web.test_api import Api, api, client  # noqa: F401 - fixtures
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of


@pytest.fixture
def rita(stage: Stage) -> UUID:
    return member(stage, "Rita Recruiter")


@pytest.fixture
def priya(stage: Stage, rita: UUID) -> UUID:
    sequence = stage.world.sequence(rita, stage.mailbox(rita), ("PT0S", "P1D"))
    stage.world.enroll(sequence, email="priya@kestrel.example", first_name="Priya")
    stage.send_due()
    return stage.only(Candidate).id


def test_she_asked_by_phone(stage: Stage, rita: UUID, priya: UUID) -> None:
    path = f"/people/{priya}/suppress"
    visitor = Visitor(stage).sign_in(email_of(stage, rita)).get(f"/people/{priya}")
    assert f'href="{path}"' in visitor.text
    assert "What stops" in visitor.get(path).text
    assert visitor.send(path, reason="unsubscribed").status == 422
    assert "Say how you know" in visitor.text
    assert stage.count(Suppression) == 0
    visitor.send(path, reason="unsubscribed", words="by phone")
    assert (
        "Nobody can write to Priya any more. 1 email stopped, nothing can leave now." in visitor.follow().text
    )
    entry = stage.only(Suppression)
    assert (entry.value, entry.reason) == ("priya@kestrel.example", "opt_out")
    assert stage.only(Enrollment).status == "stopped"
    (audited,) = [each for each in stage.all(AuditEntry) if each.action == "candidate_suppressed"]
    assert audited.data == {"reason": "unsubscribed", "enrollments": 1, "because": "by phone"}
    stage.later(2 * 86400)
    stage.send_due()
    assert len(stage.left()) == 1


def test_nobody_suppresses_a_stranger(stage: Stage, priya: UUID) -> None:
    mona = Visitor(stage).sign_in(email_of(stage, member(stage, "Mona Member")))
    assert mona.send(f"/people/{priya}/suppress", None, reason="stopped", words="x").status == 404
    assert stage.count(Suppression) == 0


def test_programs_say_how_they_know(stage: Stage, priya: UUID, api: Api) -> None:  # noqa: F811
    body = {"reason": "stopped", "because": "a client since today"}
    assert api.post(f"/candidates/{priya}/suppress", body).json()["complete"]
    assert stage.only(Suppression).reason == "by_hand"
