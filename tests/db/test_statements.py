"""Statements go straight to the driver, and end like SQLAlchemy's: committed, rolled back, in the same errors. Their rows have types."""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, MultipleResultsFound, NoResultFound, ProgrammingError

from db.core.session import CommitUnknown, Database, DatabaseUnavailable
from db.core.statements import CATALOGUE, SqlFile, Statement
from db.sending.claims import load_claim
from lab.factories import World
from tests.db.test_session import end_others

ROOT = Path(__file__).parents[2]
RENAME = Statement("UPDATE organizations SET name = :name")


class Named(NamedTuple):
    name: str
    seven: int


NAME = Statement("SELECT name, 7 AS seven FROM organizations", Named)


@dataclass(frozen=True, slots=True)
class Pair:
    second: str
    first: int


def other(database: Database, *, by_key: bool = False) -> Database:
    return Database(database.url, pool_size=1, by_key=by_key)


def test_a_transaction_of_nothing_else_is_committed_whole_or_not_at_all(
    database: Database, world: World
) -> None:
    with database.transaction() as tx:
        assert RENAME.run(tx, name="kept") == 1
    with pytest.raises(RuntimeError), database.transaction() as tx:
        RENAME.run(tx, name="undone")
        raise RuntimeError
    with database.statement() as tx:
        row = NAME.one_or_none(tx)
    assert row == Named("kept", 7)
    assert world.one("SELECT name FROM organizations") == "kept"


def test_a_statement_of_its_own_commits_by_itself(database: Database, world: World) -> None:
    with database.statement() as tx:
        RENAME.run(tx, name="alone")
    assert world.one("SELECT name FROM organizations") == "alone"


def test_what_is_wrong_with_a_statement_is_sqlalchemys_error_without_the_values(
    database: Database, world: World
) -> None:
    with pytest.raises(ProgrammingError), database.transaction() as tx:
        Statement("SELECT nothing").run(tx)
    owner = world.member()
    with pytest.raises(IntegrityError) as refused, database.transaction() as tx:
        Statement("UPDATE members SET organization_id = :id WHERE id = :member").run(
            tx, id="01a20000-0000-7000-8000-000000000bad", member=owner
        )
    assert refused.value.params is None


def test_a_connection_that_breaks_is_unavailable_and_the_pool_mends_itself(
    database: Database, world: World
) -> None:
    alone = other(database)
    with pytest.raises(DatabaseUnavailable), alone.transaction() as tx:
        RENAME.run(tx, name="lost")
        end_others(database)
        NAME.one_or_none(tx)
    with pytest.raises(CommitUnknown), alone.statement() as tx:
        end_others(database)
        RENAME.run(tx, name="unknown")
    with alone.transaction() as tx:
        assert NAME.one(tx).seven == 7
    alone.close()


def test_a_connection_that_rested_still_knows_what_it_has_prepared(database: Database) -> None:
    alone = other(database)
    prepared = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%7 AS seven%'")
    for _ in range(8):  # psycopg prepares at the sixth
        with alone.transaction() as tx:
            NAME.one_or_none(tx)
    time.sleep(2.1)  # long enough to be asked whether it still lives
    with alone.transaction() as tx:
        assert tx.execute(prepared).scalar_one() == 1
    alone.close()


def test_a_connection_that_is_left_in_the_middle_serves_nobody_again(
    database: Database, world: World
) -> None:
    alone = other(database)
    with alone.statement() as tx:
        tx.exec_driver_sql("BEGIN")
    with pytest.raises(RuntimeError), alone.transaction() as tx:
        RENAME.run(tx, name="undone")
        raise RuntimeError
    assert world.one("SELECT name FROM organizations") != "undone"
    alone.close()


def test_where_all_goes_by_keys_postgres_plans_a_statement_once_and_not_for_each_email(
    database: Database,
) -> None:
    # Left to itself it plans the first five afresh, compares, and may never come back to one plan when tables have grown since.
    sender = other(database, by_key=True)
    for _ in range(20):
        with sender.transaction() as tx:
            assert load_claim(tx, uuid4(), uuid4()) is None
    with sender.transaction() as tx:
        (plans,) = tx.execute(
            text(
                "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%grants%'"
            )
        ).all()
    assert tuple(plans) == (15, 0)  # psycopg prepares at the sixth
    sender.close()


