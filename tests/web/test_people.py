"""People: whom a member sees in the list, and bringing them in without a file."""

import re
from uuid import UUID

import pytest

from db.core.ids import new_id
from lab.records import AuditEntry, Candidate, Enrollment, Sequence
from lab.stage import Stage
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of, known_account


@pytest.fixture
def rita(stage: Stage) -> UUID:
    return member(stage, "Rita Recruiter")


@pytest.fixture
def ada(stage: Stage) -> UUID:
    ada = stage.world.member("Ada Novak", role="admin")
    known_account(stage, email_of(stage, ada))
    return ada


def visit(stage: Stage, who: UUID) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, who)).get("/people")


def test_an_empty_list_starts_an_import(stage: Stage, rita: UUID) -> None:
    visitor = visit(stage, rita)
    assert "No people yet" in visitor.text
    assert 'href="/people/import"' in visitor.text


def test_members_see_their_own_people_and_admins_everybody(stage: Stage, rita: UUID, ada: UUID) -> None:
    theo = stage.world.member("Theo")
    stage.world.enroll(stage.world.sequence(rita, stage.mailbox(rita)), last_name="Weber")
    stage.world.enroll(stage.world.sequence(theo, stage.mailbox(theo)), last_name="Mori")
    stage.world.candidates(1, last_name="Nobodys")
    hers = visit(stage, rita)
    assert "Weber" in hers.text
    assert "Mori" not in hers.text
    assert "Mori" not in hers.get("/people?whose=all").text
    assert "Nobody matches" in hers.get("/people?q=mori").text
    everybody = visit(stage, ada).get("/people?whose=all").text
    assert all(name in everybody for name in ("Weber", "Mori", "Nobodys"))


def test_the_owner_of_a_lent_mailbox_sees_whom_it_has_written_to(stage: Stage, rita: UUID, ada: UUID) -> None:
    box = stage.mailbox(rita)
    stage.world.grant(box, ada)
    sequence = stage.world.sequence(ada, box)
    stage.world.enroll(sequence, last_name="Written")
    stage.send_due()
    stage.world.put(Sequence, status="draft")
    stage.world.enroll(sequence, last_name="Unwritten")
    text = visit(stage, rita).text
    assert "Written" in text
    assert "Unwritten" not in text
    assert "In no sequence of yours" in text


def test_people_are_found_by_state(stage: Stage, rita: UUID) -> None:
    sequence = stage.world.sequence(rita, stage.mailbox(rita))
    first, _ = stage.world.enroll(sequence, 2)
    stage.world.put(Enrollment, first, status="stopped", reason="answered")
    visitor = visit(stage, rita)
    assert (visitor.text.count(">Answered</span>"), visitor.text.count(">Waiting</span>")) == (1, 1)
    assert visitor.get("/people?state=answered").text.count('class="tickcell"') == 1
    assert visitor.get("/people?state=bounced").text.count('class="tickcell"') == 0
    for nonsense in ("state=x", "before=x", "whose=x", "q=%25"):
        assert visitor.get(f"/people?{nonsense}").status == 200


def test_the_list_is_sorted_by_links_in_its_header(stage: Stage, rita: UUID) -> None:
    sequence = stage.world.sequence(rita, stage.mailbox(rita))
    for first in ("Cara", "Ada", "Bo"):
        stage.world.enroll(sequence, first_name=first, last_name="Novak")
    visitor = visit(stage, rita).get("/people")

    def names() -> list[str]:
        return re.findall(r"<bdi>(\w+) Novak</bdi>", visitor.text)

    assert names() == ["Bo", "Ada", "Cara"]
    assert 'aria-sort="descending"><a class="sort" href="/people?">Added' in visitor.text
    visitor.get(re.findall(r'class="sort" href="([^"]+)">Person', visitor.text)[0])
    assert names() == ["Ada", "Bo", "Cara"]
    assert visitor.text.count("aria-sort") == 1
    visitor.get(re.findall(r'aria-sort="ascending"><a class="sort" href="([^"]+)"', visitor.text)[0])
    assert names() == ["Cara", "Bo", "Ada"]
    assert '<option value="name_down" selected>' in visitor.text
    assert 'href="/people/export.csv?sort=name_down"' in visitor.text
    lines = visitor.get("/people/export.csv?sort=name").text.splitlines()[1:]
    assert [each.split()[0] for each in lines] == ["Ada", "Bo", "Cara"]
    assert visitor.get("/people?sort=nonsense").status == 200


