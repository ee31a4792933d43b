"""What pages ask in a large office: by indexes and of what they show, as the role of pages. And how often they ask."""

from uuid import UUID

import pytest
from sqlalchemy import text

from db.core.statements import CATALOGUE
from db.sequences import built
from db.views import frame, messages, overviews, people, search
from db.withdrawing import resumes
from lab.records import Sequence
from lab.stage import Stage

PEOPLE, SEQUENCES = 20_000, 400
_SEQUENCES = """INSERT INTO sequences (id, organization_id, owner_id, mailbox_id, name, status, paused_cause, paused_reason, paused_at)
SELECT gen_random_uuid(), :organization, CASE n % 2 WHEN 0 THEN CAST(:ada AS uuid) ELSE CAST(:bo AS uuid) END,
  CASE n % 2 WHEN 0 THEN CAST(:adas AS uuid) ELSE CAST(:bos AS uuid) END, 'Engineers ' || n, CASE WHEN n % 10 = 0 THEN 'paused' ELSE 'active' END,
  CASE WHEN n % 10 = 0 THEN 'x:' || n END, CASE WHEN n % 10 = 0 THEN 'SequencePaused' END, CASE WHEN n % 10 = 0 THEN now() END
FROM generate_series(1, :sequences) n"""
_STEPS = """INSERT INTO steps (id, organization_id, sequence_id, position, delay, subject, body)
SELECT gen_random_uuid(), organization_id, id, 1, 'PT0S', 'A role', 'Hello' FROM sequences"""
_PEOPLE = """INSERT INTO candidates (id, organization_id, email, first_name, last_name)
SELECT gen_random_uuid(), :organization, 'p' || n || '@example.org', 'First', 'Family' || n FROM generate_series(1, :people) n"""
_ENROLLED = """INSERT INTO enrollments (id, organization_id, sequence_id, candidate_id)
SELECT gen_random_uuid(), c.organization_id, s.id, c.id FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM candidates) c
JOIN (SELECT *, row_number() OVER (ORDER BY id) AS n FROM sequences) s ON s.n = 1 + c.n % :sequences"""
_PLANNED = """INSERT INTO deliveries (id, organization_id, enrollment_id, sequence_id, step_id, mailbox_id, due_at, held, reason)
SELECT gen_random_uuid(), e.organization_id, e.id, e.sequence_id, t.id, s.mailbox_id, now() + interval '1 day', s.status = 'paused',
  CASE s.status WHEN 'paused' THEN 'sequence_paused' END
FROM enrollments e JOIN sequences s ON s.id = e.sequence_id JOIN steps t ON t.sequence_id = s.id"""
_ANSWERS = """INSERT INTO incoming_messages (id, organization_id, mailbox_id, provider_id, sender, subject, received_at, kind, matched_by, why,
  enrollment_id, candidate_id, status)
SELECT gen_random_uuid(), e.organization_id, s.mailbox_id, 'message-' || e.id, 'a@example.org', 'Re: A role', now() - random() * interval '9 days',
  'answer', 'message_id', 'it answers', e.id, e.candidate_id, 'matched'
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM enrollments) e JOIN sequences s ON s.id = e.sequence_id WHERE e.n % 50 = 0"""

_BROUGHT = """INSERT INTO brought_in (organization_id, candidate_id, member_id)
SELECT organization_id, id, CAST(:ada AS uuid) FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM candidates) c WHERE n % 50 = 0"""


@pytest.fixture
def ada(stage: Stage) -> UUID:
    """Whose half of the sequences and people of a large office are."""
    world = stage.world
    ada, bo = world.member("Ada", role="admin"), world.member("Bo")
    values = {
        "organization": world.organization_id, "ada": ada, "bo": bo, "adas": stage.mailbox(ada), "bos": stage.mailbox(bo),
        "people": PEOPLE, "sequences": SEQUENCES,
    }  # fmt: skip
    for statement in (_SEQUENCES, _STEPS, _PEOPLE, _ENROLLED, _PLANNED, _ANSWERS, _BROUGHT):
        world.force(statement, **{name: value for name, value in values.items() if f":{name}" in statement})
    for table in (
        "sequences",
        "steps",
        "candidates",
        "enrollments",
        "deliveries",
        "incoming_messages",
        "brought_in",
    ):
        world.run(f"ANALYZE {table}")
    return ada


def test_pages_read_what_they_show_and_no_whole_table(stage: Stage, ada: UUID) -> None:
    """The bounds are pages of 8 KB, three times what it takes: a table read whole has more."""
    organization = stage.world.organization_id
    some = stage.all(Sequence)[0].id
    paused = [each.id for each in stage.all(Sequence, status="paused")][:40]
    mine = {"organization_id": organization, "member_id": ada}
    listed = {
        "organization_id": organization, "status": "", "search": "", "sort": "", "mailbox_id": None, "only": None,
    }  # fmt: skip
    start = {"after_place": 0, "after_name": "", "after_id": None, "limit": 51}
    waits = {"which": "waiting", "search": ""}
    cases: list[tuple[str, dict[str, object], int]] = [
        ("views.frame.around", {"id": ada, "most": 100}, 2_000),
        ("views.messages.page", {**mine, **waits, "before": None, "limit": 51}, 10_000),
        ("views.messages.count", {**mine, **waits}, 9_000),
        ("views.people.of_sequences", {**mine, "before": people._LAST, "limit": 51, "state": "", "sequence_id": None}, 100_000),
        ("views.search.people", {**mine, "member_id": None, "words": "family77", "examined": 500, "most": 51}, 1_500),
        ("views.overviews.sequences_of", {**listed, **start, "owner_id": ada}, 40_000),
        ("views.overviews.sequences_of", {**listed, **start, "owner_id": None}, 40_000),
        ("withdrawing.resumes.waiting", {"ids": paused, "enrollment_id": None}, 60_000),
        ("sequences.built.steps", {"id": some}, 600),
    ]  # fmt: skip
    assert None not in (built, frame, messages, overviews, search, resumes)  # which list their statements
    with stage.web_database.for_tenant(organization).transaction() as tx:
        for name, values, most in cases:
            lines = tx.execute(text(f"EXPLAIN (ANALYZE, BUFFERS) {CATALOGUE[name].text}"), values)
            plan = "\n".join(line for (line,) in lines)
            assert "Seq Scan on enrollments" not in plan, f"{name}: {plan}"
            assert "Seq Scan on deliveries" not in plan, f"{name}: {plan}"
            if "people" in name:
                assert "Seq Scan on candidates" not in plan, f"{name}: {plan}"
            blocks = int(plan.split("shared hit=")[1].split()[0].rstrip("\n"))
            print(name, blocks)
            assert blocks < most, f"{name}: {blocks} blocks: {plan}"