def test_a_report_is_planned_for_its_period_each_time(database: Database) -> None:
    prepared = Statement(
        "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE :like AND statement NOT LIKE '%pg_%'",
        int,
    )
    since = "SELECT count(*) FROM events WHERE occurred_at > now() - CAST(:span AS interval)"
    by_plan, by_values = Statement(since, int), Statement(f"{since} AND true", int).planned_for_its_values()
    own = other(database)
    with own.transaction() as tx:
        for _ in range(10):
            by_plan.one(tx, span="1 day")
            by_values.one(tx, span="1 day")
        assert prepared.one(tx, like="%FROM events%") == 1
        assert prepared.one(tx, like="%AND true%") == 0
    own.close()


def test_a_row_is_what_the_statement_says_with_the_columns_by_their_names(database: Database) -> None:
    pairs = Statement(
        "SELECT 1 AS first, 'a' AS second, true AS more UNION SELECT 2, 'b', true ORDER BY 1", Pair
    )
    one = Statement("SELECT 'a' AS second, 1 AS first WHERE :there", Pair)
    with database.transaction() as tx:
        assert pairs.all(tx) == [Pair("a", 1), Pair("b", 2)]
        assert one.one(tx, there=True) == one.one_or_none(tx, there=True) == Pair("a", 1)
        assert one.one_or_none(tx, there=False) is None
        assert one.all(tx, there=False) == []


def test_columns_that_a_migration_adds_move_no_value_to_another_field(database: Database) -> None:
    both = Statement("SELECT p.*, 1 AS first FROM pairs p", Pair)
    with database.transaction() as tx:
        tx.execute(text("CREATE TABLE pairs AS SELECT 'a' AS second"))
        assert both.one(tx) == Pair("a", 1)
        tx.execute(text("ALTER TABLE pairs ADD COLUMN third int DEFAULT 3"))
        assert both.one(tx) == Pair("a", 1)


def test_many_rows_come_a_thousand_at_a_time(database: Database) -> None:
    many = Statement("SELECT g AS first, :second AS second FROM generate_series(1, :most) g", Pair)
    with database.transaction() as tx:
        for number, pair in enumerate(many.stream(tx, second="a", most=2500), start=1):
            assert pair == Pair("a", number)
            if number % 1000 == 1:  # the connection is free for others in between
                assert Statement("SELECT 7", int).one(tx) == 7
        assert number == 2500
        assert list(many.stream(tx, second="a", most=0)) == []
    with pytest.raises(ProgrammingError) as refused, database.transaction() as tx:
        list(Statement("SELECT nothing WHERE :it = 'a'", str).stream(tx, it="a"))
    assert refused.value.params is None


def test_it_runs_with_each_of_many_parameters(database: Database, world: World) -> None:
    people = [world.member(), world.member(), world.member()]
    rename = Statement("UPDATE members SET name = :name WHERE id = :id")
    with database.transaction() as tx:
        assert rename.run_each(tx, [{"id": each, "name": f"n{at}"} for at, each in enumerate(people)]) == 3
    assert world.rows("SELECT name FROM members ORDER BY name") == [("n0",), ("n1",), ("n2",)]
    with pytest.raises(IntegrityError) as refused, database.transaction() as tx:
        rename.run_each(tx, [{"id": people[0], "name": None}])
    assert refused.value.params is None


def test_a_row_of_one_value_is_that_value(database: Database) -> None:
    ids = [uuid4(), uuid4()]
    with database.transaction() as tx:
        assert Statement("SELECT unnest(CAST(:ids AS uuid[]))", UUID).all(tx, ids=ids) == ids
        assert Statement("SELECT CAST(:it AS jsonb)->'a'", dict).one(tx, it='{"a": {"b": [1]}}') == {"b": [1]}
        assert Statement("SELECT '50%' LIKE '%0\\%'", bool).one(tx) is True


