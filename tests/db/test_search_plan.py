"""Searching people asks indexes, as the role of pages and with 100,000 people."""

from sqlalchemy import text

from db.core.statements import CATALOGUE
from db.views import search
from db.views.messages import Viewer
from lab.stage import Stage

_PEOPLE = """INSERT INTO candidates (id, organization_id, email, first_name, last_name, created_at)
SELECT gen_random_uuid(), CAST(:organization AS uuid), 'p' || n || '@example.org', 'First' || n % 1000, 'Family' || n, now()
FROM generate_series(CAST(:first AS int), CAST(:first AS int) + 9999) n"""


def test_a_beginning_is_read_from_four_indexes(stage: Stage) -> None:
    organization_id, member_id = stage.world.organization_id, stage.world.member()
    for first in range(1, 100_001, 10_000):
        stage.world.run(_PEOPLE, organization=organization_id, first=first)
    stage.world.run("ANALYZE candidates")
    values = {
        "organization_id": organization_id,
        "words": "family77",
        "member_id": member_id,
        "examined": 500,
        "most": 20,
    }
    with stage.web_database.for_tenant(organization_id).transaction() as tx:
        lines = tx.execute(
            text(f"EXPLAIN (ANALYZE, BUFFERS) {CATALOGUE['views.search.people'].text}"), values
        )
        plan = "\n".join(line for (line,) in lines)
        found = search.people(tx, Viewer(organization_id, None), "Family7777")
    assert {each.email for each in found} == {
        "p7777@example.org",
        *(f"p7777{n}@example.org" for n in range(10)),
    }
    for index in (
        "ix_candidates_whole_name",
        "ix_candidates_family_name",
        "ix_candidates_email",
        "ix_candidates_company_name",
    ):
        assert index in plan
    assert "Seq Scan on candidates" not in plan
