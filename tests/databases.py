"""Migrated databases for tests: a process empties one after a test and hands it to the next. Making one costs half a second."""

from uuid import uuid4

import psycopg

TEMPLATE = "template_onbehalf"

_OWN = 16384  # objects of initdb have smaller ids
_MOST_PAGES = (
    10  # Postgres plans for at least so many of a table that nobody analyzed: a smaller one changes no plan
)

# Somebody's session, or an old one of ours, takes a moment to end.
_END_SESSIONS = """
DO $$ BEGIN
    WHILE (SELECT pg_stat_get_db_numbackends(oid) > {ours} FROM pg_database WHERE datname = '{name}') LOOP
        PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid();
        PERFORM pg_sleep(0.001), pg_stat_clear_snapshot();
    END LOOP;
END $$
"""

_DELETE_ROWS = f"""
DO $$ DECLARE filled regclass; BEGIN
    FOR filled IN
        SELECT oid FROM pg_class
        WHERE relkind = 'r' AND oid >= {_OWN} AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0
    LOOP
        EXECUTE 'DELETE FROM ' || filled;
    END LOOP;
    PERFORM setval(seqrelid, seqstart, false) FROM pg_sequence;
END $$;
"""

# Whatever changes a schema writes or removes rows of these. The one row that migrations leave counts as schema.
_CATALOGS = (
    "alembic_version", "pg_attrdef", "pg_attribute", "pg_class", "pg_constraint", "pg_default_acl", "pg_event_trigger",
    "pg_extension", "pg_index", "pg_namespace", "pg_policy", "pg_proc", "pg_rewrite", "pg_statistic_ext", "pg_trigger", "pg_type",
)  # fmt: skip
_ROWS_AND_NEWEST = "".join(
    f"(SELECT (count(*), greatest(0, age('3'::xid) - min(age(xmin))))::text FROM {each}),\n"
    for each in _CATALOGS
)
_STATE = f"""
SELECT {_ROWS_AND_NEWEST}
    (SELECT (datacl, datallowconn, datconnlimit, datdba)::text FROM pg_database WHERE datname = current_database()),
    (SELECT count(*) FROM pg_db_role_setting JOIN pg_database ON setdatabase = pg_database.oid WHERE datname = current_database()),
    (SELECT count(*) FROM pg_statistic WHERE starelid >= {_OWN}),
    (SELECT (sum(relpages), sum(reltuples), bool_or(relkind = 'r' AND pg_relation_size(oid) > {_MOST_PAGES} * 8192))::text
     FROM pg_class WHERE oid >= {_OWN})
"""


def drop_schema(url: str) -> None:
    """Leave a database as it is before its first migration."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("DROP SCHEMA public CASCADE")
        owner.execute("CREATE SCHEMA public")


class Databases:
    """One process's databases on a server that has the template. ``dsn``: a superuser's, of any database there.

    A database that a test gives back loses its sessions and its rows. One that then differs from a new one in its schema, settings,
    statistics or size is dropped, and so is one that cannot be emptied.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._spare: list[str] = []
        self._state: object = None  # of a new one

    def take(self) -> str:
        """Return the name of a database as migrations leave it. The name is new: what an earlier test left running cannot connect."""
        name = f"test_{uuid4().hex[:12]}"
        while self._spare:
            spare = self._spare.pop()
            try:
                with self._connect() as admin:
                    admin.execute(_END_SESSIONS.format(name=spare, ours=0).encode())
                    admin.execute(f'ALTER DATABASE "{spare}" RENAME TO "{name}"'.encode())
                return name
            except psycopg.Error:  # for instance, somebody connects again and again
                self._drop(spare)
        with self._connect() as admin:
            admin.execute("SELECT pg_advisory_lock(42)")  # one copy of the template at a time
            admin.execute(f'CREATE DATABASE "{name}" TEMPLATE {TEMPLATE}'.encode())
        if self._state is None:
            with self._connect(name) as connection:
                self._state = connection.execute(_STATE.encode()).fetchone()
        return name

    def give_back(self, name: str) -> None:
        """Empty a database for the next test, or drop it."""
        if self._emptied(name):
            self._spare.append(name)
        else:
            self._drop(name)

    def drop_spare(self) -> None:
        """Drop what the next tests would have got."""
        while self._spare:
            self._drop(self._spare.pop())

    def _emptied(self, name: str) -> bool:
        try:
            with self._connect(name, "-c session_replication_role=replica") as connection:
                connection.execute(_END_SESSIONS.format(name=name, ours=1).encode())
                connection.execute(_DELETE_ROWS.encode())
                return connection.execute(_STATE.encode()).fetchone() == self._state
        except psycopg.Error:  # for instance, the test has dropped it
            return False

    def _drop(self, name: str) -> None:
        with self._connect() as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())

    def _connect(self, name: str = "postgres", options: str = "") -> psycopg.Connection[tuple[object, ...]]:
        limited = f"{options} -c statement_timeout=60s"
        return psycopg.connect(self._dsn, autocommit=True, dbname=name, options=limited)
