"""The roles that an administrator creates for the compose file's database: each process can do its work, and no more."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from db.schema.migrate import pending, upgrade
from lab.embedded import EmbeddedPostgres
from lab.embedded import _postgres_binaries as binaries
from lab.factories import KEY

SCRIPT = Path(__file__).parents[2] / "deploy/postgres/roles.sh"


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("roles"), durable=False) as server:
        yield server


def url(server: EmbeddedPostgres, role: str) -> str:
    return f"postgresql://{role}:{role}-password@127.0.0.1:{server.port}/onbehalf"


def test_who_migrates_owns_the_tables_and_everybody_else_gets_in_with_a_password_of_their_own(
    postgres: EmbeddedPostgres,
) -> None:
    admin = postgres.url("postgres").replace("+psycopg", "")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("CREATE DATABASE onbehalf")
    passwords = {
        f"{name.upper()}_PASSWORD": f"onbehalf_{name}-password"
        for name in ("migrate", "web", "worker", "metrics", "inbox")
    }
    subprocess.run(
        ["sh", str(SCRIPT)],
        check=True,
        env={
            "PATH": f"{binaries()}:{os.environ['PATH']}",
            "POSTGRES_USER": "postgres",
            "POSTGRES_DB": "onbehalf",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(postgres.port),
            "PGPASSWORD": admin.split(":")[2].split("@")[0],
            **passwords,
        },
        capture_output=True,
    )
    owner = url(postgres, "onbehalf_migrate")
    assert pending(owner).revisions
    upgrade(owner, secret_keys=(KEY,))
    assert pending(owner).revisions == ()
    for role, query in (
        ("onbehalf_web", "SET ROLE onbehalf_tenant"),
        ("onbehalf_worker", "SELECT count(*) FROM deliveries"),
        ("onbehalf_inbox", "SELECT address FROM mailboxes"),
        ("onbehalf_metrics", "SELECT mailboxes FROM metrics_mailboxes_with_work"),
    ):
        with psycopg.connect(url(postgres, role)) as connection:
            connection.execute(query.encode())
            superuser = connection.execute(
                "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls FROM pg_roles WHERE rolname = session_user"
            ).fetchone()
            assert superuser == (False,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("CREATE TABLE mine (id int)")
