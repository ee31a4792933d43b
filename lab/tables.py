"""What a stage reads and changes by hand: verbs over the product's tables, so that tests name no SQL.

Reads give records of ``lab/records.py``. Changes are for what nobody does in the product: time that passes, a state that no
verb reaches in a test's time. Column names are checked against the schema, so a renamed column fails where it is named.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from sqlalchemy import Column, ColumnElement, Date, Table, cast, func, literal, null, select, text, update

from db.core.session import Database, Transaction
from lab.records import Delivery, Record, columns_of

R = TypeVar("R", bound=Record)


class Present:
    """Stands for any value but NULL in a condition."""


PRESENT: Final = Present()
_BY_TIME = ("position", "created_at", "occurred_at", "given_at", "at")
_WAITING_FOR_A_LOCK = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def ago(**span: float) -> datetime:
    """The moment that was so long ago, as ``timedelta`` takes it; the present one by default."""
    return datetime.now(UTC) - timedelta(**span)


def ahead(**span: float) -> datetime:
    """The moment that comes after so long a time, as ``timedelta`` takes it."""
    return datetime.now(UTC) + timedelta(**span)


class Tables:
    """The verbs. A condition is a column's value: None for NULL, a list for any of it, ``PRESENT`` for any but NULL."""

    database: Database

    def all(self, kind: type[R], key: object = None, /, **where: object) -> list[R]:
        """Every record that fits, oldest first."""
        table = kind.table
        order = [table.c[name] for name in _BY_TIME if name in table.c]
        statement = (
            select(*columns_of(kind))
            .where(*_conditions(table, key, where))
            .order_by(*order, *table.primary_key)
        )
        with self.database.transaction() as tx:
            return [kind(*row) for row in tx.execute(statement).all()]

    def only(self, kind: type[R], key: object = None, /, **where: object) -> R:
        """The one record that fits. An AssertionError says how many there are otherwise."""
        found = self.all(kind, key, **where)
        if len(found) != 1:
            raise AssertionError(f"{len(found)} {kind.table.name} where one is expected: {found}")
        return found[0]

    def count(self, kind: type[Record], /, **where: object) -> int:
        """How many records fit."""
        statement = select(func.count()).select_from(kind.table).where(*_conditions(kind.table, None, where))
        with self.database.transaction() as tx:
            return int(tx.execute(statement).scalar_one())

    def states(self) -> dict[str, int]:
        """How many deliveries are in each state."""
        found = [each.state for each in self.all(Delivery)]
        return {state: found.count(state) for state in set(found)}

    def put(
        self,
        kind: type[Record],
        key: object = None,
        /,
        *,
        where: dict[str, object] | None = None,
        **values: object,
    ) -> None:
        """Give columns these values: in the record of that key, in those that fit, or in all."""
        known = {kind.table.c[name]: null() if value is None else value for name, value in values.items()}
        statement = update(kind.table).where(*_conditions(kind.table, key, where or {})).values(known)
        with self.database.transaction() as tx:
            tx.execute(statement)

    def older(
        self,
        kind: type[Record],
        *moments: str,
        where: dict[str, object] | None = None,
        **span: float,
    ) -> None:
        """Move moments (or dates) into the past by so long a time, as ``timedelta`` takes it."""
        table, age = kind.table, timedelta(**span)
        known = {table.c[name]: _earlier(table.c[name], age) for name in moments}
        with self.database.transaction() as tx:
            tx.execute(update(table).where(*_conditions(table, None, where or {})).values(known))

    @contextmanager
    def locked(self, kind: type[Record]) -> Iterator[Transaction]:
        """Somebody else holds every row of a table meanwhile."""
        with self.database.transaction() as tx:
            tx.execute(select(*kind.table.primary_key).with_for_update())
            yield tx

    def waits_for_a_lock(self) -> int:
        """How many sessions of this database wait for a lock now."""
        with self.database.transaction() as tx:
            return int(tx.execute(text(_WAITING_FOR_A_LOCK)).scalar_one())


def _conditions(table: Table, key: object, where: dict[str, object]) -> list[ColumnElement[bool]]:
    named: dict[Column[object], object] = {table.c[name]: value for name, value in where.items()}
    if key is not None:
        named[next(iter(table.primary_key))] = key
    return [_fits(column, value) for column, value in named.items()]


def _fits(column: Column[object], value: object) -> ColumnElement[bool]:
    match value:
        case None:
            return column.is_(None)
        case Present():
            return column.is_not(None)
        case list() | tuple() | set() | frozenset():
            return column.in_(value)
        case _:
            return column == value


def _earlier(column: Column[object], age: timedelta) -> ColumnElement[object]:
    moved = column - literal(age)
    return cast(moved, Date) if isinstance(column.type, Date) else moved
