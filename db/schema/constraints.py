"""For migrations: lets a column take more values, or fewer, in a constraint that lists them."""

import re

from alembic import op
from sqlalchemy import text

_VALUE = re.compile(r"'((?:[^']|'')*)'(?:::[a-z ]+)?")


def extend_check(table: str, constraint: str, *values: str) -> None:
    """Add values to a ``CHECK (column IN (...))``. Those it lists already change nothing."""
    column, present = _definition(table, constraint)
    _replace(table, constraint, column, [*present, *(each for each in values if each not in present)])


def restrict_check(table: str, constraint: str, *values: str) -> None:
    """Take values out again. Fails if a row still holds one of them."""
    column, present = _definition(table, constraint)
    _replace(table, constraint, column, [each for each in present if each not in values])


def _definition(table: str, constraint: str) -> tuple[str, list[str]]:
    """The column that a constraint is about, and the values it permits now, in their order."""
    found = op.get_bind().scalar(
        text(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name AND conrelid = CAST(:table AS regclass)"
        ),
        {"name": constraint, "table": table},
    )
    listed = re.fullmatch(r"CHECK \(\(?\(?(\w+)\)?(?:::text)? = (?:ANY )?(.+)\)", found or "")
    if listed is None:
        raise ValueError(f"{constraint} on {table} is not a list of values: {found}")
    return listed[1], [value.replace("''", "'") for value in _VALUE.findall(listed[2])]


def _replace(table: str, constraint: str, column: str, values: list[str]) -> None:
    listed = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK ({column} IN ({listed}))")
