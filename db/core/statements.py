"""How the product runs SQL: each statement is defined once, in its module, and knows the type of its rows.

    _SQL = SqlFile(__name__)  # db/sending/dispatch.sql beside db/sending/dispatch.py
    _DUE = _SQL.statement("due", Queued, queue=_QUEUE.set)
    _END = Statement("UPDATE lanes SET testing_until = NULL WHERE mailbox_id = :id")

psycopg runs it on the connection of SQLAlchemy's transaction. SQLAlchemy Core's own overhead for each statement (its cache key,
its result metadata) took more CPU than psycopg and Postgres' protocol together (docs/decisions/0018, docs/performance.md).

A ``.sql`` file holds statements and fragments of them, each below its ``-- name: …``. Parameters are ``:name``, and values never
get into SQL any other way. A hole, ``{name}``, takes another part of the file, or a constant that the module gives for it at
import: a move of ``db/sending/moves.py``, say. Comments have lines of their own.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from importlib.resources import files
from sys import intern
from typing import Any, Generic, TypeVar, cast, overload

import psycopg
from psycopg.rows import RowMaker
from sqlalchemy import text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound

import tracing
from db.core.session import Transaction

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]
_HEADING = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)
_VERB, _TABLE = re.compile(r"^\w+"), re.compile(r"\b(?:FROM|INTO|UPDATE) (\w+)")
_HOLE = re.compile(r"\{(\w+)\}")

Row = TypeVar("Row")


class Statement(Generic[Row]):
    """One statement with named parameters (``:name``), as for SQLAlchemy's ``text``.

    ``row``: a dataclass or ``NamedTuple`` whose fields are columns, by their names; or the type of the first column, and a row
    is then that value. Without it, it can only ``run``.
    """

    @overload
    def __init__(self: "Statement[None]", sql: str) -> None: ...
    @overload
    def __init__(self, sql: str, row: type[Row]) -> None: ...
    def __init__(self, sql: str, row: type[Row] | None = None) -> None:
        self.text = " ".join(sql.split())
        # What traces call it: of a file, as in ``CATALOGUE``.
        self.name = intern(
            " ".join(found[0] for each in (_VERB, _TABLE) if (found := each.findall(self.text)))
        )
        # As psycopg takes it, which keeps its conversion of statements of up to 4,096 characters.
        self.sql = str(text(self.text).compile(dialect=_DIALECT)).encode()
        self.row = row
        self._made: tuple[int, RowMaker[Row]] = 0, _no_row  # for this many columns
        self._prepare: bool | None = None  # after a few times, as psycopg does

    def planned_for_its_values(self) -> "Statement[Row]":
        """Return this statement, now planned each time, for the values that it has.

        For reports over a period. Postgres plans a prepared statement for any values, takes a period for a few rows, and may need
        many times as long.
        """
        self._prepare = False
        return self

    def one(self, tx: Transaction, **parameters: object) -> Row:
        """Return the one row. Raises ``NoResultFound``, and SQLAlchemy's other errors, like ``tx.execute``."""
        cursor = self._run(tx, self._kept(tx), parameters)
        if cursor.rowcount != 1:
            raise _not_one(cursor.rowcount)
        return cast("Row", cursor.fetchone())

    def one_or_none(self, tx: Transaction, **parameters: object) -> Row | None:
        """Return the one row, or None. Raises the same errors as ``one``."""
        cursor = self._run(tx, self._kept(tx), parameters)
        if cursor.rowcount > 1:
            raise _not_one(cursor.rowcount)
        return cursor.fetchone()

    def all(self, tx: Transaction, **parameters: object) -> list[Row]:
        """Return every row. Raises the same errors as ``one``."""
        with self._cursor(tx) as cursor:  # not a kept one, which would keep the rows too
            return self._run(tx, cursor, parameters).fetchall()

    def run(self, tx: Transaction, **parameters: object) -> int:
        """Return how many rows it affected. Raises the same errors as ``one``."""
        return self._run(tx, self._kept(tx), parameters).rowcount

    def stream(self, tx: Transaction, **parameters: object) -> Iterator[Row]:
        """Yield every row, a thousand of them in memory at a time. Raises the same errors as ``one``."""
        driver = cast("psycopg.Connection[Any]", tx.connection.driver_connection)
        with driver.cursor(f"rows_{id(self)}", row_factory=self._rows) as cursor:
            cursor.itersize = 1000
            try:
                with tracing.child(self.name, "client"):
                    cursor.execute(self.sql, parameters)
                yield from cursor
            except psycopg.Error as error:
                raise _as_sqlalchemy(tx, driver, error) from error

    def run_each(self, tx: Transaction, each: Sequence[Mapping[str, object]]) -> int:
        """Run it with each of these parameters, in one round trip; returns how many rows all affected. Raises the same errors."""
        with self._cursor(tx) as cursor:
            try:
                with tracing.child(self.name, "client"):
                    cursor.executemany(self.sql, each)
            except psycopg.Error as error:
                raise _as_sqlalchemy(tx, cursor.connection, error) from error
            return cursor.rowcount

    def _kept(self, tx: Transaction) -> psycopg.Cursor[Row]:
        """Return this connection's cursor for the statement, which knows how to convert its values and columns."""
        kept = tx.connection.info  # lives as long as the connection
        cursor: psycopg.Cursor[Row] | None = kept.get(self)
        if cursor is None:
            cursor = kept[self] = self._cursor(tx)
        return cursor

    def _cursor(self, tx: Transaction) -> psycopg.Cursor[Row]:
        driver = cast("psycopg.Connection[Any]", tx.connection.driver_connection)
        return driver.cursor(row_factory=self._rows)

    def _run(
        self, tx: Transaction, cursor: psycopg.Cursor[Row], parameters: dict[str, object]
    ) -> psycopg.Cursor[Row]:
        try:
            with tracing.child(self.name, "client"):
                return cursor.execute(self.sql, parameters, prepare=self._prepare)
        except psycopg.Error as error:
            raise _as_sqlalchemy(tx, cursor.connection, error) from error

    def _rows(self, cursor: psycopg.Cursor[Any]) -> RowMaker[Row]:
        """Return psycopg's row factory. We read the columns' names once, and again when a migration has added one."""
        width, make = self._made
        columns = cursor.pgresult.nfields if cursor.pgresult else 0
        if columns != width:
            make = row_maker(self.row, [column.name for column in cursor.description or ()])
            self._made = columns, make
        return make


