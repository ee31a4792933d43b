"""Until the last of its processes is replaced, the release before runs on this release's schema: expand now, contract a release later."""

import psycopg

from db.schema.migrate import check, upgrade
from lab.release_before import ReleaseBefore
from tests.databases import drop_schema

# Columns that an INSERT has to name.
_DEMANDED = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = 'public' AND is_nullable = 'NO' AND column_default IS NULL AND is_generated = 'NEVER' AND is_identity = 'NO'
"""
_TABLES = "SELECT table_name, '' FROM information_schema.tables WHERE table_schema = 'public'"


class Before:
    """A database as the release before leaves it, and what that release cannot do on it later."""

    def __init__(self, release: ReleaseBefore, url: str) -> None:
        drop_schema(url)
        release.migrate(url)
        self._release, self._url = release, url
        self._tables = {table for table, _ in self._asked(_TABLES)}
        self._demanded = self._asked(_DEMANDED)

    def breaches(self) -> dict[str, str]:
        """What it cannot do now, by its statement or by the column."""
        newly = {
            (table, name) for table, name in self._asked(_DEMANDED) - self._demanded if table in self._tables
        }
        count, refused = self._release.refused_statements(self._url)
        assert count > 500
        return refused | {f"{table}.{name}": "no INSERT of it names this" for table, name in newly}

    def _asked(self, question: str) -> set[tuple[str, str]]:
        with psycopg.connect(self._url.replace("+psycopg", "")) as connection:
            return {(table, name) for table, name in connection.execute(question.encode())}


def test_the_release_before_can_do_all_it_does_on_this_releases_schema(
    database_url: str, release_before: ReleaseBefore
) -> None:
    before = Before(release_before, database_url)
    upgrade(database_url)
    check(database_url)
    assert before.breaches() == {}


def test_a_migration_that_would_break_it_is_seen(database_url: str, release_before: ReleaseBefore) -> None:
    before = Before(release_before, database_url)
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("ALTER TABLE pauses DROP CONSTRAINT uq_pauses_sequence_id_cause_key")
        owner.execute("ALTER TABLE lanes RENAME COLUMN wait_reason TO why")
        owner.execute("ALTER TABLE members ADD COLUMN office text NOT NULL")
    breaches = before.breaches()
    assert "members.office" in breaches
    assert any("ON CONFLICT" in said for said in breaches.values())
    assert any("wait_reason" in said for said in breaches.values())
