"""The Sequences page: each sequence's state, why one is paused, and resuming in two steps."""

from urllib.parse import quote
from uuid import UUID

import pytest

from actions import withdraw
from lab.access_records import Grant, Mailbox
from lab.records import Delivery, Sequence
from lab.stage import Stage
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of, known_account


@pytest.fixture
def rita(stage: Stage) -> UUID:
    """Rita, with a sequence from Hans's mailbox to three people, on his permission."""
    hans, rita = stage.world.member("Hans Holder"), member(stage, "Rita Recruiter")
    box = stage.mailbox(hans)
    stage.world.grant(box, rita)
    stage.world.enroll(stage.world.sequence(rita, box, ("PT0S", "P1D")), 3)
    return rita


def at_sequences(stage: Stage, member_id: UUID) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, member_id)).get("/sequences")


def test_it_says_how_a_sequence_stands(stage: Stage, rita: UUID) -> None:
    stage.send_due()
    text = at_sequences(stage, rita).text
    assert "Running" in text
    assert '3<span class="unseen"> emails sent' in text
    assert '3<span class="unseen"> people waiting' in text


@pytest.mark.row("M20", "M27", "M31")
def test_a_paused_sequence_says_why_and_comes_back_only_when_nothing_stands_in_the_way(
    stage: Stage, rita: UUID
) -> None:
    box, sequence_id = stage.only(Mailbox).id, stage.only(Sequence).id
    withdraw.revoke_grant(stage.runtime, stage.only(Grant).id, actor="Hans Holder")
    stage.run_outbox()
    visitor = at_sequences(stage, rita)
    assert f"the permission to send from {stage.address(box)} has ended" in visitor.text
    resume = f"/sequences/{sequence_id}/resume"
    visitor.get(resume)
    assert "It cannot resume yet" in visitor.text
    assert "Resume sequence" not in visitor.text
    visitor.get("/sequences").send(resume)
    assert visitor.status == 403
    stage.world.grant(box, rita)
    visitor.get(resume)
    assert "Nothing blocks it now" in visitor.text
    assert visitor.text.count("Step 1, was due") == 3
    visitor.send(resume, late="").follow()
    assert "Resumed." in visitor.text
    stage.later(60)
    stage.send_due()
    assert len(stage.left()) == 3


def test_emails_that_are_too_late_can_be_left_out(stage: Stage, rita: UUID) -> None:
    sequence_id = stage.only(Sequence).id
    withdraw.pause_sequence(stage.runtime, sequence_id, actor="Rita", reason="holidays")
    stage.run_outbox()
    stage.older(Delivery, "due_at", days=5)
    visitor = at_sequences(stage, rita)
    resume = f"/sequences/{sequence_id}/resume"
    assert "3 emails are left out" in visitor.get(f"{resume}?late=3").text
    visitor.send(resume, late="3").follow()
    stage.send_due()
    assert stage.left() == []
    assert stage.count(Delivery, reason="stale_at_resume") == 3
    assert visitor.get(f"{resume}?late=nonsense").status == 422


def test_pausing_from_the_page_stops_it_at_once(stage: Stage, rita: UUID) -> None:
    sequence_id = stage.only(Sequence).id
    visitor = at_sequences(stage, rita)
    visitor.send(f"/sequences/{sequence_id}/pause").follow()
    assert "3 emails stopped, nothing can leave now" in visitor.text
    assert (
        f'href="/sequences/{sequence_id}/resume">Resume</a>' in visitor.text
    )  # asks nothing, and can be undone
    stage.send_due()
    assert stage.left() == []


def test_others_sequences_are_nobodys_business_but_the_admins(stage: Stage, rita: UUID) -> None:
    sequence_id = stage.only(Sequence).id
    name = stage.only(Sequence).name
    mona = at_sequences(stage, member(stage, "Mona Member"))
    assert name not in mona.text
    for path in (f"/sequences/{sequence_id}/resume", f"/sequences/{sequence_id}/pause"):
        mona.get("/settings/sequences").send(path)
        assert mona.status == 404
    assert stage.only(Sequence).status == "active"
    ada = stage.world.member("Ada Admin", role="admin")
    known_account(stage, email_of(stage, ada))
    admins = at_sequences(stage, ada)
    assert name not in admins.text
    assert name in admins.get("/sequences?whose=all").text


def pause(stage: Stage) -> UUID:
    sequence_id = stage.only(Sequence).id
    withdraw.pause_sequence(stage.runtime, sequence_id, actor="Rita", reason="holidays")
    stage.run_outbox()
    return sequence_id


def test_the_choice_of_what_is_too_late_counts_whether_or_not_it_was_shown(stage: Stage, rita: UUID) -> None:
    sequence_id = pause(stage)
    stage.older(Delivery, "due_at", days=5)
    visitor = at_sequences(stage, rita)
    resume = f"/sequences/{sequence_id}/resume"
    assert visitor.get(resume).text.count("<form") == visitor.text.count("</form>")
    assert 'method="get"' not in visitor.text
    visitor.send(resume, late="1", act="resume").follow()
    assert stage.count(Delivery, reason="stale_at_resume") == 3


