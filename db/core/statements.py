"""The send path's statements, run directly by psycopg on the transaction's connection.

Each email needs a dozen of them. SQLAlchemy Core's overhead for each (its cache key, its result metadata) took more CPU than
psycopg and Postgres' protocol together (docs/performance.md). So these bypass it, and so do the few that every withdrawal
runs while it holds lanes. Everything else uses Core.
"""

import re
from typing import Any, cast

import psycopg
from psycopg.rows import RowMaker, namedtuple_row
from sqlalchemy import text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError

from db.core.session import Transaction

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]


class Statement:
    """One statement with named parameters (``:name``), as for SQLAlchemy's ``text``."""

    def __init__(self, sql: str) -> None:
        # psycopg caches the conversion of statements of up to 4,096 characters.
        self._sql = re.sub(r"\s+", " ", str(text(sql).compile(dialect=_DIALECT))).strip().encode()
        self._row: RowMaker[Any] | None = None

    def one_or_none(self, tx: Transaction, **parameters: object) -> Any:
        """Return the one row, with columns as attributes, or None. Raises SQLAlchemy's errors, like ``tx.execute``."""
        return self._run(tx, parameters).fetchone()

    def run(self, tx: Transaction, **parameters: object) -> int:
        """Return how many rows it affected. Raises the same errors as ``one_or_none``."""
        return self._run(tx, parameters).rowcount

    def _run(self, tx: Transaction, parameters: dict[str, object]) -> psycopg.Cursor[Any]:
        kept = tx.connection.info  # lives as long as the connection
        cursor: psycopg.Cursor[Any] | None = kept.get(self)
        if cursor is None:
            driver = cast("psycopg.Connection[Any]", tx.connection.driver_connection)
            cursor = kept[self] = driver.cursor(row_factory=self._maker)
        try:
            return cursor.execute(self._sql, parameters)
        except psycopg.Error as error:
            connection = cursor.connection
            if connection.closed:
                tx.invalidate(error)
            # As SQLAlchemy raises it, but without parameters, which may hold people's texts.
            raise DBAPIError.instance(
                None, None, error, psycopg.Error, connection_invalidated=connection.closed, dialect=_DIALECT
            ) from error

    def _maker(self, cursor: psycopg.Cursor[Any]) -> RowMaker[Any]:
        """Return psycopg's row factory. The columns never change, so we read their names once."""
        if self._row is not None:
            return self._row
        made = namedtuple_row(cursor)
        if cursor.description is not None:
            self._row = made
        return made
