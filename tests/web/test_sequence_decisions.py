"""Decisions about several at once on pages: people of a sequence who are paused, resumed or stopped, and sequences."""

import re
from uuid import UUID, uuid4

import pytest

from actions import withdraw
from lab.access_records import Mailbox
from lab.records import AuditEntry, Candidate, Delivery, Enrollment, Sequence, Step
from lab.stage import Stage
from lab.tables import ago, ahead
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of


@pytest.fixture
def rita(stage: Stage) -> UUID:
    """Rita, with five people in a sequence of two steps who have had the first."""
    rita = member(stage, "Rita Recruiter")
    stage.world.enroll(stage.world.sequence(rita, stage.mailbox(rita), ("PT0S", "P1D")), 5)
    stage.send_due()
    return rita


def visit(stage: Stage, member_id: UUID) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, member_id))


def here(stage: Stage) -> str:
    return f"/sequences/{stage.all(Sequence)[0].id}"


def statuses(stage: Stage) -> list[str]:
    return sorted(each.status for each in stage.all(Enrollment))


def left_afterwards(stage: Stage) -> int:
    before = len(stage.left())
    stage.later(2 * 86400)
    stage.send_due()
    return len(stage.left()) - before


def decided(visitor: Visitor, path: str, do: str, ids: list[str]) -> Visitor:
    query = "&".join(f"person={each}" for each in ids)
    visitor.get(f"{path}/people/decide?do={do}&{query}")
    assert visitor.status == 200
    return visitor.send(f"{path}/people/decide", None, do=do, person=ids).follow()


def test_chosen_people_are_stopped_after_one_page_that_says_what_it_does(stage: Stage, rita: UUID) -> None:
    path, visitor = here(stage), visit(stage, rita)
    listed = visitor.get(f"{path}?tab=people").text
    ids = re.findall(r'name="person" value="([^"]+)" form="bulk"', listed)
    assert len(ids) == 5
    stage.put(Enrollment, UUID(ids[2]), status="stopped", reason="answered")
    asked = visitor.get(f"{path}/people/decide?do=stop&{'&'.join(f'person={each}' for each in ids[:3])}").text
    assert "Stop 2 people" in asked
    assert "2 planned emails are cancelled" in asked
    assert "1 person stays as they are" in asked
    assert statuses(stage) == ["active"] * 4 + ["stopped"]  # asking changes nothing
    said = decided(visitor, path, "stop", ids[:3]).text
    assert "2 people are stopped" in said
    assert "2 emails stopped, nothing can leave now" in said
    assert statuses(stage) == ["active"] * 2 + ["stopped"] * 3
    assert stage.only(Enrollment, UUID(ids[2])).reason == "answered"  # what it was is kept
    assert stage.count(AuditEntry, action="enrollment_stopped") == 2
    assert "Nobody was left to change" in decided(visitor, path, "stop", ids[:3]).text  # a second click
    assert left_afterwards(stage) == 2


def test_chosen_people_are_paused_and_resumed_and_get_nothing_twice(stage: Stage, rita: UUID) -> None:
    path, visitor = here(stage), visit(stage, rita)
    ids = [str(each.id) for each in stage.all(Enrollment)][:3]
    assert "3 people are paused" in decided(visitor, path, "pause", ids).text
    stage.put(Enrollment, UUID(ids[0]), reason="missing_merge_field: role")
    assert left_afterwards(stage) == 2
    text = visitor.get(f"{path}?tab=people").text
    assert (text.count(">Paused</span>"), text.count(">Blocked</span>")) == (2, 1)
    said = decided(visitor, path, "resume", ids).text
    assert "2 people are resumed" in said  # a field is filled in where it is missing
    stage.later(2 * 86400)
    stage.send_due()
    assert sorted(statuses(stage)) == ["finished"] * 4 + ["paused"]
    assert len(stage.left()) == 9


