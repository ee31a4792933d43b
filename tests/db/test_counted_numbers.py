"""Numbers that are counted ahead are what somebody gets who goes through all rows, for everybody and every period."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import astuple
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from actions import people
from db.core.statements import CATALOGUE
from db.sequences import counted
from db.views import numbers
from db.views.messages import Viewer
from domain.numbers import By, Numbers
from lab.access_records import NumbersCount, Organization
from lab.records import Candidate
from lab.stage import Stage

_ENROLLED = """INSERT INTO enrollments (id, organization_id, sequence_id, candidate_id)
SELECT gen_random_uuid(), c.organization_id, s.id, c.id FROM candidates c, sequences s WHERE random() < 0.6"""
# Emails over ten weeks: sent, in doubt, in review, held, and some that count nowhere. People are in up to four sequences.
_EMAILS = """INSERT INTO deliveries (id, organization_id, enrollment_id, sequence_id, step_id, mailbox_id, state, due_at, sent_at, receipt_id,
  held, reason, grace_until)
SELECT x.id, e.organization_id, e.id, e.sequence_id, t.id, CASE WHEN x.o < 0.2 THEN CAST(:other AS uuid) ELSE s.mailbox_id END, x.state, x.at,
  CASE x.state WHEN 'sent' THEN x.at END, CASE x.state WHEN 'sent' THEN x.id END, x.state = 'pending' AND x.o < 0.9,
  CASE WHEN x.state <> 'sent' THEN 'paused' END, x.at
FROM enrollments e JOIN sequences s ON s.id = e.sequence_id JOIN steps t ON t.sequence_id = s.id,
LATERAL (SELECT gen_random_uuid() AS id, random() AS o, now() - random() * interval '70 days' AS at, (e.id, t.id) AS of,
  (ARRAY['sent', 'sent', 'sent', 'sent', 'sent', 'in_doubt', 'review', 'pending', 'queued'])[1 + floor(9 * random())::int] AS state) x"""
_HEARD = """INSERT INTO incoming_messages (id, organization_id, mailbox_id, provider_id, sender, received_at, recorded_at, kind, why, delivery_id,
  enrollment_id, candidate_id, bounce_class, answer_class, overruled_at, overruled_by, overrule_reason, opt_out_words, status)
SELECT gen_random_uuid(), d.organization_id, d.mailbox_id, d.id::text, 'x', x.at, x.at, x.kind, 'x', CASE WHEN x.o < 0.7 THEN d.id END, e.id,
  e.candidate_id, CASE x.kind WHEN 'bounce' THEN CASE WHEN x.o < 0.5 THEN 'hard' ELSE 'soft' END END,
  CASE WHEN x.kind = 'answer' AND x.o < 0.5 THEN 'interested' END, CASE WHEN x.o > 0.9 THEN now() END, CASE WHEN x.o > 0.9 THEN 'x' END,
  CASE WHEN x.o > 0.9 THEN 'x' END, CASE WHEN x.kind = 'opt_out' AND x.o < 0.3 THEN 'stop' END, 'matched'
FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id,
LATERAL (SELECT random() AS o, least(now(), d.sent_at + random() * interval '9 days') AS at, d.id AS of,
  (ARRAY['answer', 'answer', 'bounce', 'opt_out', 'auto_reply'])[1 + floor(5 * random())::int] AS kind) x
WHERE d.state = 'sent' AND random() < 0.5"""
_ROWS = """SELECT d.id, d.state, d.held, coalesce(d.sent_at, d.send_started_at, d.due_at), t.position, d.mailbox_id, d.sequence_id,
  e.candidate_id, s.owner_id, b.owner_id
FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id JOIN sequences s ON s.id = d.sequence_id JOIN steps t ON t.id = d.step_id
JOIN mailboxes b ON b.id = d.mailbox_id WHERE d.organization_id = :id"""
_MESSAGES = """SELECT delivery_id, enrollment_id, kind, bounce_class, answer_class, recorded_at FROM incoming_messages
WHERE overruled_at IS NULL AND opt_out_words IS NULL AND organization_id = :id"""
_ORDER = """SELECT d.id, d.sent_at FROM deliveries d WHERE d.enrollment_id = :id AND d.state = 'sent' ORDER BY d.sent_at"""

Counts = tuple[int, ...]


class Email(NamedTuple):
    id: UUID
    week: date
    left: bool
    doubt: bool
    keys: dict[By, str]
    person: UUID
    seen_by: set[UUID | None]


def office(stage: Stage, seed: float) -> tuple[list[UUID], list[UUID]]:
    """Members, and twelve people in five sequences of two of them, some from another's mailbox."""
    world = stage.world
    stage.put(Organization, time_zone="Pacific/Auckland")  # whose weeks are not those of UTC
    members = [world.member(name) for name in ("Rita One", "Theo Two", "Hans Three", "Nia Four")]
    boxes = [world.mailbox(each) for each in members] + [world.mailbox(None)]
    for at in range(5):
        world.sequence(
            members[at % 2],
            boxes[2] if at == 4 else boxes[at % 2] if at else boxes[4],
            ("PT0S", "P1D", "P1D"),
        )
    everybody = world.candidates(12)
    with world.database.transaction() as tx:
        tx.execute(text("SET LOCAL session_replication_role = replica"))
        tx.execute(text("SELECT setseed(:seed)"), {"seed": seed})
        tx.execute(text(_ENROLLED))
        tx.execute(text(_EMAILS), {"other": boxes[2]})
        tx.execute(text(_HEARD))
    return members, everybody


def by_hand(stage: Stage, viewer: UUID | None, by: By, weeks: list[date]) -> dict[str | date | None, Counts]:
    """Go through all rows. The key None: the total; a date: that week; else a row."""
    emails = list(_emails(stage))
    about: dict[UUID, set[str]] = defaultdict(set)
    rows: list[Any] = stage.world.rows(_MESSAGES, id=stage.world.organization_id)
    for answered, enrollment, kind, bounce, answer, at in rows:
        left: list[Any] = stage.world.rows(_ORDER, id=enrollment)
        earlier = [each for each, sent in left if sent <= at]
        delivery = answered or (earlier[-1] if earlier else None)
        words = {"answer": "answered", "opt_out": "opted_out"}
        if bounce == "hard":
            words["bounce"] = "bounced"
        if isinstance(delivery, UUID) and kind in words:
            about[delivery] |= {words[str(kind)]} | ({"interested"} if answer == "interested" else set())
    found: dict[str | date | None, dict[str, set[UUID]]] = defaultdict(lambda: defaultdict(set))
    for each in emails:
        if viewer in each.seen_by and each.week in weeks:
            keys: set[str | date | None] = {None, each.week}
            if by is not By.WEEK:
                keys.add(each.keys[by])
            for key in keys:
                row = found[key]
                row["sent" if each.left else "in_doubt" if each.doubt else "held"].add(each.id)
                if each.left:
                    for what in {"people"} | about[each.id]:
                        row[what].add(each.person)
    return {
        key: astuple(Numbers(**{what: len(these) for what, these in row.items()}))
        for key, row in found.items()
    }


def _emails(stage: Stage) -> Iterable[Email]:
    rows: list[Any] = stage.world.rows(_ROWS, id=stage.world.organization_id)
    for email, state, held, at, position, box, sequence, person, owner, box_owner in rows:
        left, doubt = state == "sent", state in ("in_doubt", "review")
        if left or doubt or (state == "pending" and held):
            day = at.astimezone(ZoneInfo("Pacific/Auckland")).date()
            monday = day - timedelta(days=day.weekday())
            keys = {By.STEP: str(position), By.SENDER: str(box), By.SEQUENCE: str(sequence)}
            yield Email(email, monday, left, doubt, keys, person, {None, owner, box_owner})


