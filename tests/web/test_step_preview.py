"""A step is previewed as somebody gets it, by what sends it, and sent to oneself. Judged by the ledger."""

from uuid import UUID

import pytest

from actions import building, steps, withdraw
from actions.building import Settings
from db.sequences import built
from domain.hand_edits import AddStep, words
from lab.access_records import Grant, Mailbox
from lab.records import Candidate, Sequence, Step, Suppression
from lab.stage import Stage
from lab.tables import ago, ahead
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of


@pytest.fixture
def rita(stage: Stage) -> UUID:
    found = member(stage, "Rita Recruiter")
    stage.mailbox(found)
    return found


@pytest.fixture
def sequence(stage: Stage, rita: UUID) -> UUID:
    settings = Settings("Backend engineers", None, None, ("role",))
    found, _ = building.make(
        stage.runtime, stage.world.organization_id, rita, settings, key="k", actor="Rita"
    )
    for at, said in enumerate(
        (
            words("PT0S", "Hello {{first_name}}", "For the {{role}}, {{first_name}}."),
            words("P2D", None, "Any news?"),
        )
    ):
        step_id = steps.new_step_id(found, str(at))
        steps.edit(stage.runtime, found, AddStep(step_id, 99, said), actor="Rita")
    return found


@pytest.fixture
def visitor(stage: Stage, rita: UUID, sequence: UUID) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, rita))


def priya(stage: Stage, sequence: UUID) -> UUID:
    """Somebody in the sequence who lacks nothing; returns the enrollment."""
    (found,) = stage.world.enroll(sequence, 1, first_name="Priya")
    stage.put(Candidate, fields={"role": "SRE"})
    return found


def test_without_people_it_is_a_sample_with_ones_own_name(visitor: Visitor, sequence: UUID) -> None:
    text = visitor.get(f"/sequences/{sequence}/preview").text
    assert "Hello Rita" in text
    assert "Rita Recruiter, as a sample" in text
    assert 'merge gone">Role is missing<' in text


def test_a_person_is_filled_in_and_what_they_lack_is_marked(
    stage: Stage, visitor: Visitor, sequence: UUID
) -> None:
    stage.world.enroll(sequence, 1, first_name="Priya")
    path = f"/sequences/{sequence}/preview"
    text = visitor.get(path).text
    assert "Hello Priya" in text
    assert "Role is missing, and the text has no fallback." in text
    assert "The sequence is a draft." in text
    stage.put(Candidate, fields={"role": "<b>SRE</b>"})
    text = visitor.get(path).text
    assert "For the &lt;b&gt;SRE&lt;/b&gt;, Priya." in text
    assert "is missing" not in text
    assert "Re: Hello Priya" in visitor.get(f"{path}?step=2").text


def test_an_absence_is_a_reason_until_it_is_over(stage: Stage, visitor: Visitor, sequence: UUID) -> None:
    priya(stage, sequence)
    path, people = f"/sequences/{sequence}/preview", f"/sequences/{sequence}?tab=people"
    visitor.get(f"/sequences/{sequence}/activate").send(f"/sequences/{sequence}/activate").follow()
    stage.put(Candidate, away_until=ahead(days=2), away_since=ago(), unclear_until=ahead(hours=2))
    text = visitor.get(path).text
    assert "This person is away." in text
    assert "nobody has decided yet what it means" in text
    assert "Away until" in visitor.get(people).text
    stage.put(Candidate, away_until=ago(), unclear_until=ago())
    assert "gets nothing now" not in visitor.get(path).text
    assert "Away until" not in visitor.get(people).text


def test_why_somebody_gets_nothing_and_when_the_others_do(
    stage: Stage, visitor: Visitor, sequence: UUID
) -> None:
    priya(stage, sequence)
    path = f"/sequences/{sequence}/preview"
    assert "if it starts now" in visitor.get(path).text
    visitor.get(f"/sequences/{sequence}/activate").send(f"/sequences/{sequence}/activate").follow()
    text = visitor.get(path).text
    assert "gets nothing now" not in text
    assert "2 days later" in text
    stage.world.suppress(stage.only(Candidate).email)
    assert "on the suppression list" in visitor.get(path).text
    stage.put(Mailbox, status="disconnected", status_reason="removed")
    assert "is not connected" in visitor.get(path).text


