"""What a database that cannot be used says: its own reason, never a password, and whether waiting helps."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, text

from db.core import trouble
from db.core.session import Database, DatabaseRefuses, DatabaseUnavailable
from db.schema import migrate


def said(url: str) -> DatabaseUnavailable:
    database = Database(url, pool_size=1)
    try:
        with pytest.raises(DatabaseUnavailable) as caught, database.transaction():
            pass
    finally:
        database.close()
    return caught.value


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "hunter2"}, 'FATAL: password authentication failed for user "postgres"'),
        ({"username": "nobody", "password": "hunter2"}, 'authentication failed for user "nobody"'),
        ({"database": "no_such"}, 'FATAL: database "no_such" does not exist'),
        ({"host": "no-such-host.invalid"}, "no-such-host.invalid"),
        ({"query": {"sslmode": "verify-full", "sslrootcert": "/no/such.pem"}}, "SSL"),
        ({"query": {"sslmode": "require"}}, "server does not support SSL"),
        ({"password": None}, "no password supplied"),
    ],
)
def test_a_wrong_setting_is_told_apart_with_the_servers_own_reason(
    database_url: str, change: dict[str, Any], words: str
) -> None:
    url = make_url(database_url)
    password = url.password or ""
    changed = url._replace(**change)
    error = said(changed.render_as_string(hide_password=False))
    assert isinstance(error, DatabaseRefuses), str(error)
    assert words in error.reason
    assert "hunter2" not in str(error)
    assert password not in str(error)


def test_of_several_hosts_all_have_to_refuse(database_url: str) -> None:
    url = make_url(database_url).set(password="hunter2").render_as_string(hide_password=False)
    one_away = url.replace("@127.0.0.1:", "@127.0.0.1:1,127.0.0.1:")
    error = said(one_away)
    assert not isinstance(error, DatabaseRefuses)
    assert "Connection refused" in str(error)
    assert "password authentication failed" in str(error)


def test_a_server_that_is_only_away_or_full_is_waited_for(
    database_url: str, url_as: Callable[[str], str], servers: object
) -> None:
    away = said("postgresql://user:hunter2@127.0.0.1:1/none")
    assert not isinstance(away, DatabaseRefuses)
    assert "Connection refused" in str(away)
    url = url_as("onbehalf_inbox")
    with psycopg.connect(servers.admin_dsn, autocommit=True) as admin:  # type: ignore[attr-defined]
        admin.execute("ALTER ROLE onbehalf_inbox CONNECTION LIMIT 0")
        try:
            full = said(url)
        finally:
            admin.execute("ALTER ROLE onbehalf_inbox CONNECTION LIMIT -1")
    assert not isinstance(full, DatabaseRefuses)
    assert 'too many connections for role "onbehalf_inbox"' in str(full)


def test_a_statement_that_takes_too_long_says_so(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="due to statement timeout"), database.transaction() as tx:
        tx.execute(text("SET LOCAL statement_timeout = '50ms'"))
        tx.execute(text("SELECT pg_sleep(5)"))


def test_a_password_that_a_text_quotes_is_left_out() -> None:
    from sqlalchemy.exc import OperationalError

    error = OperationalError("", {}, psycopg.OperationalError("failed to resolve host 'hunter2@db'"))
    assert trouble.reason(error, "hunter2") == "failed to resolve host '***@db'"


def test_a_migration_gives_the_same_reason(database_url: str) -> None:
    wrong = make_url(database_url).set(database="no_such").render_as_string(hide_password=False)
    with pytest.raises(DatabaseRefuses, match='database "no_such" does not exist'):
        migrate.pending(wrong)