def test_nobody_resumes_in_a_sequence_that_does_not_run(stage: Stage, rita: UUID) -> None:
    path, visitor = here(stage), visit(stage, rita)
    ids = [str(each.id) for each in stage.all(Enrollment)]
    decided(visitor, path, "pause", ids)
    withdraw.pause_sequence(stage.runtime, stage.only(Sequence).id, actor="Rita", reason="holidays")
    asked = visitor.get(f"{path}/people/decide?do=resume&person={ids[0]}").text
    assert "The sequence itself does not run" in asked
    assert "is paused, not active" in decided(visitor, path, "resume", ids).text
    assert statuses(stage) == ["paused"] * 5


def test_each_person_has_the_verbs_in_the_list(stage: Stage, rita: UUID) -> None:
    path, visitor = here(stage), visit(stage, rita)
    first = stage.all(Enrollment)[0]
    one = f"/people/{first.candidate_id}/enrollments/{first.id}"
    text = visitor.get(f"{path}?tab=people").text
    pending = next(each for each in stage.all(Delivery, enrollment_id=first.id) if each.state == "pending").id
    for link in (
        f'href="{path}/preview?person={first.id}&amp;step=2"',
        f'action="{one}/pause"',
        f'href="/outbox/{pending}/skip?from=sequence"',
        f'href="{path}/people/decide?do=stop&amp;person={first.id}"',
    ):
        assert link in text, link
    visitor.send(f"{one}/pause", None, back="sequence")
    assert visitor.url.startswith(f"{path}?tab=people")
    text = visitor.follow().text
    assert "is paused in" in text
    assert f'action="{one}/resume"' in text
    visitor.send(f"{one}/resume", None, back="sequence").follow()
    assert statuses(stage) == ["active"] * 5
    asked = visitor.get(f"/outbox/{pending}/skip?from=sequence").text
    assert f'href="{path}?tab=people"' in asked.replace("&#39;", "'")
    visitor.send(f"/outbox/{pending}/skip", None, back="sequence")
    assert visitor.url.startswith(f"{path}?tab=people")


def test_people_are_filtered_by_step_and_each_state_has_one_word_on_all_pages(
    stage: Stage, rita: UUID
) -> None:
    path, visitor = here(stage), visit(stage, rita)
    paused, away, asked, late, doubt = (each for each in stage.all(Enrollment))
    stage.put(Enrollment, paused.id, status="paused", paused_at=ago(), reason="by_hand")
    stage.put(Candidate, away.candidate_id, away_until=ahead(days=3), away_since=ago())
    stage.put(Step, stage.only(Step, position=2).id, kind="approval")
    waiting = {each.enrollment_id: each.id for each in stage.all(Delivery) if each.state == "pending"}
    stage.put(Delivery, waiting[asked.id], held=True, reason="waits_for_approval")
    stage.put(Enrollment, late.id, status="paused", paused_at=ago(), reason="opt_out_proposed")
    stage.world.overwrite(Delivery, where={"id": waiting[doubt.id]}, state="in_doubt", reason="answer_lost")
    words = {"paused": "Paused", "away": "Away", "approval": "Needs approval", "in_review": "In review"}
    for state, word in words.items():
        for page in (f"{path}?tab=people", "/people?q="):
            text = visitor.get(f"{page}&state={state}").text
            rows = text.count("tickcell")
            assert rows == (2 if state == "in_review" else 1), (page, state)
            assert text.count(f">{word}</span>") == rows, (page, state)
            assert f'<option value="{state}" selected>{word}</option>' in text, (page, state)
    at = [visitor.get(f"{path}?tab=people&step={step}").text.count("tickcell") for step in (1, 2)]
    assert (sum(at), min(at) > 0) == (5, True)
    assert "Nobody matches" in visitor.get(f"{path}?tab=people&step=9").text
    assert visitor.get(f"{path}?tab=people&step=x").status == 200


