"""Read and change the product's tables by verbs, so that tests need no SQL.

Reads return records of ``lab/records.py`` and ``lab/access_records.py``. Changes are for what nobody does in the product:
time that passes, states that nothing reaches within a test. Columns are looked up in the schema: an unknown one is a KeyError.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Date,
    Table,
    Update,
    cast,
    delete,
    func,
    insert,
    literal,
    null,
    select,
    text,
    update,
)

from db.core.session import Database, Transaction
from lab.records import Delivery, Record, columns_of

R = TypeVar("R", bound=Record)


class Present:
    """In a condition: any value but NULL."""


PRESENT: Final = Present()
_WHATEVER: Final = object()  # no key is given; None would be a key that nothing has
_BY_TIME = ("position", "created_at", "occurred_at", "given_at", "at")
_WAITING_FOR_A_LOCK = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def ago(**span: float) -> datetime:
    """Return the moment that long ago, by the arguments of ``timedelta``; without any, the present moment."""
    return datetime.now(UTC) - timedelta(**span)


def ahead(**span: float) -> datetime:
    """Return the moment that far ahead, by the arguments of ``timedelta``."""
    return datetime.now(UTC) + timedelta(**span)


class Tables:
    """The verbs. A condition names a column and its value: None is NULL, a list means any of these, ``PRESENT`` any but NULL."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def all(self, kind: type[R], key: object = _WHATEVER, /, **where: object) -> list[R]:
        """Return the matching records, oldest first."""
        table = kind.table
        order = [table.c[name] for name in _BY_TIME if name in table.c]
        statement = (
            select(*columns_of(kind))
            .where(*_conditions(table, key, where))
            .order_by(*order, *table.primary_key)
        )
        with self.database.transaction() as tx:
            return [kind(*row) for row in tx.execute(statement).all()]

    def only(self, kind: type[R], key: object = _WHATEVER, /, **where: object) -> R:
        """Return the one matching record. Raises AssertionError if there is none or more than one."""
        found = self.all(kind, key, **where)
        if len(found) != 1:
            raise AssertionError(f"{len(found)} {kind.table.name} where one is expected: {found[:3]}")
        return found[0]

    def count(self, kind: type[Record], /, **where: object) -> int:
        """Count the matching records."""
        statement = (
            select(func.count()).select_from(kind.table).where(*_conditions(kind.table, _WHATEVER, where))
        )
        with self.database.transaction() as tx:
            return int(tx.execute(statement).scalar_one())

    def states(self) -> dict[str, int]:
        """Count deliveries by state."""
        state = Delivery.table.c.state
        counted = select(state, func.count().label("number")).group_by(state)
        with self.database.transaction() as tx:
            return {each.state: each.number for each in tx.execute(counted)}

    def put(
        self,
        kind: type[Record],
        key: object = _WHATEVER,
        /,
        *,
        where: dict[str, object] | None = None,
        **values: object,
    ) -> None:
        """Set columns: of the record with this key, of those that match ``where``, or of all."""
        with self.database.transaction() as tx:
            tx.execute(_change(kind.table, key, where, values))

    def overwrite(
        self,
        kind: type[Record],
        key: object = _WHATEVER,
        /,
        *,
        where: dict[str, object] | None = None,
        **values: object,
    ) -> None:
        """``put`` without triggers: for states that nothing reaches within a test, and for tampering."""
        with self.database.transaction() as tx:
            tx.execute(text("SET LOCAL session_replication_role = replica"))
            tx.execute(_change(kind.table, key, where, values))

    def older(
        self,
        kind: type[Record],
        *moments: str,
        where: dict[str, object] | None = None,
        **span: float,
    ) -> None:
        """Move moments or dates into the past, by the arguments of ``timedelta``."""
        table, age = kind.table, timedelta(**span)
        known = {table.c[name]: _earlier(table.c[name], age) for name in moments}
        with self.database.transaction() as tx:
            tx.execute(update(table).where(*_conditions(table, _WHATEVER, where or {})).values(known))

    def add(self, kind: type[Record], *rows: dict[str, object]) -> None:
        """Insert rows directly: what happened elsewhere, or more than a test has time for."""
        with self.database.transaction() as tx:
            tx.execute(insert(kind.table), list(rows))

    def remove(self, kind: type[Record], key: object = _WHATEVER, /, **where: object) -> None:
        """Delete the record with this key, the matching ones, or all."""
        with self.database.transaction() as tx:
            tx.execute(delete(kind.table).where(*_conditions(kind.table, key, where)))

    def purge(self, kind: type[Record], /, **where: object) -> None:
        """``remove`` without triggers, though others point to it: what retention deleted, with more around it than a test makes."""
        with self.database.transaction() as tx:
            tx.execute(text("SET LOCAL session_replication_role = replica"))
            tx.execute(delete(kind.table).where(*_conditions(kind.table, _WHATEVER, where)))

    @contextmanager
    def locked(self, kind: type[Record]) -> Iterator[None]:
        """Hold a whole table, so that whoever reads or writes it waits."""
        with self.database.transaction() as tx:
            tx.execute(text(f"LOCK TABLE {kind.table.name} IN ACCESS EXCLUSIVE MODE"))
            yield

    def everything(self, *kinds: type[Record]) -> list[tuple[object, ...]]:
        """Return all rows of these tables with all columns, to compare them later or to search them for secrets."""
        with self.database.transaction() as tx:
            return [
                tuple(row)
                for kind in kinds
                for row in tx.execute(select(kind.table).order_by(*kind.table.primary_key)).all()
            ]

    def dump(self) -> str:
        """Return the whole database as text."""
        with self.database.transaction() as tx:
            names = tx.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"))
            return "".join(
                str(row)
                for name in names.scalars().all()
                for row in tx.execute(text(f'SELECT t::text FROM "{name}" t'))
            )

    def rows_of(self, organization_id: UUID) -> dict[str, str]:
        """Return all rows of an organization as one text for each table, to compare them later."""
        tables = [each for each in Delivery.table.metadata.sorted_tables if "organization_id" in each.c]
        with self.database.transaction() as tx:
            return {
                each.name: "|".join(
                    sorted(
                        str(row)
                        for row in tx.execute(select(each).where(each.c.organization_id == organization_id))
                    )
                )
                for each in tables
            }

    @contextmanager
    def without(self, kind: type[Record]) -> Iterator[None]:
        """Take a table away for a while, so that whatever uses it fails unexpectedly."""
        name = kind.table.name
        with self.database.transaction() as tx:
            tx.execute(text(f"ALTER TABLE {name} RENAME TO {name}_gone"))
        try:
            yield
        finally:
            with self.database.transaction() as tx:
                tx.execute(text(f"ALTER TABLE {name}_gone RENAME TO {name}"))

    def until_a_lock_is_waited_for(self, seconds: float = 10) -> None:
        """Wait until a session of this database waits for a lock. Raises AssertionError if none does in time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with self.database.transaction() as tx:
                if tx.execute(text(_WAITING_FOR_A_LOCK)).scalar_one():
                    return
            time.sleep(0.01)
        raise AssertionError(f"no session waited for a lock within {seconds:.0f} s")


def lock(tx: Transaction, kind: type[Record], *, wait: bool = True) -> None:
    """Lock all rows of a table until the transaction ends. Without ``wait``, fail if another transaction holds one."""
    tx.execute(select(*kind.table.primary_key).with_for_update(nowait=not wait))


def _change(table: Table, key: object, where: dict[str, object] | None, values: dict[str, object]) -> Update:
    known = {table.c[name]: null() if value is None else value for name, value in values.items()}
    return update(table).where(*_conditions(table, key, where or {})).values(known)


def _conditions(table: Table, key: object, where: dict[str, object]) -> list[ColumnElement[bool]]:
    named: dict[Column[object], object] = {table.c[name]: value for name, value in where.items()}
    if key is not _WHATEVER:
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