def test_showing_another_choice_changes_nothing_and_can_be_read_again(stage: Stage, rita: UUID) -> None:
    sequence_id = pause(stage)
    stage.older(Delivery, "due_at", days=5)
    visitor = at_sequences(stage, rita)
    resume = f"/sequences/{sequence_id}/resume"
    visitor.get(resume).send(resume, late="3", act="show")
    assert (visitor.status, visitor.url) == (303, f"{resume}?late=3")
    assert "3 emails are left out" in visitor.follow().text
    assert '<option value="3" selected>' in visitor.text
    assert stage.only(Sequence).status == "paused"


def test_a_doubled_click_on_resume_answers_the_same(stage: Stage, rita: UUID) -> None:
    sequence_id = pause(stage)
    visitor = at_sequences(stage, rita)
    resume = f"/sequences/{sequence_id}/resume"
    visitor.get(resume)
    answers = []
    for _ in range(2):
        visitor.send(resume, late="", act="resume")
        answers.append((visitor.status, visitor.url))
        visitor.get("/sequences")
    assert answers == [(303, "/sequences?done=resumed")] * 2
    stage.later(60)
    stage.send_due()
    assert len(stage.left()) == 3


def test_the_summary_and_the_button_stand_before_the_rows_and_people_have_names(
    stage: Stage, rita: UUID
) -> None:
    sequence_id = pause(stage)
    visitor = at_sequences(stage, rita).get(f"/sequences/{sequence_id}/resume")
    text = visitor.text
    assert (
        text.index("3 leave in the next minute")
        < text.index("Resume sequence")
        < text.index('<details class="fold"')
        < text.index("Step 1, was due")
    )
    assert ">Cand0</bdi></strong>" in text


def test_a_limit_that_is_used_up_is_said_on_the_pages(stage: Stage, rita: UUID) -> None:
    stage.put(Grant, daily_limit=1)
    stage.send_due()
    assert len(stage.left()) == 1
    said = "limit of this permission is used up (1 of 1); next email tomorrow 00:00"
    visitor = at_sequences(stage, rita)
    assert said in visitor.text
    sequence_id = pause(stage)
    visitor.get(f"/sequences/{sequence_id}/resume")
    assert said in visitor.text
    assert "Nothing blocks it" not in visitor.text


def test_the_senders_absence_is_named_on_the_pages(stage: Stage, rita: UUID) -> None:
    address = stage.address(stage.only(Mailbox).id)
    away = {"status": "alwaysEnabled", "externalAudience": "all"}
    stage.emulator.control.add_mailboxes({"address": address, "automatic_replies": away})
    stage.check_mailboxes()
    visitor = at_sequences(stage, rita)
    assert "Hans Holder is away" in visitor.text
    sequence_id = pause(stage)
    assert "Hans Holder is away" in visitor.get(f"/sequences/{sequence_id}/resume").text


def test_sequences_that_one_cause_has_paused_come_back_together(stage: Stage, rita: UUID) -> None:
    box = stage.only(Mailbox).id
    first = stage.only(Sequence).id
    second = stage.world.sequence(rita, box)
    stage.world.enroll(second, 2)
    withdraw.revoke_grant(stage.runtime, stage.only(Grant).id, actor="Hans Holder")
    stage.run_outbox()
    stage.world.grant(box, rita)
    visitor = at_sequences(stage, rita)
    resume = f"/sequences/{first}/resume"
    visitor.get(resume)
    assert f'name="also-{second}"' in visitor.text
    visitor.send(resume, None, act="show", late="", **{f"also-{second}": "yes"}).follow()
    assert "checked" in visitor.text
    visitor.send(resume, None, act="resume", late="", **{f"also-{second}": "yes"}).follow()
    assert {each.status for each in stage.all(Sequence)} == {"active"}


def test_a_pause_because_a_permission_ended_has_its_remedies_beside_it_on_every_page(
    stage: Stage, rita: UUID
) -> None:
    address, sequence_id = stage.address(stage.only(Mailbox).id), stage.only(Sequence).id
    withdraw.revoke_grant(stage.runtime, stage.only(Grant).id, actor="Hans Holder")
    stage.run_outbox()
    visitor = at_sequences(stage, rita)
    change = f'href="/sequences/{sequence_id}/hand-over?to={rita}">Change sender<'
    ask = f'href="/settings/sequences?ask={quote(address, safe="")}#ask">Ask Hans<'
    for path in (
        "/sequences",
        f"/sequences/{sequence_id}",
        f"/sequences/{sequence_id}?tab=people",
        f"/sequences/{sequence_id}/resume",
        "/sequences/resume",
    ):
        text = visitor.get(path).text
        assert change in text, path
        assert ask in text, path
    assert "Change the sender of" in visitor.get(f"/sequences/{sequence_id}/hand-over?to={rita}").text
    ada = stage.world.member("Ada Admin", role="admin")
    known_account(stage, email_of(stage, ada))
    others = at_sequences(stage, ada).get("/sequences?whose=all").text
    assert change in others
    assert "Ask Hans" not in others  # the permission would be Ada's, not Rita's
    stage.world.grant(stage.only(Mailbox).id, rita)  # and nothing is missing any more
    assert "Ask Hans" not in visitor.get(f"/sequences/{sequence_id}").text


def test_whoever_owns_the_lost_mailbox_is_led_to_connect_it_again(stage: Stage) -> None:
    mona = member(stage, "Mona Member")
    stage.world.enroll(stage.world.sequence(mona, stage.mailbox(mona)), 1)
    withdraw.disconnect_mailbox(stage.runtime, stage.only(Mailbox).id, actor="Mona")
    stage.run_outbox()
    assert ">Connect again<" in at_sequences(stage, mona).text
