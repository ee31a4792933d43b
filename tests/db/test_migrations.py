"""Migrations run up and down, and say the same as the tables."""

import subprocess
import sys

import psycopg

from db.migrate import check, downgrade, upgrade


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
    code = f"from db.migrate import upgrade; upgrade({database_url!r})"
    releases = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [release.wait(180) for release in releases] == [0, 0, 0]
    check(database_url)