def test_one_person_is_added_by_hand(stage: Stage, rita: UUID) -> None:
    sequence = str(stage.world.sequence(rita, stage.mailbox(rita)))
    visitor = visit(stage, rita).get("/people/add")
    refused = visitor.send("/people/add", email="nobody", last_name="Weber", sequence=sequence)
    assert refused.status == 422
    assert 'value="Weber"' in refused.text
    person = {"email": "Jonas@example.org", "first_name": "Jonas", "last_name": "Weber"}
    for said in ("Added. 1 person enrolled", "Nobody was enrolled"):
        visitor.get("/people/add").send("/people/add", None, **person, sequence=sequence).follow()
        assert said in visitor.text
    assert [each.email for each in stage.all(Candidate)] == ["jonas@example.org"]
    assert stage.world.count(Enrollment) == 1


def test_known_people_are_enrolled_after_a_look_at_what_keeps_them_out(
    stage: Stage, rita: UUID, ada: UUID
) -> None:
    first, second = (stage.world.sequence(ada, stage.mailbox(ada)) for _ in range(2))
    stage.world.enroll(first, email="busy@example.org")
    (free,) = stage.world.candidates(1, email="free@example.org")
    (busy,) = (each.id for each in stage.all(Candidate, email="busy@example.org"))
    visitor = visit(stage, ada).get(f"/people/enroll?person={free}&person={busy}")
    form: dict[str, str | list[str]] = {"person": [str(free), str(busy)], "sequence": str(second)}
    foreseen = visitor.send("/people/enroll", None, do="check", **form)
    assert "1 person would be enrolled" in foreseen.text
    assert "in another sequence" in foreseen.text
    assert stage.world.count(Enrollment) == 1
    visitor.send("/people/enroll", None, do="enroll", **form).follow()
    assert "1 person enrolled" in visitor.text
    assert "1 person is not: in another sequence." in visitor.text
    visitor.send("/people/enroll", None, do="enroll", anyway="She asked for both", **form)
    data = stage.all(AuditEntry, action="people_enrolled")[-1].data
    assert (data["enrolled"], data["anyway"]) == (1, "She asked for both")
    assert stage.world.count(Enrollment) == 3


def test_members_cannot_enroll_anyway_nor_people_whom_they_do_not_see(stage: Stage, rita: UUID) -> None:
    sequence = str(stage.world.sequence(rita, stage.mailbox(rita)))
    (stranger,) = stage.world.candidates(1)
    visitor = visit(stage, rita)
    assert "Nobody is chosen" in visitor.get(f"/people/enroll?person={stranger}").text
    for person in (str(stranger), str(new_id()), "x"):
        assert visitor.send("/people/enroll", do="enroll", person=person, sequence=sequence).status == 422
    refused = visitor.send("/people/add", email="a@example.org", sequence=sequence, anyway="because")
    assert "Only an owner or admin can enroll people anyway." in refused.text
    assert stage.world.count(Enrollment) == 0


def test_the_list_is_filtered_by_sequence_and_taken_away_as_it_is(
    stage: Stage, rita: UUID, ada: UUID
) -> None:
    box = stage.mailbox(rita)
    first, second = stage.world.sequence(rita, box), stage.world.sequence(rita, box)
    stage.world.enroll(first, last_name="Weber", company="Kestrel Grid")
    stage.world.enroll(second, last_name="=Mori")
    stage.world.candidates(1, last_name="Nobodys")
    theirs = visit(stage, rita)
    text = theirs.get(f"/people?sequence={first}").text
    assert "Weber" in text
    assert "Mori" not in text
    assert "Weber" in theirs.get("/people?q=kestrel").text
    assert "Mori" not in theirs.text
    assert "Nobody matches" in theirs.get("/people?sequence=none").text
    stage.put(Enrollment, stage.only(Enrollment, sequence_id=second).id, status="finished")
    assert "Mori" in theirs.get("/people?sequence=none").text
    assert "Weber" not in theirs.text
    everybody = visit(stage, ada).get("/people?sequence=none&whose=all").text
    assert all(name in everybody for name in ("Mori", "Nobodys"))
    assert "Weber" not in everybody
    lines = theirs.get("/people/export.csv").text.splitlines()
    assert lines[0] == "name,email,title,company,state,sequence,last email,next email"
    assert len(lines) == 3
    assert not any(line.startswith("=") for line in lines)
    assert len(theirs.get(f"/people/export.csv?sequence={first}").text.splitlines()) == 2


def test_search_finds_companies_and_archived_sequences(stage: Stage, rita: UUID) -> None:
    sequence = stage.world.sequence(rita, stage.mailbox(rita))
    stage.world.enroll(sequence, last_name="Weber", company="Kestrel Grid")
    stage.put(Sequence, sequence, status="archived", name="Long gone")
    visitor = visit(stage, rita)
    assert "Weber" in visitor.get("/search?q=kestrel").text
    assert "Long gone" in visitor.get("/search?q=gone").text
    assert "Archived" in visitor.text