def shown(
    stage: Stage, viewer: UUID | None, by: By, weeks: int
) -> tuple[bool, dict[str | date | None, Counts]]:
    """What a page shows, as ``by_hand`` has it, without empty rows; and whether it was counted ahead."""
    with stage.world.database.transaction() as tx:
        found = numbers.read(tx, Viewer(stage.world.organization_id, viewer), by, weeks=weeks)
    rows: dict[str | date | None, Counts] = {None: astuple(found.total)}
    rows |= {date.fromisoformat(each.key): astuple(each.numbers) for each in found.weeks}
    if by is not By.WEEK:
        rows |= {each.key: astuple(each.numbers) for each in found.lines}
    return found.counted_at is not None, {key: row for key, row in rows.items() if any(row)}


def count(stage: Stage) -> None:
    stage.older(NumbersCount, "counted_at", days=1)
    with stage.world.database.transaction() as tx:
        counted.watch(tx, large=1)
    with stage.world.database.transaction() as tx:
        assert counted.count_next(tx) == stage.world.organization_id


def compare(stage: Stage, members: list[UUID], *, ahead: bool) -> int:
    total = 0
    for viewer in (None, *members):
        for by in By:
            for weeks in (1, 4, 12):
                with stage.world.database.transaction() as tx:
                    spans = numbers.read(tx, Viewer(stage.world.organization_id, viewer), weeks=weeks).period
                expected = by_hand(stage, viewer, by, list(spans.mondays))
                assert shown(stage, viewer, by, weeks) == (ahead, expected), (viewer, by, weeks)
                total += len(expected)
    return total


@pytest.mark.parametrize("seed", [0.1, 0.2, 0.3])
def test_what_is_counted_ahead_is_what_all_rows_say(stage: Stage, seed: float) -> None:
    members, everybody = office(stage, seed)
    assert compare(stage, members, ahead=False) > 100
    count(stage)
    assert compare(stage, members, ahead=True) > 100
    people.erase(stage.runtime, stage.world.organization_id, everybody[0], actor="Rita")
    people.erase(stage.runtime, stage.world.organization_id, everybody[1], actor="Rita")
    assert stage.count(Candidate, erased_at=None) == 10
    stage.world.run("DELETE FROM incoming_messages WHERE candidate_id = :id", id=everybody[2])
    stage.world.force("DELETE FROM deliveries WHERE state = 'sent' AND sent_at < now() - interval '40 days'")
    count(stage)
    compare(stage, members, ahead=True)


def test_a_small_organization_is_counted_when_somebody_looks(stage: Stage) -> None:
    office(stage, 0.1)
    with stage.world.database.transaction() as tx:
        assert counted.watch(tx) == 0
    with stage.world.database.transaction() as tx:
        assert counted.count_next(tx) is None
    with stage.world.database.transaction() as tx:
        assert counted.watch(tx, large=12) == 1
        assert counted.watch(tx, large=12) == 0
    with stage.world.database.transaction() as tx:
        assert counted.count_next(tx) == stage.world.organization_id
    with stage.world.database.transaction() as tx:
        assert counted.count_next(tx) is None  # it is too early


def test_two_schedulers_do_not_count_the_same(stage: Stage) -> None:
    office(stage, 0.1)
    with stage.world.database.transaction() as tx:
        counted.watch(tx, large=1)
    with stage.world.database.transaction() as one, stage.world.database.transaction() as other:
        assert counted.count_next(one) == stage.world.organization_id
        assert counted.count_next(other) is None


def test_a_page_of_numbers_counted_ahead_reads_no_emails(stage: Stage) -> None:
    with stage.web_database.for_tenant(stage.world.organization_id).transaction() as tx:
        asked = {"viewer_id": stage.world.organization_id, "kinds": ["total"], "monday": date(2026, 1, 5)}
        plan = tx.execute(
            text(f"EXPLAIN {CATALOGUE['views.numbers.kept'].text}"),
            {**asked, "by": "week", "after": 0, "limit": 50},
        )
        whole = "\n".join(line for (line,) in plan)
    assert "pk_counted_numbers" in whole
    assert "deliveries" not in whole
