"""What a database that is away, busy or restarting looks like to the code above it."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from db.session import CommitUnknown, Database, DatabaseUnavailable
from tests.factories import World


def end_others(database: Database) -> None:
    with database.transaction() as tx:
        tx.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        )


def test_a_server_that_is_not_there_is_unavailable_and_no_password_is_told() -> None:
    database = Database("postgresql://user:hunter2@127.0.0.1:1/none")
    with pytest.raises(DatabaseUnavailable) as caught, database.transaction():
        pass
    assert "hunter2" not in str(caught.value)
    database.close()


def test_a_lock_that_somebody_keeps_is_unavailable_and_nothing_is_written(
    database: Database, world: World
) -> None:
    world.mailbox(world.member())
    with database.transaction() as holder:
        holder.execute(text("SELECT 1 FROM lanes FOR UPDATE"))
        with pytest.raises(DatabaseUnavailable, match="LockNotAvailable"), database.transaction() as tx:
            tx.execute(text("SET LOCAL lock_timeout = '100ms'"))
            tx.execute(text("UPDATE lanes SET epoch = epoch + 1"))
    assert world.one("SELECT epoch FROM lanes") == 0


def test_a_connection_that_breaks_in_a_transaction_is_unavailable(database: Database, world: World) -> None:
    other = Database(str(database.engine.url.render_as_string(hide_password=False)), pool_size=1)
    with pytest.raises(DatabaseUnavailable), other.transaction() as tx:
        tx.execute(text("UPDATE organizations SET name = 'changed'"))
        end_others(database)
        tx.execute(text("SELECT 1"))
    assert world.one("SELECT count(*) FROM organizations WHERE name = 'changed'") == 0
    with other.transaction() as tx:
        assert tx.execute(text("SELECT 1")).scalar_one() == 1, "the pool mends itself"
    other.close()


def test_a_connection_that_breaks_at_the_commit_leaves_its_end_unknown(
    database: Database, world: World
) -> None:
    other = Database(str(database.engine.url.render_as_string(hide_password=False)), pool_size=1)
    with pytest.raises(CommitUnknown), other.transaction() as tx:
        tx.execute(text("UPDATE organizations SET name = 'changed'"))
        end_others(database)
    other.close()


def test_a_full_pool_is_unavailable(database: Database) -> None:
    small = Database(str(database.engine.url.render_as_string(hide_password=False)), pool_size=1)
    small.engine.pool._timeout = 0.1  # type: ignore[attr-defined]
    with small.transaction(), pytest.raises(DatabaseUnavailable), small.transaction():
        pass
    small.close()


def test_a_statement_that_is_wrong_in_itself_stays_its_own_error(database: Database, world: World) -> None:
    with pytest.raises(ProgrammingError), database.transaction() as tx:
        tx.execute(text("SELECT no_such_column"))
    with pytest.raises(IntegrityError), database.transaction() as tx:
        tx.execute(text("UPDATE organizations SET name = NULL"))
