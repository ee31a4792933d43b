"""(j) How long pages take until their first byte, in an office that has used the product for years."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import psycopg
from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.runtime import Runtime
from db.access import operators, sessions
from db.core import measurements
from db.core.session import Database
from db.views import operations
from lab.access_records import Member
from lab.benchmarks.bed import Bed, percentile, tree_cpu
from lab.embedded import free_port
from lab.nemesis.site import Site
from observability import configure_logging
from scheduler import numbers

Row = dict[str, Any]

_FIRST = 6  # requests of a page that do not count: statements are planned, and connections opened
PAGES = (
    "/sequences",
    "/sequences?whose=all",
    "/sequences?whose=all&q=engineers+49",
    "/sequences?whose=all&status=attention",
    "/sequences/{sequence}",
    "/sequences/{sequence}?tab=people",
    "/sequences/{paused}/resume",
    "/sequences/resume?whose=all",
    "/people",
    "/people?whose=all",
    "/people?whose=all&q=family77",
    "/people/{person}",
    "/people/{person}/messages",
    "/messages",
    "/messages?whose=all",
    "/outbox",
    "/outbox?whose=all",
    "/attention",
    "/attention?whose=all",
    "/notifications",
    "/numbers",
    "/numbers?by=step&weeks=26",
    "/numbers?by=sender",
    "/numbers?by=sequence",
    "/numbers?by=step&sequence={sequence}",
    "/operations",
    "/operations?over=day",
    "/why?q=family77",
    "/search?q=family77",
    "/settings/sequences",
    "/settings/email",
    "/settings/suppressions",
    "/settings/team",
    "/settings/api",
    "/settings/audit",
    "/live",
)

# As after years of use. Foreign keys are not checked while it is written; every row that a page joins is there.
_SEQUENCES = """INSERT INTO sequences (id, organization_id, owner_id, mailbox_id, name, status, paused_cause, paused_reason, paused_at)
SELECT gen_random_uuid(), :organization, (CAST(:owners AS uuid[]))[1 + n % :members], (CAST(:boxes AS uuid[]))[1 + n % :members],
  'Backend engineers ' || n, CASE WHEN n % 25 = 3 THEN 'paused' WHEN n % 10 = 1 THEN 'draft' ELSE 'active' END,
  CASE WHEN n % 25 = 3 THEN 'mailbox:' || n END, CASE WHEN n % 25 = 3 THEN 'MailboxDisconnected' END,
  CASE WHEN n % 25 = 3 THEN now() - interval '1 hour' END
FROM generate_series(1, :sequences) n"""
_STEPS = """INSERT INTO steps (id, organization_id, sequence_id, position, delay, subject, body)
SELECT gen_random_uuid(), organization_id, id, p, CASE p WHEN 1 THEN 'PT0S' ELSE 'P30D' END, CASE p WHEN 1 THEN 'A role' END,
  'Hello {{first_name|there}}' FROM sequences, generate_series(1, 2) p"""
_PEOPLE = """INSERT INTO candidates (id, organization_id, email, first_name, last_name, company)
SELECT gen_random_uuid(), :organization, 'p' || n || '@example.org', 'First' || n % 1000, 'Family' || n, 'Kestrel'
FROM generate_series(1, :people) n"""
_ENROLLED = """INSERT INTO enrollments (id, organization_id, sequence_id, candidate_id, status, reason, paused_at, created_at)
SELECT gen_random_uuid(), c.organization_id, s.id, c.id, CASE WHEN c.n % 500 = 0 THEN 'paused' WHEN c.n % 20 = 0 THEN 'stopped' ELSE 'active' END,
  CASE WHEN c.n % 500 = 0 THEN 'missing_merge_field: role' WHEN c.n % 20 = 0 THEN 'answered' END,
  CASE WHEN c.n % 500 = 0 THEN now() END, now() - interval '40 days'
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM candidates) c
JOIN (SELECT *, row_number() OVER (ORDER BY id) AS n FROM sequences WHERE kind = 'sequence') s ON s.n = 1 + c.n % :sequences"""
_SENT = """INSERT INTO deliveries (id, organization_id, enrollment_id, sequence_id, step_id, mailbox_id, state, due_at, sent_at, receipt_id)
SELECT x.key, e.organization_id, e.id, e.sequence_id, t.id, s.mailbox_id, 'sent', x.at, x.at, x.key
FROM enrollments e JOIN sequences s ON s.id = e.sequence_id JOIN steps t ON t.sequence_id = s.id AND t.position = 1,
LATERAL (SELECT gen_random_uuid() AS key, now() - interval '30 days' * random() - interval '1 hour' AS at, e.id) x"""
_RECEIPTS = """INSERT INTO receipts (delivery_id, organization_id, owner_id, mailbox_id, sender, authority, connection_version, lane_epoch,
  checks, template_version, known_by, accepted_at)
