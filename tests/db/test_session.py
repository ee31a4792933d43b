"""What the code above sees of a database that is away, busy or restarting."""

import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.pool import QueuePool

from db.core.session import CommitUnknown, Database, DatabaseUnavailable, Transaction
from lab.factories import World


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
    with database.transaction() as blocker:
        blocker.execute(text("SELECT 1 FROM lanes FOR UPDATE"))
        with pytest.raises(DatabaseUnavailable, match="due to lock timeout"), database.transaction() as tx:
            tx.execute(text("SET LOCAL lock_timeout = '100ms'"))
            tx.execute(text("UPDATE lanes SET epoch = epoch + 1"))
    assert world.one("SELECT epoch FROM lanes") == 0


def test_a_connection_that_breaks_in_a_transaction_is_unavailable(database: Database, world: World) -> None:
    other = Database(database.url, pool_size=1)
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
    other = Database(database.url, pool_size=1)
    with pytest.raises(CommitUnknown), other.transaction() as tx:
        tx.execute(text("UPDATE organizations SET name = 'changed'"))
        end_others(database)
    other.close()


def test_a_full_pool_is_unavailable(database: Database) -> None:
    small = Database(database.url, pool_size=1)
    small.engine.pool._timeout = 0.1  # type: ignore[attr-defined]
    with small.transaction(), pytest.raises(DatabaseUnavailable), small.transaction():
        pass
    small.close()


def test_a_statement_that_is_wrong_in_itself_stays_its_own_error(database: Database, world: World) -> None:
    with pytest.raises(ProgrammingError), database.transaction() as tx:
        tx.execute(text("SELECT no_such_column"))
    with pytest.raises(IntegrityError), database.transaction() as tx:
        tx.execute(text("UPDATE organizations SET name = NULL"))


def test_a_transaction_is_read_committed_whatever_the_database_has_for_a_default(database_url: str) -> None:
    first = Database(database_url, pool_size=1)
    with first.transaction() as tx:
        name = tx.execute(text("SELECT current_database()")).scalar_one()
        tx.execute(text(f"ALTER DATABASE \"{name}\" SET default_transaction_isolation = 'serializable'"))
    first.close()
    for url in (database_url, f"{database_url}?pooler=transaction"):
        other = Database(url, pool_size=1)
        with other.transaction() as tx:
            assert tx.execute(text("SHOW transaction_isolation")).scalar_one() == "read committed"
        with other.statement() as tx:
            assert tx.execute(text("SHOW transaction_isolation")).scalar_one() == "read committed"
        other.close()


@pytest.mark.parametrize("way", ["transaction", "statement"])
def test_a_primary_that_became_a_standby_is_unavailable_until_the_address_leads_to_the_new_one(
    database_url: str, world: World, way: str
) -> None:
    database = Database(database_url, pool_size=2)
    with database.transaction() as tx:  # a connection that was opened while it was the primary
        pid = tx.execute(text("SELECT pg_backend_pid()")).scalar_one()
        tx.execute(text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"))
    with pytest.raises(DatabaseUnavailable, match="takes no writes"), getattr(database, way)() as tx:
        tx.execute(text("UPDATE organizations SET name = 'changed'"))
    with database.transaction() as tx:  # another connection, by the address
        assert tx.execute(text("SELECT pg_backend_pid()")).scalar_one() != pid
        tx.execute(text("UPDATE organizations SET name = 'changed'"))
    assert world.one("SELECT count(*) FROM organizations WHERE name = 'changed'") == 1
    database.close()


def driver(tx: Transaction) -> Any:
    """The connection itself, which outlives its transaction."""
    return tx.connection.driver_connection


def checked_out(database: Database) -> int:
    """How many connections are in use."""
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


def test_a_connection_that_returns_to_a_closed_database_is_closed(database_url: str) -> None:
    database = Database(database_url, pool_size=2)
    with database.transaction() as early, database.transaction() as late:
        in_use = [driver(early), driver(late)]
        database.close()
        assert not any(each.closed for each in in_use)
        assert checked_out(database) == 2
    assert checked_out(database) == 0
    with database.statement() as after:  # a thread that knows nothing of the end
        in_use.append(driver(after))
    assert all(each.closed for each in in_use)
    assert checked_out(database) == 0


def test_a_connection_to_a_former_primary_is_closed_by_whoever_still_uses_it(database_url: str) -> None:
    database = Database(database_url, pool_size=2)
    with database.transaction() as tx:
        other = driver(tx)
        with pytest.raises(DatabaseUnavailable, match="takes no writes"), database.transaction() as demoted:
            demoted.execute(text("SET TRANSACTION READ ONLY"))
            demoted.execute(text("UPDATE organizations SET name = 'changed'"))
        assert not other.closed
    assert other.closed
    with database.transaction() as tx:
        again = driver(tx)
    assert not again.closed, "the new pool keeps its connections"
    database.close()


def test_who_waits_for_a_connection_while_the_pool_ends_gets_a_new_one(database_url: str) -> None:
    database, met = Database(database_url, pool_size=1), []

    def wait() -> None:
        with database.transaction() as tx:
            met.append(tx.execute(text("SELECT 1")).scalar_one())

    waiting = threading.Thread(target=wait)
    with database.transaction():
        waiting.start()
        queue = database.engine.pool._pool  # type: ignore[attr-defined]
        while not queue.not_empty._waiters:
            waiting.join(0.01)
        database.engine.dispose()
    waiting.join(10)
    assert met == [1]
    database.close()


def test_the_first_host_that_takes_writes_is_used(database_url: str) -> None:
    several = database_url.replace("@127.0.0.1:", "@127.0.0.1:1,127.0.0.1:").replace(
        "@localhost:", "@localhost:1,localhost:"
    )
    assert "," in several
    database = Database(f"{several}?target_session_attrs=read-write", pool_size=1)
    with database.transaction() as tx:
        assert tx.execute(text("SELECT 1")).scalar_one() == 1
    database.close()


@pytest.fixture
def full(database: Database) -> Iterator[str]:
    """The URL of a role that may open no more connections."""
    name = f"full_{uuid4().hex}"
    with database.transaction() as tx:
        tx.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD 'x' CONNECTION LIMIT 0"))
    url = make_url(database.url).set(username=name, password="x")
    yield url.render_as_string(hide_password=False)
    with database.transaction() as tx:
        tx.execute(text(f"DROP ROLE {name}"))


def test_a_server_without_room_for_a_connection_is_unavailable_until_it_has_some(
    full: str, database: Database
) -> None:
    tight = Database(full, pool_size=1)
    with pytest.raises(DatabaseUnavailable), tight.transaction():
        pass
    with database.transaction() as tx:
        tx.execute(text(f"ALTER ROLE {make_url(full).username} CONNECTION LIMIT 1"))
    with tight.transaction() as tx:
        assert tx.execute(text("SELECT 1")).scalar_one() == 1
    tight.close()


def test_a_server_that_starts_up_is_unavailable() -> None:
    words = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(8192)
                connection.sendall(b"E" + struct.pack("!I", 4 + len(words)) + words)

        answering = threading.Thread(target=refuse)
        answering.start()
        port = server.getsockname()[1]
        database = Database(f"postgresql://u@127.0.0.1:{port}/x?sslmode=disable&gssencmode=disable")
        with pytest.raises(DatabaseUnavailable), database.transaction():
            pass
        answering.join(30)
    database.close()