def test_a_step_sent_to_oneself_reads_as_it_would_and_reaches_nobody_else(
    stage: Stage, visitor: Visitor, rita: UUID, sequence: UUID
) -> None:
    person = priya(stage, sequence)
    step = stage.only(Step, position=1).id
    visitor.get(f"/sequences/{sequence}/preview")
    visitor.send(f"/sequences/{sequence}/steps/{step}/test", person=str(person), step="1").follow()
    assert "The step is on its way" in visitor.text
    (sent,) = stage.left()
    assert (sent.subject, list(sent.to)) == ("Hello Priya", [email_of(stage, rita)])
    assert "For the SRE, Priya." in sent.body
    assert stage.only(Sequence).status == "draft"


def test_its_opt_out_line_is_as_in_the_real_email_and_its_link_stops_nothing(
    stage: Stage, visitor: Visitor, sequence: UUID
) -> None:
    person = priya(stage, sequence)
    step = stage.only(Step, position=1).id

    def sent() -> str:
        visitor.get(f"/sequences/{sequence}/preview")
        visitor.send(f"/sequences/{sequence}/steps/{step}/test", person=str(person), step="1").follow()
        return stage.left()[-1].body

    link = f"{visitor.public_url}/o/test"
    first = sent()
    assert "stop these emails here" in first
    assert link in first
    stage.put(Sequence, opt_out_line="Nicht mehr schreiben")
    assert f'<a href="{link}">Nicht mehr schreiben</a>' in sent()
    stage.put(Sequence, opt_out_line="")
    assert link not in sent()
    assert "This is a test" in visitor.get("/o/test").text
    visitor.send_unsaid("/o/test", None, **{"List-Unsubscribe": "One-Click"})
    assert "Nothing is stopped" in visitor.text
    assert stage.count(Suppression) == 0


def test_a_step_that_cannot_be_written_is_not_sent_and_says_why(
    stage: Stage, visitor: Visitor, sequence: UUID
) -> None:
    step = stage.only(Step, position=1).id
    visitor.get(f"/sequences/{sequence}/preview").send(f"/sequences/{sequence}/steps/{step}/test").follow()
    assert "{{role}} is empty for this person" in visitor.text
    assert stage.left() == []


def test_nothing_is_sent_from_a_mailbox_whose_owner_has_ended_the_permission(
    stage: Stage, visitor: Visitor, rita: UUID
) -> None:
    hans = stage.world.member("Hans Holder")
    lent = stage.mailbox(hans)
    grant = stage.world.grant(lent, rita)
    sequence = stage.world.sequence(rita, lent, status="draft")
    step = stage.only(Step, sequence_id=sequence).id
    stage.put(Grant, grant, archived_at=ago(), archived_reason="revoked")
    path = f"/sequences/{sequence}"
    visitor.get(f"{path}/preview").send(f"{path}/steps/{step}/test").follow()
    assert "has no permission to send from" in visitor.text
    assert stage.left() == []


def test_a_stranger_to_the_sequence_is_not_previewed(
    stage: Stage, visitor: Visitor, sequence: UUID, rita: UUID
) -> None:
    other = stage.world.sequence(rita, stage.only(Sequence).mailbox_id)
    (elsewhere,) = stage.world.enroll(other, 1)
    assert visitor.get(f"/sequences/{sequence}/preview?person={elsewhere}").status == 404
    with stage.world.database.transaction() as tx:
        assert built.built(tx, sequence).name == "Backend engineers"
    withdraw.archive_sequence(stage.runtime, sequence, actor="x", reason="x")
    assert "The sequence is archived." in visitor.get(f"/sequences/{sequence}/preview").text


