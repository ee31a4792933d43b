"""The list of people asks indexes, as the role of pages and with 100,000 people."""

from uuid import UUID

import pytest
from sqlalchemy import text

from db.core.ids import new_id
from db.core.statements import CATALOGUE
from db.views import people
from db.views.messages import Viewer
from lab.records import Candidate
from lab.stage import Stage

_PEOPLE = """INSERT INTO candidates (id, organization_id, email, first_name, last_name, created_at)
SELECT gen_random_uuid(), CAST(:organization AS uuid), 'p' || n || '@example.org', 'First' || n % 1000, 'Family' || n, now()
FROM generate_series(CAST(:first AS int), CAST(:first AS int) + 9999) n"""
_ENROLLED = """INSERT INTO enrollments (id, organization_id, sequence_id, candidate_id, status, reason)
SELECT gen_random_uuid(), organization_id, CAST(:sequence AS uuid), id, CASE WHEN email LIKE '%77@%' THEN 'stopped' ELSE 'active' END,
  CASE WHEN email LIKE '%77@%' THEN 'answered' END FROM candidates WHERE email LIKE CAST(:which AS text)"""


@pytest.fixture
def rita(stage: Stage) -> UUID:
    """A member with 10,000 of 100,000 people."""
    for first in range(1, 100_001, 10_000):
        stage.world.run(_PEOPLE, organization=stage.world.organization_id, first=first)
    stage.world.run("ANALYZE candidates")
    rita, theo = stage.world.member("Rita"), stage.world.member("Theo")
    for owner, which in ((rita, "7@example.org"), (theo, "8@example.org")):
        sequence = stage.world.sequence(owner, stage.mailbox(owner))
        for digit in range(10):
            stage.world.run(_ENROLLED, sequence=sequence, which=f"%{digit}{which}")
    for table in ("candidates", "enrollments", "sequences"):
        stage.world.run(f"ANALYZE {table}")
    return rita


def test_pages_of_people_are_read_from_indexes(stage: Stage, rita: UUID) -> None:
    organization_id = stage.world.organization_id
    asked = {"organization_id": organization_id, "before": people._LAST, "limit": 51}
    named = {"organization_id": organization_id, "state": "", "in_none": False, "limit": 51}
    cases = {
        "everybody": (asked, 60),
        "of_sequences": ({**asked, "member_id": rita, "state": "", "sequence_id": None}, 400),
        "everybody_up": ({**named, "name": "first5 family5", "email": "p5@example.org"}, 60),
        "everybody_down": ({**named, "name": chr(0x10FFFF), "email": ""}, 60),
    }
    with stage.web_database.for_tenant(organization_id).transaction() as tx:
        for name, (values, most) in cases.items():
            lines = tx.execute(
                text(f"EXPLAIN (ANALYZE, BUFFERS) {CATALOGUE[f'views.people.{name}'].text}"), values
            )
            plan = "\n".join(line for (line,) in lines)
            assert "Seq Scan on candidates" not in plan, plan
            assert "Seq Scan on enrollments" not in plan, plan
            blocks = int(plan.split("shared hit=")[1].split()[0].rstrip("\n"))
            assert blocks < most, plan
        viewer = Viewer(organization_id, rita)
        first = people.page(tx, viewer)
        second = people.page(tx, viewer, before=first.before)
        answered = people.page(tx, viewer, state="answered")
    assert [len(each.listed) for each in (first, second, answered)] == [50, 50, 50]
    ids = [each.id for each in (*first.listed, *second.listed)]
    assert ids == sorted(set(ids), reverse=True)
    assert all(each.email.endswith("7@example.org") for each in (*first.listed, *second.listed))
    assert {each.state for each in answered.listed} == {"answered"}


def test_people_by_name_who_have_none_are_read_from_the_index_too(stage: Stage, rita: UUID) -> None:
    stage.world.run("UPDATE candidates SET first_name = '', last_name = ''")
    stage.world.run("ANALYZE candidates")
    organization_id = stage.world.organization_id
    asked = {"organization_id": organization_id, "state": "", "in_none": False, "limit": 51}
    with stage.web_database.for_tenant(organization_id).transaction() as tx:
        found = CATALOGUE["views.people.everybody_up"].text
        lines = tx.execute(
            text(f"EXPLAIN (ANALYZE, BUFFERS) {found}"), {**asked, "name": "", "email": "p5@example.org"}
        )
        plan = "\n".join(line for (line,) in lines)
        assert "ix_candidates_whole_name" in plan, plan
        assert "Sort" not in plan, plan
        viewer = Viewer(organization_id, rita)
        first = people.page(tx, viewer, sort="name")
        second = people.page(tx, viewer, sort="name", before=first.before)
    emails = [each.email for each in (*first.listed, *second.listed)]
    assert len(set(emails)) == 100


@pytest.mark.parametrize("everybody", [True, False])
def test_pages_by_name_follow_one_another_without_a_gap_or_a_repetition(
    stage: Stage, everybody: bool
) -> None:
    owner = stage.world.member()
    sequence = stage.world.sequence(owner, stage.mailbox(owner))
    stage.world.enroll(sequence, 5, first_name="", last_name="")
    stage.world.enroll(sequence, 5, first_name="Jo", last_name="Adler")
    stage.world.enroll(sequence, 3, first_name="Jo", last_name="Zed")
    viewer = Viewer(stage.world.organization_id, None if everybody else owner)
    expected = [each.id for each in stage.all(Candidate)]
    sorts: list[people.Sort] = ["name", "name_down"]
    turned = []
    with stage.web_database.for_tenant(stage.world.organization_id).transaction() as tx:
        for sort in sorts:
            ids: list[UUID] = []
            found = people.page(tx, viewer, sort=sort, limit=2)
            while True:
                ids += [each.id for each in found.listed]
                if found.before is None:
                    break
                found = people.page(tx, viewer, sort=sort, before=found.before, limit=2)
            assert sorted(ids) == sorted(expected)
            turned.append(ids)
        stopped = people.page(tx, viewer, sort="name", state="stopped").listed
        waiting = people.page(tx, viewer, sort="name", state="waiting", sequence=sequence).listed
        free = people.page(tx, viewer, sort="name", in_none=True).listed
        searched = people.page(tx, viewer, sort="name_down", words="jo").listed
    assert turned[0] == turned[1][::-1]
    names = [each.name for each in waiting]
    assert [names.index("Jo Adler"), names.index("Jo Zed")] == [5, 10]
    assert (len(stopped), len(waiting), len(free)) == (0, 13, 0)
    assert [each.name for each in searched] == ["Jo Zed"] * 3 + ["Jo Adler"] * 5


def test_nobody_is_listed_for_a_member_whom_they_do_not_concern(stage: Stage) -> None:
    stage.world.candidates(3)
    with stage.web_database.for_tenant(stage.world.organization_id).transaction() as tx:
        assert people.page(tx, Viewer(stage.world.organization_id, new_id())).listed == []
        assert len(people.page(tx, Viewer(stage.world.organization_id, None)).listed) == 3