def test_several_sequences_are_paused_and_archived_at_once(stage: Stage, rita: UUID) -> None:
    first = stage.only(Sequence).id
    second = stage.world.sequence(rita, stage.only(Mailbox).id, ("P1D",))
    draft = stage.world.sequence(rita, stage.only(Mailbox).id, status="draft")
    stage.world.enroll(second, 2)
    visitor = visit(stage, rita).get("/sequences")
    ids = re.findall(r'name="sequence" value="([^"]+)" form="bulk"', visitor.text)
    assert {UUID(each) for each in ids} == {first, second, draft}
    query = "&".join(f"sequence={each}" for each in ids)
    asked = visitor.get(f"/sequences/decide?do=pause&{query}").text
    assert "Pause 2 sequences" in asked
    assert "7 people wait until somebody resumes" in asked
    assert "1 sequence stays as it is" in asked
    visitor.send("/sequences/decide", None, do="pause", sequence=ids).follow()
    assert "2 sequences are paused. 7 emails stopped, nothing can leave now" in visitor.text
    stage.run_outbox()
    assert {each.id: each.status for each in stage.all(Sequence)} == {
        first: "paused", second: "paused", draft: "draft",
    }  # fmt: skip
    visitor.send("/sequences/decide", None, do="pause", sequence=ids).follow()  # a second click
    assert "No sequence was left to change" in visitor.text
    asked = visitor.get(f"/sequences/decide?do=archive&{query}").text
    assert "Archive 3 sequences" in asked
    visitor.send("/sequences/decide", None, do="archive", sequence=ids).follow()
    assert "3 sequences are archived" in visitor.text
    assert {each.status for each in stage.all(Sequence)} == {"archived"}
    assert left_afterwards(stage) == 0


def test_setting_back_to_draft_asks_first_and_says_what_it_stops(stage: Stage, rita: UUID) -> None:
    path, visitor = here(stage), visit(stage, rita)
    for page in ("/sequences", path):
        text = visitor.get(page).text
        assert f'href="{path}/deactivate"' in text
        assert f'action="{path}/deactivate"' not in text
    asked = visitor.get(f"{path}/deactivate").text
    assert "5 people keep their places and wait" in asked
    assert stage.only(Sequence).status == "active"
    visitor.send(f"{path}/deactivate").follow()
    assert "is a draft again" in visitor.text
    assert "a draft already" in visitor.get(f"{path}/deactivate").text


def test_others_people_and_sequences_are_nobodys_to_decide_about(stage: Stage, rita: UUID) -> None:
    path = here(stage)
    ids = [str(each.id) for each in stage.all(Enrollment)]
    mona = member(stage, "Mona Member")
    own = stage.world.sequence(mona, stage.mailbox(mona))
    visitor = visit(stage, mona)
    for page in (
        f"{path}/people/decide?do=stop&person={ids[0]}",
        f"/sequences/decide?do=archive&sequence={stage.all(Sequence)[0].id}",
        f"{path}/deactivate",
        f"/sequences/{own}/people/decide?do=nonsense&person={ids[0]}",
    ):
        assert visitor.get(page).status == 404, page
    visitor.get("/sequences")
    assert visitor.send(f"{path}/people/decide", None, do="stop", person=ids).status == 404
    # By a sequence of their own, they reach nobody who is in another.
    visitor.get("/sequences").send(f"/sequences/{own}/people/decide", None, do="stop", person=ids).follow()
    assert "Nobody was left to change" in visitor.text
    sequences = [str(each.id) for each in stage.all(Sequence)]
    assert visitor.send("/sequences/decide", None, do="archive", sequence=sequences).status == 404
    assert statuses(stage) == ["active"] * 5
    visitor.get(f"/sequences/{own}/people/decide?do=stop").follow()
    assert "Choose people in the list first" in visitor.text
    assert visitor.get(f"/sequences/decide?do=pause&sequence={uuid4()}").status == 404