SELECT d.id, d.organization_id, s.owner_id, d.mailbox_id, b.address, 'own_mailbox', 1, 0, '[]', 1, 'answer', d.sent_at
FROM deliveries d JOIN sequences s ON s.id = d.sequence_id JOIN mailboxes b ON b.id = d.mailbox_id WHERE d.state = 'sent'"""
_PLANNED = """INSERT INTO deliveries (id, organization_id, enrollment_id, sequence_id, step_id, mailbox_id, due_at, held, reason)
SELECT gen_random_uuid(), e.organization_id, e.id, e.sequence_id, t.id, s.mailbox_id, now() + interval '60 days' * random() + interval '1 hour',
  s.status <> 'active' OR e.status = 'paused', CASE WHEN s.status <> 'active' OR e.status = 'paused' THEN 'sequence_paused' END
FROM enrollments e JOIN sequences s ON s.id = e.sequence_id JOIN steps t ON t.sequence_id = s.id AND t.position = 2
WHERE e.status <> 'stopped'"""
_ANSWERS = """INSERT INTO incoming_messages (id, organization_id, mailbox_id, provider_id, sender, subject, received_at, kind, matched_by, why,
  delivery_id, enrollment_id, candidate_id, handled_at, handled_by, status)
SELECT gen_random_uuid(), d.organization_id, d.mailbox_id, 'message-' || d.id, c.email, 'Re: A role', d.sent_at + interval '1 hour', 'answer',
  'message_id', 'it answers', d.id, e.id, c.id, x.done, CASE WHEN x.done IS NOT NULL THEN 'Rita' END, 'matched'
FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id,
LATERAL (SELECT CASE WHEN random() < 0.9 THEN now() END AS done, d.id) x
WHERE d.state = 'sent' AND e.reason = 'answered'"""
_NOTICES = """WITH made AS (INSERT INTO events (id, organization_id, kind, cause_key, actor_kind, actor_id, actor_name, payload, occurred_at)
  SELECT gen_random_uuid(), :organization, 'SequencePaused', 'person:' || n, 'member', 'rita', 'Rita', '{}', now() - n * interval '1 minute'
  FROM generate_series(1, :notices) n RETURNING id, cause_key, occurred_at)