def test_a_value_of_another_type_than_the_row_says_fails_a_test(database: Database) -> None:
    # tests/conftest.py has every row looked at.
    with pytest.raises(TypeError, match="Pair second is NoneType"), database.transaction() as tx:
        Statement("SELECT 1 AS first, NULL AS second", Pair).one(tx)
    with pytest.raises(TypeError, match="int  is str"), database.transaction() as tx:
        Statement("SELECT 'a'", int).one(tx)


def test_no_row_and_too_many_rows_are_refused(database: Database) -> None:
    some = Statement("SELECT generate_series(1, :most)", int)
    with database.transaction() as tx:
        with pytest.raises(NoResultFound):
            some.one(tx, most=0)
        with pytest.raises(MultipleResultsFound):
            some.one(tx, most=2)
        with pytest.raises(MultipleResultsFound):
            some.one_or_none(tx, most=2)


def test_rows_without_a_type_and_types_without_their_columns_are_refused(database: Database) -> None:
    with pytest.raises(TypeError, match="no type"), database.transaction() as tx:
        Statement("SELECT 1").one(tx)
    with pytest.raises(TypeError, match="Pair wants columns \\['second'\\]"), database.transaction() as tx:
        Statement("SELECT 1 AS first", Pair).one(tx)


def test_a_tenants_transaction_runs_them_as_that_tenant(database: Database, world: World) -> None:
    world.member()
    members = Statement("SELECT count(*) FROM members", int)
    with database.for_tenant(world.organization_id).transaction() as tx:
        assert members.one(tx) == 1
    with database.for_tenant(uuid4()).transaction() as tx:
        assert members.one(tx) == 0


_FILE = """\
-- What this is about.

-- name: both
SELECT a -- no heading
  FROM t
-- A comment.
WHERE {mine} AND id = :id

-- name: mine
owner = {owner}
"""


def file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> SqlFile:
    package = f"kept_{folder.name}"
    (folder / package).mkdir()
    (folder / package / "__init__.py").touch()
    (folder / package / "lanes.sql").write_text(_FILE.replace(" -- no heading", ""))
    monkeypatch.syspath_prepend(str(folder))
    return SqlFile(f"{package}.lanes")


def test_a_hole_takes_another_part_of_the_file_or_what_the_module_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = file(tmp_path, monkeypatch)
    assert (
        Statement(sql.fragment("both", owner="'us'")).text
        == "SELECT a FROM t WHERE owner = 'us' AND id = :id"
    )
    assert Statement(sql.fragment("both", mine="true")).text == "SELECT a FROM t WHERE true AND id = :id"
    with pytest.raises(ValueError, match=r"nothing fills \{owner\}"):
        sql.fragment("both")
    with pytest.raises(ValueError, match="no hole for \\['other'\\]"):
        sql.fragment("both", owner="'us'", other="'them'")


FILES = sorted(ROOT.joinpath("db").rglob("*.sql"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_part_of_a_file_is_used_and_a_comment_has_a_line_of_its_own(path: Path) -> None:
    whole, module = path.read_text(), path.with_suffix(".py").read_text()
    for name in re.findall(r"^-- name: (\w+)$", whole, re.MULTILINE):
        assert f'"{name}"' in module or f"{{{name}}}" in whole, name
    assert re.findall(r"\S.*--.*", re.sub(r"^\s*--.*$", "", whole, flags=re.MULTILINE)) == []


def test_no_statement_has_white_space_in_its_texts_that_would_be_lost() -> None:
    for path in FILES:
        for line in re.sub(r"^\s*--.*$", "", path.read_text(), flags=re.MULTILINE).splitlines():
            assert line.count("'") % 2 == 0, f"{path.stem}: {line}"


def test_a_statement_is_listed_by_its_module_and_name() -> None:
    assert CATALOGUE["sending.claims.claim"].text.startswith(
        "WITH held AS ( UPDATE deliveries SET state = 'preparing'"
    )


def test_a_statement_keeps_within_what_psycopg_keeps_the_conversion_of() -> None:
    """Longer ones are converted again for each delivery, which costs more CPU than running them."""
    longest = {name: len(each.sql) for name, each in CATALOGUE.items() if len(each.sql) > 4_096}
    assert longest == {}
