"""Postgres with an Entra token in place of a password, by the real azure-identity."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url, text

from db.core import entra_login
from db.core.database_url import read
from db.core.session import Database, DatabaseUnavailable
from domain.errors import OperatorMisconfigured
from lab.emulator.background import Running
from tests.azure import azure_host
from tests.conftest import Servers


@pytest.fixture
def by_entra(servers: Servers, database_url: str) -> Iterator[Callable[[], str]]:
    """The database's URL for a role whose password is the host's current token, as Azure's Postgres accepts it."""
    role = f"entra_{uuid4().hex[:12]}"

    def url() -> str:
        token = sql.Literal(entra_login.token(entra_login.POSTGRES))
        with psycopg.connect(servers.admin_dsn, autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), token))
        parts = make_url(database_url)
        return f"postgresql://{role}@{parts.host}:{parts.port}/{parts.database}?auth=entra"

    yield url
    with psycopg.connect(servers.admin_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


@pytest.mark.parametrize("kind", ["managed", "workload"])
def test_the_hosts_token_is_the_password(
    kind: str, emulator: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_entra: Callable[[], str]
) -> None:
    with azure_host(kind, emulator, tmp_path, monkeypatch):
        database = Database(by_entra())
        with database.transaction() as tx:
            assert tx.execute(text("SELECT session_user")).scalar_one().startswith("entra_")
        database.close()


def test_without_a_token_the_database_counts_as_away(
    emulator: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with azure_host("managed", emulator, tmp_path, monkeypatch):
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")
        database = Database("postgresql://onbehalf_worker@127.0.0.1:1/db?auth=entra")
        with pytest.raises(DatabaseUnavailable) as raised, database.transaction():
            pass
        assert "AZURE_CLIENT_ID" in str(raised.value.__cause__)
        database.close()


@pytest.mark.parametrize("token", ["", "one.part", "a.b.c", "a.e30.c", "a.W10.c"])
def test_a_token_without_an_object_id_logs_nobody_in(token: str) -> None:
    with pytest.raises(entra_login.NoEntraToken):
        entra_login.object_id(token)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://h.example/db?auth=entra", "name the role"),
        ("postgresql://u:hush@h.example/db?auth=entra", "leave out the password"),
        ("postgresql://u@h.example/db?auth=entra&sslmode=prefer", "must be encrypted"),
        ("postgresql://u@h.example/db?auth=kerberos", "cannot be read"),
    ],
)
def test_a_url_that_would_not_log_in_or_would_show_the_token_is_refused(url: str, says: str) -> None:
    with pytest.raises(OperatorMisconfigured, match=says) as refused:
        read(url)
    assert "hush" not in str(refused.value)


def test_over_a_network_the_connection_is_encrypted_unless_more_is_asked() -> None:
    assert read("postgresql://u@h.example/db?auth=entra").parameters["sslmode"] == "require"
    strict = read("postgresql://u@h.example/db?auth=entra&sslmode=verify-full").parameters
    assert strict["sslmode"] == "verify-full"
    assert "auth" not in strict
