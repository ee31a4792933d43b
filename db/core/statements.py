"""The send path's statements, run by psycopg itself on the transaction's connection.

An email needs a dozen of them. What SQLAlchemy Core does around each (its cache key, its results' metadata) took more CPU than
psycopg and Postgres' protocol together (docs/performance.md), so these go straight to the driver, and so do the few that every
withdrawal makes while it holds its lanes; everything else is Core.
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
    """One statement with named parameters, written as for SQLAlchemy's ``text``: ``:name``."""

    def __init__(self, sql: str) -> None:
        # psycopg remembers how to convert a statement of up to 4,096 characters.
        self._sql = re.sub(r"\s+", " ", str(text(sql).compile(dialect=_DIALECT))).strip().encode()
        self._row: RowMaker[Any] | None = None

    def one_or_none(self, tx: Transaction, **parameters: object) -> Any:
        """The one row, its columns as attributes, or None. Raises SQLAlchemy's errors, as ``tx.execute`` does."""
        return self._run(tx, parameters).fetchone()

    def run(self, tx: Transaction, **parameters: object) -> int:
        """How many rows it touched. Raises as ``one_or_none``."""
        return self._run(tx, parameters).rowcount

    def _run(self, tx: Transaction, parameters: dict[str, object]) -> psycopg.Cursor[Any]:
        kept = tx.connection.info  # as long as the connection itself
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
            # As SQLAlchemy words it; the parameters may be somebody's words and stay out of it.
            raise DBAPIError.instance(
                None, None, error, psycopg.Error, connection_invalidated=connection.closed, dialect=_DIALECT
            ) from error

    def _maker(self, cursor: psycopg.Cursor[Any]) -> RowMaker[Any]:
        """psycopg's row factory: its columns are the same each time, so their names are read once."""
        if self._row is not None:
            return self._row
        made = namedtuple_row(cursor)
        if cursor.description is not None:
            self._row = made
        return made