class SqlFile:
    """The ``.sql`` file of a module."""

    def __init__(self, module: str) -> None:
        self.module = module
        package, _, name = module.rpartition(".")
        _, *parts = _HEADING.split(files(package).joinpath(f"{name}.sql").read_text(encoding="utf-8"))
        self._parts = {
            heading: _COMMENT.sub("", part).strip()
            for heading, part in zip(parts[::2], parts[1::2], strict=True)
        }

    @overload
    def statement(self, name: str, /, **holes: str) -> Statement[None]: ...
    @overload
    def statement(self, name: str, row: type[Row], /, **holes: str) -> Statement[Row]: ...
    def statement(self, name: str, row: type[Any] | None = None, /, **holes: str) -> Statement[Any]:
        """Return the statement of this name, and list it in ``CATALOGUE`` as ``sending.dispatch.due``."""
        made: Statement[Any] = Statement(self.fragment(name, **holes), cast("type[Any]", row))
        made.name = f"{self.module.removeprefix('db.')}.{name}"
        CATALOGUE[made.name] = made
        return made

    def fragment(self, name: str, /, **holes: str) -> str:
        """Return the text of this name with its holes filled. Raises ``ValueError`` if ``holes`` are not those it has."""
        used: set[str] = set()

        def fill(name: str) -> str:
            if name in holes:
                used.add(name)
                return holes[name]
            if name not in self._parts:
                raise ValueError(f"{self.module}: nothing fills {{{name}}}")
            return _HOLE.sub(lambda hole: fill(hole[1]), self._parts[name])

        whole = _HOLE.sub(lambda hole: fill(hole[1]), self._parts[name])
        if used != set(holes):
            raise ValueError(f"{self.module}: {name} has no hole for {sorted(set(holes) - used)}")
        return whole


# Every statement that stands in a file.
CATALOGUE: dict[str, Statement[Any]] = {}


def row_maker(row: type[Any] | None, columns: Sequence[str]) -> Callable[[Sequence[Any]], Any]:
    """Return what turns a row of these columns into a ``row``. Raises ``TypeError`` if they lack one of its fields."""
    if row is None:
        return _no_row
    named = issubclass(row, tuple) and hasattr(row, "_fields")
    if not named and not is_dataclass(row):
        return lambda values: values[0]
    wanted = list(row._fields) if named else [each.name for each in fields(row)]
    if lacking := set(wanted) - set(columns):
        raise TypeError(f"{row.__qualname__} wants columns {sorted(lacking)}")
    if wanted != columns:
        order = [columns.index(name) for name in wanted]
        return lambda values: row(*[values[at] for at in order])
    return cast("Callable[[Sequence[Any]], Any]", row._make) if named else lambda values: row(*values)


def _no_row(_: Sequence[Any]) -> Any:
    raise TypeError("the statement has no type for its rows")


def _as_sqlalchemy(
    tx: Transaction, connection: psycopg.Connection[Any], error: psycopg.Error
) -> BaseException:
    """Return the error as SQLAlchemy raises it, but without parameters, which may hold people's texts."""
    if connection.closed:
        tx.invalidate(error)
    return DBAPIError.instance(
        None, None, error, psycopg.Error, connection_invalidated=connection.closed, dialect=_DIALECT
    )


def _not_one(rows: int) -> Exception:
    return MultipleResultsFound(f"{rows} rows") if rows > 1 else NoResultFound("no row")
