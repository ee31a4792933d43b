"""A step that can be sent to nobody pauses its sequence, notifies its owner once, and loses nobody."""

import re
from uuid import UUID

import pytest

from actions import resume
from db.sending.content import Content
from db.sequences.imports import write_steps
from domain.errors import NotPermitted
from domain.message import OutgoingMessage, Unsubscribe
from lab.records import Enrollment, Notice, Sequence, Step
from lab.stage import Stage
from lab.tables import PRESENT
from workers.compose import compose_email

WRONG = (
    "Hello {first_name}",
    "Dear *|FNAME|*",
    "Hi {{nickname}}",
    "Hi {{first_name",
    "{% if x %}Hi{% endif %}",
)


def start(stage: Stage, body: str, people: int = 3) -> UUID:
    """Store steps that today's checks have not seen."""
    owner = stage.world.member()
    sequence = stage.world.sequence(owner, stage.mailbox(owner), ("PT0S", "P1D"), body=body)
    stage.world.enroll(sequence, people)
    return sequence


def edit(stage: Stage, sequence: UUID, body: str) -> None:
    with stage.world.database.transaction() as tx:
        steps = [("PT0S", "A role at Acme", body), ("P1D", None, body)]
        write_steps(tx, stage.world.organization_id, sequence, steps)


def written(stage: Stage) -> list[str]:
    """What people got to read above the one line that leads to the opt-out page."""
    texts, ways_out = zip(*(entry.body.strip().split("\n") for entry in stage.left()), strict=True)
    assert all(re.fullmatch(r'<p><a href="[^"]+/o/[\w-]+">[^<]+</a></p>', each) for each in ways_out)
    return list(texts)


@pytest.mark.parametrize("body", WRONG)
def test_everybody_waits_the_owner_hears_once_and_gets_the_corrected_text_once(
    stage: Stage, body: str
) -> None:
    sequence = start(stage, body)
    stage.send_due()
    stage.run_outbox()
    assert stage.world.states() == {"pending": 3}
    found = stage.only(Sequence)
    assert (found.status, found.paused_reason) == ("paused", "StepRefused")
    assert {each.status for each in stage.all(Enrollment)} == {"active"}
    notice = stage.only(Notice, channel="in_app")
    assert notice.title.startswith("Step 1 of Sequence")
    assert any(way_out in notice.body for way_out in ("Write {{", "Use one of: ", "There are no conditions"))
    with pytest.raises(NotPermitted, match="Step 1: "):
        resume.resume_sequence(stage.runtime, sequence, actor="Rita")
    edit(stage, sequence, "Hello {{first_name}}")
    assert len(resume.resume_sequence(stage.runtime, sequence, actor="Rita").planned) == 3
    stage.later(60)
    stage.send_due()
    assert sorted(written(stage)) == [f"<p>Hello Cand{n}</p>" for n in range(3)]
    stage.later(60)
    assert stage.send_due() == 0
    assert stage.world.states() == {"sent": 3, "pending": 3}


def test_edited_between_reading_and_refusing_it_is_sent_as_it_is_now(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    sequence = start(stage, "Hello {first_name}", 1)

    def edited_meanwhile(content: Content, way_out: Unsubscribe | None) -> OutgoingMessage:
        monkeypatch.setattr("workers.send_step.compose_email", compose_email)
        edit(stage, sequence, "Hello {{first_name}}")
        return compose_email(content, way_out)  # as it was read

    monkeypatch.setattr("workers.send_step.compose_email", edited_meanwhile)
    stage.send_due()
    stage.run_outbox()
    assert written(stage) == ["<p>Hello Cand0</p>"]
    assert stage.only(Sequence).status == "active"
    assert stage.notices() == []


def test_a_second_person_who_meets_it_after_its_event_waits_with_the_others(stage: Stage) -> None:
    sequence = start(stage, "Hello {first_name}", 1)
    stage.send_due()
    stage.world.enroll(sequence, 1)
    stage.send_due()
    stage.run_outbox()
    assert stage.world.states() == {"pending": 2}
    edit(stage, sequence, "Hello {{first_name}}")
    resume.resume_sequence(stage.runtime, sequence, actor="Rita")
    stage.later(60)
    stage.send_due()
    assert len(stage.left()) == 2


def test_a_thread_goes_on_whose_subject_would_be_refused_today(stage: Stage) -> None:
    owner = stage.world.member()
    sequence = stage.world.sequence(owner, stage.mailbox(owner), ("PT0S", "P1D"))
    stage.world.enroll(sequence)
    stage.send_due()
    stage.put(Step, where={"subject": PRESENT}, subject="A role at {company} (first_name)")
    stage.later(86400)
    stage.send_due()
    assert stage.world.states() == {"sent": 2}
    assert stage.left()[1].subject == "RE: A role at Acme"