def test_what_is_typed_is_previewed_without_being_saved(
    stage: Stage, visitor: Visitor, sequence: UUID
) -> None:
    priya(stage, sequence)
    step = built_steps(stage, sequence)[0]
    form = visitor.get(f"/sequences/{sequence}/steps/{step}").text
    assert 'formtarget="_blank"' in form
    path = f"/sequences/{sequence}/preview/typed"
    assert f'formaction="{path}"' in form
    typed = {"thread": "new", "subject": "Hi {{first_name}}", "body": "Not saved yet, {{role}}."}
    text = visitor.send(path, None, **typed, position="1").text
    assert "Hi Priya" in text
    assert "Not saved yet, SRE." in text
    assert "It is not saved." in text
    assert 'name="body" value="Not saved yet, {{role}}."' in text
    assert "Re: Hello Priya" in visitor.send(path, thread="same", subject="", body="More.", position="3").text
    assert [each.body for each in stage.all(Step)] == ["For the {{role}}, {{first_name}}.", "Any news?"]


def test_the_first_step_of_all_is_previewed_while_it_is_written(stage: Stage, rita: UUID) -> None:
    made, _ = building.make(
        stage.runtime,
        stage.world.organization_id,
        rita,
        Settings("Empty", None, None, ()),
        key="e",
        actor="R",
    )
    visitor = Visitor(stage).sign_in(email_of(stage, rita)).get(f"/sequences/{made}/steps/new")
    text = visitor.send(
        f"/sequences/{made}/preview/typed", thread="new", subject="First", body="Hello {{first_name}}."
    ).text
    assert "Hello Rita." in text


def test_anybody_whom_one_may_see_is_found_and_others_are_not(
    stage: Stage, visitor: Visitor, rita: UUID, sequence: UUID
) -> None:
    first = priya(stage, sequence)
    (last,) = stage.world.enroll(sequence, 1, first_name="Zoe", last_name="Last")
    elsewhere = stage.world.sequence(rita, stage.only(Mailbox).id)
    stage.world.enroll(elsewhere, first_name="Kaito", last_name="Mori")
    kaito = next(each.id for each in stage.all(Candidate) if each.first_name == "Kaito")
    stage.world.candidates(1, first_name="Nobodys", last_name="Own")
    stranger = next(each.id for each in stage.all(Candidate) if each.first_name == "Nobodys")
    path = f"/sequences/{sequence}/preview"
    text = visitor.get(path).text
    assert f"person={last}" in text
    assert "Next person" in text
    assert "Previous person" not in text
    assert f"person={first}" in visitor.get(f"{path}?person={last}").text
    assert "Zoe Last" in visitor.get(f"{path}?q=zoe").text
    found = visitor.get(f"{path}?q=kaito").text
    assert "Kaito Mori (not in this sequence)" in " ".join(found.split())
    assert "Hello Kaito" in visitor.get(f"{path}?person={kaito}").text
    assert "Nobody matches." in visitor.get(f"{path}?q=nobodys").text
    assert visitor.get(f"{path}?person={stranger}").status == 404
    people_page = visitor.get(f"/sequences/{sequence}?tab=people").text
    assert f'href="{path}?person={last}' in people_page


def test_a_gap_is_filled_in_where_it_shows(stage: Stage, visitor: Visitor, sequence: UUID) -> None:
    (enrollment,) = stage.world.enroll(sequence, 1, first_name="Priya")
    person = stage.only(Candidate).id
    visitor.get(f"/sequences/{sequence}/preview")
    visitor.send(
        f"/people/{person}/fields",
        field="role",
        value="SRE",
        back="preview",
        sequence=str(sequence),
        step="1",
        enrollment=str(enrollment),
    ).follow()
    assert "For the SRE, Priya." in visitor.text


def built_steps(stage: Stage, sequence: UUID) -> list[UUID]:
    with stage.world.database.transaction() as tx:
        return [each.id for each in built.steps_of(tx, sequence)]
