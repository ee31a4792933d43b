"""Backups of a database, made and put back by Postgres itself."""

from datetime import UTC, datetime
from uuid import uuid4

import psycopg

from db.core.session import Database


class Backup:
    """A copy of the database as it is now. ``database``: this process's own connections, which have to be closed meanwhile."""

    def __init__(self, database: Database, admin_dsn: str, name: str) -> None:
        self._database, self._dsn, self._name = database, admin_dsn, name
        self._copy = f"backup_{uuid4().hex[:8]}"
        self._copy_from(name, self._copy)
        self.made_at = datetime.now(UTC)

    def restore(self) -> None:
        """Set the database back."""
        self._copy_from(self._copy, self._name)

    def drop(self) -> None:
        """Delete the copy."""
        with psycopg.connect(self._dsn, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{self._copy}" WITH (FORCE)')

    def _copy_from(self, source: str, target: str) -> None:
        self._database.close()
        with psycopg.connect(self._dsn, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{target}" WITH (FORCE)')
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (source,)
            )
            admin.execute(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')
