"""The send path's statements go straight to the driver, and end like all others: committed, rolled back, in the same errors."""

import time
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from db.core.session import CommitUnknown, Database, DatabaseUnavailable
from db.core.statements import Statement
from db.sending.claims import load_claim
from lab.factories import World
from tests.db.test_session import end_others

RENAME = Statement("UPDATE organizations SET name = :name")
NAME = Statement("SELECT name, 7 AS seven FROM organizations")


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
    row = None
    with database.statement() as tx:
        row = NAME.one_or_none(tx)
    assert (row.name, row.seven) == ("kept", 7)
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
        assert NAME.one_or_none(tx).seven == 7
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
