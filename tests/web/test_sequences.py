"""The Sequences page: how they stand, why one is paused, and coming back in two steps."""

from uuid import UUID

import pytest

from actions import withdraw
from tests.stage import Stage
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of, known_account


@pytest.fixture
def rita(stage: Stage) -> UUID:
    """Rita, with a sequence to three people from Hans's mailbox, on his permission."""
    hans, rita = stage.world.member("Hans Holder"), member(stage, "Rita Recruiter")
    box = stage.mailbox(hans)
    stage.world.grant(box, rita)
    stage.world.enroll(stage.world.sequence(rita, box, ("PT0S", "P1D")), 3)
    return rita


def at_sequences(stage: Stage, member_id: UUID) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, member_id)).get("/sequences")


def only(stage: Stage, table: str) -> UUID:
    return UUID(str(stage.world.one(f"SELECT id FROM {table}")))


def test_it_says_how_a_sequence_stands(stage: Stage, rita: UUID) -> None:
    stage.send_due()
    text = at_sequences(stage, rita).text
    assert "Running" in text
    assert "3 emails sent" in text
    assert "3 people waiting" in text


def test_m20_m27_m31_a_paused_sequence_says_why_and_comes_back_only_when_nothing_stands_in_the_way(
    stage: Stage, rita: UUID
) -> None:
    box, sequence_id = only(stage, "mailboxes"), only(stage, "sequences")
    withdraw.revoke_grant(stage.runtime, only(stage, "grants"), actor="Hans Holder")
    stage.run_outbox()
    visitor = at_sequences(stage, rita)
    assert f"the permission to send from {stage.address(box)} was ended" in visitor.text
    resume = f"/sequences/{sequence_id}/resume"
    visitor.get(resume)
    assert "Not yet" in visitor.text
    assert "Resume it" not in visitor.text
    visitor.get("/sequences").send(resume)
    assert visitor.status == 403
    stage.world.grant(box, rita)
    visitor.get(resume)
    assert "Nothing stands in the way any more" in visitor.text
    assert visitor.text.count("step 1, was due") == 3
    visitor.send(resume, late="").follow()
    assert "Resumed." in visitor.text
    stage.later(60)
    stage.send_due()
    assert len(stage.left()) == 3


def test_emails_that_are_too_late_can_be_left_out(stage: Stage, rita: UUID) -> None:
    sequence_id = only(stage, "sequences")
    withdraw.pause_sequence(stage.runtime, sequence_id, actor="Rita", reason="holidays")
    stage.run_outbox()
    stage.world.run("UPDATE deliveries SET due_at = due_at - interval '5 days'")
    visitor = at_sequences(stage, rita)
    resume = f"/sequences/{sequence_id}/resume"
    assert "3 emails are left out" in visitor.get(f"{resume}?late=3").text
    visitor.send(resume, late="3").follow()
    stage.send_due()
    assert stage.left() == []
    assert stage.world.one("SELECT count(*) FROM deliveries WHERE reason = 'stale_at_resume'") == 3
    assert visitor.get(f"{resume}?late=nonsense").status == 422


def test_pausing_from_the_page_stops_it_at_once(stage: Stage, rita: UUID) -> None:
    sequence_id = only(stage, "sequences")
    visitor = at_sequences(stage, rita)
    visitor.send(f"/sequences/{sequence_id}/pause").follow()
    assert "3 emails stopped, nothing can leave now" in visitor.text
    assert (
        f'href="/sequences/{sequence_id}/resume">Resume</a>' in visitor.text
    )  # asks nothing, and can be undone
    stage.send_due()
    assert stage.left() == []


def test_others_sequences_are_nobodys_business_but_the_admins(stage: Stage, rita: UUID) -> None:
    sequence_id = only(stage, "sequences")
    name = str(stage.world.one("SELECT name FROM sequences"))
    mona = at_sequences(stage, member(stage, "Mona Member"))
    assert name not in mona.text
    for path in (f"/sequences/{sequence_id}/resume", f"/sequences/{sequence_id}/pause"):
        mona.get("/settings/sequences").send(path)
        assert mona.status == 404
    assert stage.world.one("SELECT status FROM sequences") == "active"
    ada = stage.world.member("Ada Admin", role="admin")
    known_account(stage, email_of(stage, ada))
    admins = at_sequences(stage, ada)
    assert name not in admins.text
    assert name in admins.get("/sequences?whose=all").text