INSERT INTO notices (id, organization_id, owner_id, event_id, cause_key, channel, title, body, created_at, read_at)
SELECT gen_random_uuid(), :organization, :me, id, cause_key, 'in_app', 'A sequence is paused', 'Nobody gets an email.', occurred_at,
  CASE WHEN random() < 0.95 THEN now() END FROM made"""
_MEASURED = """INSERT INTO measurements (minute, figures)
SELECT m.minute - n * interval '1 minute', m.figures FROM measurements m, generate_series(1, 1439) n"""
_TABLES = (
    "sequences, steps, candidates, enrollments, deliveries, receipts, incoming_messages, events, notices"
)


def pages(bed: Bed, *, quick: bool) -> list[Row]:
    """Ask every main page of an admin, as the role of the web process, and time it: 5,000 sequences, 100,000 people, 10,000 notices."""
    sizes = (200, 4_000, 500) if quick else (5_000, 100_000, 10_000)
    world = bed.stage.world
    members = [world.member(role="admin" if n == 0 else "member") for n in range(50)]
    _fill(bed, members, *sizes)
    me = members[0]
    named = {
        "sequence": world.one(
            "SELECT id FROM sequences WHERE owner_id = :me AND status = 'active' LIMIT 1", me=me
        ),
        "paused": world.one("SELECT id FROM sequences WHERE status = 'paused' LIMIT 1"),
        "person": world.one("SELECT candidate_id FROM incoming_messages LIMIT 1"),
    }
    bed.stage.put(Member, me, account_id="me")
    with world.database.transaction() as tx:
        cookie = sessions.open_session(tx, me)
        operators.add(tx, me, actor="bench")
        found = operations.measure(tx, {})
        measurements.keep(tx, operations.figures(found), operations.as_json(found))
    world.run(_MEASURED)
    began = time.perf_counter()
    numbers.count(world.database)
    counting = time.perf_counter() - began
    configure_logging("auto", "warning")  # a line for each request would be all that one sees
    with _site(bed) as site:
        site.http.cookies.set("onbehalf", cookie)
        timed = [_timed(bed, site.http, path.format(**named), 4 if quick else 60) for path in PAGES]
    return [{"name": "counting the numbers", "p50 ms": 1000 * counting}, *timed]


def _fill(bed: Bed, members: list[UUID], sequences: int, people: int, notices: int) -> None:
    world = bed.stage.world
    values: Row = {
        "organization": world.organization_id,
        "owners": members,
        "boxes": [bed.stage.mailbox(each) for each in members],
        "members": len(members),
        "me": members[0],
        "sequences": sequences,
        "people": people,
        "notices": notices,
    }
    with world.database.engine.connect() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("SET statement_timeout = 0"))
        for statement in (
            _SEQUENCES,
            _STEPS,
            _PEOPLE,
            _ENROLLED,
            _SENT,
            _RECEIPTS,
            _PLANNED,
            _ANSWERS,
            _NOTICES,
        ):
            connection.execute(text(statement), values)
        connection.commit()
        connection.execute(text("SET session_replication_role = DEFAULT"))
        connection.rollback()
    with world.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text(f"VACUUM ANALYZE {_TABLES}"))


@contextmanager
def _site(bed: Bed) -> Iterator[Site]:
    """The web process's application, with its role in the database and its keys."""
    runtime = bed.stage.runtime
    url = make_url(runtime.settings.database_url).set(username="onbehalf_web", password="its-own")
    with psycopg.connect(runtime.settings.database_url.replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute("ALTER ROLE onbehalf_web LOGIN PASSWORD 'its-own'")
    port = free_port()
    settings = replace(
        runtime.settings,
        database_url=url.render_as_string(hide_password=False),
        public_url=f"http://127.0.0.1:{port}",
        secret_keys=(),
        web_secret_keys=runtime.keys.web_keys(),
        sealing_public_key=runtime.keys.public_key,
    )
    database = Database(settings.database_url, pool_size=8, application="bench-web")
    own = Runtime(settings, database)
    site = Site(own, port)
    try:
        yield site
    finally:
        site.close()
        own.close()
        configure_logging("auto", "info")


def _timed(bed: Bed, http: httpx.Client, path: str, times: int) -> Row:
    """Milliseconds until the first byte, and of CPU: Postgres's, and the web process's with whoever asks. Without the first requests.

    On a machine that is busy otherwise the CPU still says what a page costs.
    """
    taken: list[float] = []
    cpu = own = 0.0
    for number in range(times + _FIRST):
        if number == _FIRST:
            cpu, own = tree_cpu(bed.postgres.pid), time.process_time()
        began = time.perf_counter()
        with http.stream("GET", path) as answer:
            took = time.perf_counter() - began
            answer.read()
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")
        if number >= _FIRST:
            taken.append(1000 * took)
    own = time.process_time() - own
    shown = "/".join("…" if len(each) == 36 else each for each in path.replace("?", "/?").split("/")).replace(
        "/?", "?"
    )
    return {
        "name": shown,
        "p50 ms": percentile(taken, 0.5),
        "p95 ms": percentile(taken, 0.95),
        "postgres ms": 1000 * (tree_cpu(bed.postgres.pid) - cpu) / times,
        "web ms": 1000 * own / times,
    }
