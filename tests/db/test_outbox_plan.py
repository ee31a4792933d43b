"""A page of the outbox reads a page of an index, as the role of pages and with 100,000 planned emails."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from db.core.statements import CATALOGUE
from db.views import outbox
from db.views.outbox import Wanted
from lab.records import Delivery
from lab.stage import Stage
from lab.tables import ahead

MANY = 100_000
_PEOPLE = """WITH people AS (
  INSERT INTO candidates (id, organization_id, email, first_name, last_name, created_at)
  SELECT gen_random_uuid(), CAST(:organization AS uuid), 'p' || n || '@example.org', 'First', 'Family' || n, now()
  FROM generate_series(CAST(:first AS int), CAST(:first AS int) + 2499) n RETURNING id),
places AS (
  INSERT INTO enrollments (id, organization_id, sequence_id, candidate_id)
  SELECT gen_random_uuid(), CAST(:organization AS uuid), CAST(:sequence AS uuid), id FROM people RETURNING id)
INSERT INTO deliveries (id, organization_id, enrollment_id, sequence_id, step_id, mailbox_id, due_at)
SELECT gen_random_uuid(), CAST(:organization AS uuid), p.id, CAST(:sequence AS uuid), t.id, CAST(:mailbox AS uuid),
  now() + random() * interval '30 days'
FROM places p, (SELECT id FROM steps WHERE sequence_id = CAST(:sequence AS uuid) LIMIT 1) t"""


@pytest.fixture
def owner(stage: Stage) -> Any:
    """Whose forty sequences have all of them; another sequence has one."""
    owner = stage.world.member()
    box = stage.mailbox(owner)
    for first in range(1, MANY + 1, 2_500):
        sequence = stage.world.sequence(owner, box, ("P1D",))
        # One statement inserts into tables that refer to each other.
        stage.world.force(
            _PEOPLE, organization=stage.world.organization_id, sequence=sequence, mailbox=box, first=first
        )
    stage.world.enroll(stage.world.sequence(owner, box, ("P40D",)))
    stage.world.run("ANALYZE deliveries")
    stage.world.run("ANALYZE enrollments")
    stage.world.run("ANALYZE candidates")
    return owner


def explained(stage: Stage, name: str, **values: object) -> str:
    with stage.web_database.for_tenant(stage.world.organization_id).transaction() as tx:
        lines = tx.execute(
            text(f"EXPLAIN (ANALYZE, BUFFERS) {CATALOGUE[f'views.outbox.{name}'].text}"), values
        )
        return "\n".join(line for (line,) in lines)


def test_a_page_reads_a_page_of_an_index(stage: Stage, owner: Any) -> None:
    organization = stage.world.organization_id
    place = {"organization_id": organization, "held": False, "limit": 51, "reasons": None}
    start = {"after_at": None, "after_id": None}
    nobody = {"mailbox_id": None, "sequence_id": None}
    far = {"after_at": ahead(days=20), "after_id": owner}
    for at in (start, far):
        whole = explained(stage, "whole", **place, **at)
        mine = explained(stage, "of_sequences", **place, **at, **nobody, only_of=owner)
        assert "ix_deliveries_planned " in whole
        assert "ix_deliveries_planned_of" in mine
        for plan in (whole, mine):
            assert "Seq Scan on deliveries" not in plan
            assert "Seq Scan on enrollments" not in plan
            assert "Seq Scan on candidates" not in plan


def test_a_day_is_counted_no_further_than_it_is_shown(stage: Stage, owner: Any) -> None:
    now = datetime.now(UTC)
    spans = {"begins": [now - timedelta(days=9)], "ends": [now + timedelta(days=30)]}
    given = {"organization_id": stage.world.organization_id, "held": False, "most": outbox.MOST}
    whole = explained(stage, "count_whole", **given, **spans)
    assert "Seq Scan on deliveries" not in whole
    assert "Rows Removed by Filter" not in whole
    narrowed = {"only_of": owner, "mailbox_id": None, "sequence_id": None}
    assert "Seq Scan on deliveries" not in explained(
        stage, "count_of_sequences", **given, **spans, **narrowed
    )
    with stage.web_database.for_tenant(stage.world.organization_id).transaction() as tx:
        wanted = Wanted(stage.world.organization_id)
        assert outbox.count(tx, wanted, [(now - timedelta(days=9), now + timedelta(days=60))]) == [
            outbox.MOST
        ]


def test_pages_follow_one_another_without_a_gap_or_a_repetition(stage: Stage) -> None:
    owner = stage.world.member()
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box, ("P1D",)), 7)  # all due at the same moment
    stage.world.enroll(stage.world.sequence(owner, box, ("P2D",)), 4)
    for wanted in (Wanted(stage.world.organization_id), Wanted(stage.world.organization_id, only_of=owner)):
        found: list[outbox.PlannedEmail] = []
        with stage.web_database.for_tenant(stage.world.organization_id).transaction() as tx:
            while more := outbox.planned(
                tx, wanted, after=(found[-1].due_at, found[-1].id) if found else None, limit=3
            ):
                found += more
        assert len({each.id for each in found}) == len(found) == stage.count(Delivery) == 11
        assert [each.due_at for each in found] == sorted(each.due_at for each in found)
