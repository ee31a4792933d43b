"""Tests speak through the verbs of a stage (lab/stage.py, lab/tables.py), not in SQL: what is left of it only goes down."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# Whose very subject is SQL or the database's server: constraints, privileges, tenants, plans, migrations, somebody who
# tampers past every rule, a session that breaks.
ABOUT_SQL = {
    "conftest.py",
    "databases.py",
    "db/test_audit_chain.py",
    "db/test_authority.py",
    "db/test_claims_plan.py",
    "db/test_close_lanes.py",
    "db/test_constraints.py",
    "db/test_constraints_in_migrations.py",
    "db/test_counted_numbers.py",
    "db/test_dispatch_plan.py",
    "db/test_due_times.py",
    "db/test_entra_login.py",
    "db/test_every_statement.py",
    "db/test_holds.py",
    "db/test_mailbox_reads_plan.py",
    "db/test_migrations.py",
    "db/test_moves.py",
    "db/test_operations_plan.py",
    "db/test_outbox_plan.py",
    "db/test_pages_plan.py",
    "db/test_people_plan.py",
    "db/test_sent_in_name_plan.py",
    "db/test_privileges.py",
    "db/test_receipts.py",
    "db/test_release_before.py",
    "db/test_retention.py",
    "db/test_search_plan.py",
    "db/test_session.py",
    "db/test_statements.py",
    "db/test_tenants.py",
    "db/test_tenants_migration.py",
    "db/test_trouble.py",
    "deploy/test_roles.py",
    "deploy/test_tls.py",
    "lab/exam/test_planting.py",
    "lab/matrix/conftest.py",
    "lab/test_embedded.py",
    "test_databases.py",
    "web/test_failures.py",
    "web/test_health.py",
    "workers/test_health.py",
    "workers/test_start.py",
}
BUDGET = 4  # statements in all other tests; lower it when there are fewer
_STATEMENT = re.compile(
    r"\s*(SELECT|UPDATE|INSERT INTO|DELETE FROM|WITH \w+ AS|ALTER|CREATE|DROP|TRUNCATE|SET|GRANT|REVOKE|LOCK|COPY|EXPLAIN)\b"
)


def statements(source: str) -> Iterator[tuple[int, str]]:
    """The strings of a module that are SQL, each with its line."""
    tree = ast.parse(source)
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in parts:
                pass
            case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
                pass
            case _:
                continue
        if _STATEMENT.match(text):
            yield node.lineno, text


def test_no_test_says_in_sql_what_a_stage_has_a_verb_for() -> None:
    found = [
        f"tests/{name}:{line}: {text.strip()[:60]}"
        for path in sorted(TESTS.rglob("*.py"))
        if (name := path.relative_to(TESTS).as_posix()) not in ABOUT_SQL and "node_modules" not in name
        for line, text in statements(path.read_text())
    ]
    listed = "\n".join(found)
    assert len(found) <= BUDGET, f"use the verbs of lab/tables.py, or add one there:\n{listed}"
    assert len(found) == BUDGET, f"there are {len(found)} left: lower BUDGET to that"


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('run("UPDATE lanes SET tokens = 4")', 1),
        ('one("SELECT id"\n    " FROM members")', 1),
        ('rows(f"SELECT * FROM {table}")', 1),
        ('text("""\n    DELETE FROM notices""")', 1),
        ('says("Select a mailbox")', 0),
        ('f"{name} SELECT"', 0),
    ],
)
def test_a_statement_is_found_however_it_is_written(source: str, count: int) -> None:
    assert len(list(statements(source))) == count
