"""Migrations run up and down, and agree with the tables."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.script import ScriptDirectory

from db.schema import version
from db.schema.migrate import alembic_config, check, downgrade, upgrade

# Seconds. Each release uses two of CPU, half of them for imports, and waits for nothing but its turn (a lock of
# live work ends it after five). The limit catches releases that wait for one another forever, however busy the
# machine is.
_FOR_EVER = 180


def test_the_schema_goes_down_and_up_again_and_matches_the_tables(
    database_url: str,
) -> None:
    downgrade(database_url, "base")
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        left = connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        ).fetchone()
        functions = connection.execute(
            "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        ).fetchone()
    assert (left, functions) == ((0,), (0,))
    upgrade(database_url)
    check(database_url)


def test_processes_know_the_revisions_that_alembic_knows() -> None:
    scripts = ScriptDirectory.from_config(alembic_config("postgresql+psycopg://"))
    assert [version.newest()] == scripts.get_heads()
    assert version._known()[1] | {version.newest()} == {each.revision for each in scripts.walk_revisions()}


def test_releases_that_migrate_at_once_take_turns(database_url: str) -> None:
    downgrade(database_url, "base")
    code = f"from db.schema.migrate import upgrade; upgrade({database_url!r})"
    releases = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [release.wait(_FOR_EVER) for release in releases] == [0, 0, 0]
    check(database_url)


def test_a_migration_that_live_work_keeps_out_is_tried_again(database_url: str) -> None:
    downgrade(database_url, "2026_11_30_people")
    began = time.monotonic()
    with psycopg.connect(database_url.replace("+psycopg", "")) as live:
        live.execute("LOCK TABLE members IN ACCESS SHARE MODE")
        with ThreadPoolExecutor() as pool:
            upgrading = pool.submit(upgrade, database_url)
            with pytest.raises(TimeoutError):
                upgrading.result(8)  # longer than one try waits
            live.rollback()
            upgrading.result(_FOR_EVER)
    assert time.monotonic() - began > 8
    check(database_url)
