"""A sequence's page and the list of sequences: numbers, history, people added, filters and sorting."""

import re
from uuid import UUID

import pytest

from actions import withdraw
from db.audit import audit
from lab.access_records import Mailbox
from lab.records import Enrollment, Sequence
from lab.stage import Stage
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of


@pytest.fixture
def rita(stage: Stage) -> UUID:
    """Rita, with three people in a sequence of two steps who have had the first."""
    rita = member(stage, "Rita Recruiter")
    stage.world.enroll(stage.world.sequence(rita, stage.mailbox(rita), ("PT0S", "P1D")), 3)
    stage.send_due()
    return rita


def visit(stage: Stage, member_id: UUID) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, member_id))


def listed(text: str) -> list[UUID]:
    return [UUID(each) for each in re.findall(r'row"><a href="/sequences/([^"]+)"', text)]


def test_people_are_added_from_the_head_and_one_from_the_tab(stage: Stage, rita: UUID) -> None:
    sequence = stage.only(Sequence).id
    path, visitor = f"/sequences/{sequence}", visit(stage, rita)
    assert f'href="/people/import?sequence={sequence}"' in visitor.get(path).text
    assert f'href="/people/add?sequence={sequence}"' in visitor.get(f"{path}?tab=people").text
    visitor.get(f"/people/add?sequence={sequence}")
    visitor.send("/people/add", email="new@candidates.example", first_name="Nora", sequence=str(sequence))
    assert visitor.url.startswith(f"{path}?tab=people")
    assert "Nora" in visitor.follow().text
    withdraw.archive_sequence(stage.runtime, sequence, actor="Rita", reason="done")
    for tab in ("", "?tab=people"):
        assert "sequence=" not in visitor.get(f"{path}{tab}").text.replace("by=step&amp;sequence=", "")


def test_steps_say_how_many_answered_and_bounced_and_lead_to_the_numbers(stage: Stage, rita: UUID) -> None:
    sequence = stage.only(Sequence).id
    first, second, _ = stage.all(Enrollment)
    stage.put(Enrollment, first.id, status="stopped", reason="answered")
    stage.put(Enrollment, second.id, status="stopped", reason="bounced")
    visitor = visit(stage, rita)
    text = visitor.get(f"/sequences/{sequence}").text
    assert "Email · 3 sent · 1 answered · 1 bounced" in text
    assert f'href="/numbers?by=step&amp;sequence={sequence}">Numbers</a>' in text.replace(
        "&sequence", "&amp;sequence"
    )
    assert '1<span class="unseen"> person answered' in visitor.get("/sequences").text


def test_the_history_says_who_did_what_fifty_at_a_time(stage: Stage, rita: UUID) -> None:
    sequence = stage.only(Sequence).id
    path, visitor = f"/sequences/{sequence}", visit(stage, rita)
    withdraw.pause_sequence(stage.runtime, sequence, actor="Ada Novak", reason="on holiday until May")
    stage.run_outbox()
    visitor.get(f"{path}/resume").send(f"{path}/resume", late="", act="resume").follow()
    visitor.get(path).send(f"{path}/deactivate").follow()
    text = visitor.get(f"{path}?tab=history").text
    rows = re.findall(r'<th scope="row">([^<]+)', text)
    assert rows[:3] == ["Set a sequence back to draft", "Resumed a sequence", "Paused a sequence"]
    assert "Rita Recruiter" in text
    assert "Answered" not in text  # what a withdrawal stopped is on its own page
    with stage.world.database.transaction() as tx:
        for _ in range(55):
            audit.write(
                tx, stage.world.organization_id, "Ada Novak", "step_changed", f"sequence:{sequence}", {}
            )
    text = visitor.get(f"{path}?tab=history").text
    (link,) = re.findall(r'rel="next" href="([^"]+)"', text)
    assert text.count('<th scope="row">') == 50
    later = visitor.get(link.replace("&amp;", "&")).text
    assert later.count('<th scope="row">') >= 3
    assert "Paused a sequence" in later
    assert visitor.get(f"{path}?tab=history&before=x").status == 200
    mona = visit(stage, member(stage, "Mona Member"))
    assert mona.get(f"{path}?tab=history").status == 404


def test_the_list_is_filtered_by_sender_and_sorted_by_next_email_and_answers(
    stage: Stage, rita: UUID
) -> None:
    first = stage.only(Sequence).id
    hans = stage.world.member("Hans Holder")
    lent = stage.mailbox(hans)
    stage.world.grant(lent, rita)
    later = stage.world.sequence(rita, lent, ("P3D",))
    draft = stage.world.sequence(rita, lent, status="draft")
    stage.world.enroll(later, 2)
    (answered, _) = stage.all(Enrollment, sequence_id=later)
    stage.put(Enrollment, answered.id, status="stopped", reason="answered")
    visitor = visit(stage, rita)
    assert listed(visitor.get("/sequences?sort=next").text) == [first, later, draft]
    assert listed(visitor.get("/sequences?sort=answered").text)[0] == later
    text = visitor.get("/sequences").text
    assert f'<option value="{lent}">Hans Holder</option>' in text
    assert set(listed(visitor.get(f"/sequences?sender={lent}").text)) == {later, draft}
    own = next(each.id for each in stage.all(Mailbox) if each.id != lent)
    assert listed(visitor.get(f"/sequences?sender={own}").text) == [first]
    assert visitor.get("/sequences?sender=x&sort=x").status == 200
    for verb in ("archive", "duplicate", "hand-over", "deactivate"):
        assert f"/sequences/{first}/{verb}" in text, verb


def test_sorted_lists_go_on_where_the_page_before_ended(stage: Stage, rita: UUID) -> None:
    box = stage.only(Mailbox).id
    for _ in range(54):
        stage.world.sequence(rita, box)
    visitor = visit(stage, rita)
    for sort in ("next", "answered"):
        seen = listed(visitor.get(f"/sequences?sort={sort}").text)
        (link,) = re.findall(r'rel="next" href="([^"]+)"', visitor.text)
        seen += listed(visitor.get(link.replace("&amp;", "&")).text)
        assert sorted(seen) == sorted(each.id for each in stage.all(Sequence)), sort
