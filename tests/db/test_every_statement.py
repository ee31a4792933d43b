"""Every statement of the product is one that the database takes, and its columns are what its row's class wants: also those that no
other test runs."""

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psycopg
import pytest
from psycopg.pq import ExecStatus

import db
from db.core.session import Database
from db.core.statements import CATALOGUE, Statement, row_maker


@dataclass(frozen=True, slots=True)
class _Named:
    name: str


_PARAMETER = re.compile(rb"%\((\w+)\)s")
_SPAN = re.compile(rb"(?:now|clock_timestamp)\(\) [-+] %\((\w+)\)s")
# Types that only a value tells: psycopg sends them with it.
_TYPES = {b"closed_at": "timestamptz", b"grace": "interval", b"tokens": "float8", b"capacity": "float8"}


def everything() -> Iterator[tuple[str, Statement[object]]]:
    """Every statement that a module of ``db`` has, by its name."""
    for module in pkgutil.walk_packages(db.__path__, "db."):
        if ".migrations" not in module.name:
            for name, value in vars(importlib.import_module(module.name)).items():
                held = (
                    value.items() if isinstance(value, Mapping) and value is not CATALOGUE else [("", value)]
                )
                for key, each in held:
                    if isinstance(each, Statement):
                        yield f"{module.name.removeprefix('db.')}.{name}{key}", each


def columns(connection: psycopg.Connection[object], statement: Statement[object]) -> list[str]:
    """What the database says that its rows have. Raises ``AssertionError`` where it refuses the statement."""
    numbers: dict[bytes, int] = {}
    numbered = _PARAMETER.sub(
        lambda found: b"$%d" % numbers.setdefault(found[1], len(numbers) + 1), statement.sql
    )
    spans = dict.fromkeys(_SPAN.findall(statement.sql), "interval")
    types = [
        connection.adapters.types.get_oid(known) if (known := (_TYPES | spans).get(name)) else 0
        for name in numbers
    ]
    prepared = connection.pgconn.prepare(b"", numbered.replace(b"%%", b"%"), types)
    assert prepared.status == ExecStatus.COMMAND_OK, prepared.get_error_message()
    described = connection.pgconn.describe_prepared(b"")
    return [(described.fname(at) or b"").decode() for at in range(described.nfields)]


def test_the_database_takes_every_statement_and_its_rows_have_what_their_class_wants(
    database: Database,
) -> None:
    wrong = {}
    with psycopg.connect(database.url.replace("+psycopg", ""), autocommit=True) as connection:
        for name, statement in everything():
            try:
                row_maker(statement.row, columns(connection, statement))
            except (AssertionError, TypeError) as error:
                wrong[name] = str(error)
    assert not wrong
    assert len(dict(everything())) > 500


@pytest.mark.parametrize("made", ["SELECT nothing", "SELECT name AS other FROM organizations"])
def test_a_statement_that_is_wrong_is_seen(database: Database, made: str) -> None:
    with (
        psycopg.connect(database.url.replace("+psycopg", ""), autocommit=True) as connection,
        pytest.raises((AssertionError, TypeError)),
    ):
        row_maker(_Named, columns(connection, Statement(made, _Named)))
