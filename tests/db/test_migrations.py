"""Migrations run up and down, and agree with the tables."""

import subprocess
import sys

import psycopg

from db.schema.migrate import check, downgrade, upgrade

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


def test_releases_that_migrate_at_once_take_turns(database_url: str) -> None:
    downgrade(database_url, "base")
    code = f"from db.schema.migrate import upgrade; upgrade({database_url!r})"
    releases = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [release.wait(_FOR_EVER) for release in releases] == [0, 0, 0]
    check(database_url)
