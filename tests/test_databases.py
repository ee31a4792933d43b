"""The database that a test gets is like a new one, whatever the test before did to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import LiteralString

import psycopg
import pytest

from tests.conftest import Servers
from tests.databases import Databases

_FILL: LiteralString = "INSERT INTO organizations (id, name, time_zone) SELECT gen_random_uuid(), n::text, 'UTC' FROM generate_series(1, {}) n"


@dataclass(frozen=True)
class Process:
    """Takes databases one after another, as the tests of one process do."""

    databases: Databases
    connect: Callable[[str], psycopg.Connection[tuple[object, ...]]]

    def run(self, *statements: LiteralString) -> tuple[int, object]:
        """Be a test that does that. Returns how many organizations it found, and which database it was, whatever its name."""
        name = self.databases.take()
        with self.connect(name) as connection:
            found = connection.execute(
                "SELECT (SELECT count(*) FROM organizations), oid FROM pg_database WHERE datname = current_database()"
            ).fetchone()
            for each in statements:
                connection.execute(each.replace("THIS", name).encode())
        self.databases.give_back(name)
        assert found is not None
        return int(str(found[0])), found[1]


@pytest.fixture
def process(servers: Servers) -> Iterator[Process]:
    databases = Databases(servers.admin_dsn)
    yield Process(databases, lambda name: psycopg.connect(servers.admin_dsn, dbname=name, autocommit=True))
    databases.drop_spare()


def test_rows_are_gone(process: Process) -> None:
    _, first = process.run(_FILL.format(10))
    assert process.run() == (0, first)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE mine (id int)",
        "ALTER TABLE organizations DROP COLUMN away_days",
        "ALTER TABLE organizations ALTER away_days SET DEFAULT 6",
        "ALTER TABLE organizations ADD CHECK (name <> '')",
        "ALTER TABLE receipts DISABLE TRIGGER ALL",
        "ALTER TABLE organizations DISABLE ROW LEVEL SECURITY",
        "DROP INDEX ix_deliveries_sequence",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "GRANT DELETE ON organizations TO onbehalf_web",
        "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO onbehalf_web",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO onbehalf_web",
        "DROP EXTENSION plpgsql CASCADE",
        'ALTER DATABASE "THIS" SET default_transaction_read_only = on',
        'REVOKE CONNECT ON DATABASE "THIS" FROM PUBLIC',
        "UPDATE alembic_version SET version_num = 'another'",
        "DELETE FROM alembic_version",
        "ANALYZE organizations",
    ],
)
def test_what_changes_more_than_rows_is_not_seen_by_the_next(process: Process, change: LiteralString) -> None:
    _, first = process.run(change)
    _, second = process.run()
    assert second != first


def test_a_table_that_grew_enough_to_change_plans_is_not_handed_on(process: Process) -> None:
    _, first = process.run(_FILL.format(2000))
    _, second = process.run()
    assert second != first


def test_a_transaction_left_open_is_over(process: Process) -> None:
    name = process.databases.take()
    with process.connect(name) as left:
        left.execute("BEGIN")
        left.execute(_FILL.format(1).encode())
        left.execute("LOCK organizations")
        process.databases.give_back(name)
        with pytest.raises(psycopg.OperationalError, match="terminating connection"):
            left.execute("COMMIT")
    assert process.run(_FILL.format(1))[0] == 0


def test_what_a_test_left_running_cannot_connect_again(process: Process) -> None:
    name = process.databases.take()
    process.databases.give_back(name)
    next_name = process.databases.take()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        process.connect(name)
    process.databases.give_back(next_name)


def test_a_database_that_the_test_dropped_is_made_again(process: Process) -> None:
    name = process.databases.take()
    with process.connect("postgres") as admin:
        admin.execute(f'DROP DATABASE "{name}"'.encode())
    process.databases.give_back(name)
    assert process.run()[0] == 0


def test_tests_that_hold_several_get_different_ones(process: Process) -> None:
    names = {process.databases.take() for _ in range(2)}
    assert len(names) == 2
    for each in names:
        process.databases.give_back(each)
