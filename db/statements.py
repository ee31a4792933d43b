"""The send path's statements, run by psycopg itself on the transaction's connection.

An email needs a dozen of them. What SQLAlchemy Core does around each (its cache key, its results' metadata) took more CPU than
psycopg and Postgres' protocol together (docs/performance.md), so these go straight to the driver, and so do the few that every
withdrawal makes while it holds its lanes; everything else is Core.
"""

import re
from typing import Any, cast

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError

from db.session import Transaction

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]


class Statement:
    """One statement with named parameters, written as for SQLAlchemy's ``text``: ``:name``."""

    def __init__(self, sql: str) -> None:
        # psycopg remembers how to convert a statement of up to 4,096 characters.
        self._sql = re.sub(r"\s+", " ", str(text(sql).compile(dialect=_DIALECT))).strip().encode()

    def one_or_none(self, tx: Transaction, **parameters: object) -> Any:
        """The one row, its columns as attributes, or None. Raises SQLAlchemy's errors, as ``tx.execute`` does."""
        with self._run(tx, parameters) as cursor:
            return cursor.fetchone()

    def run(self, tx: Transaction, **parameters: object) -> int:
        """How many rows it touched. Raises as ``one_or_none``."""
        with self._run(tx, parameters) as cursor:
            return cursor.rowcount

    def _run(self, tx: Transaction, parameters: dict[str, object]) -> psycopg.Cursor[Any]:
        connection = cast("psycopg.Connection[Any]", tx.connection.driver_connection)
        try:
            return connection.cursor(row_factory=namedtuple_row).execute(self._sql, parameters)
        except psycopg.Error as error:
            if connection.closed:
                tx.invalidate(error)
            # As SQLAlchemy words it; the parameters may be somebody's words and stay out of it.
            raise DBAPIError.instance(
                None, None, error, psycopg.Error, connection_invalidated=connection.closed, dialect=_DIALECT
            ) from error
