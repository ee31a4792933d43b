"""A migration can add values to a constraint's list and remove them again, and keeps the others."""

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, text

from db.schema.constraints import extend_check, restrict_check


@pytest.mark.parametrize(("first", "present"), [("('a', 'it''s')", {"a", "it's"}), ("('only')", {"only"})])
def test_values_are_added_and_taken_out_again(database_url: str, first: str, present: set[str]) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(
            text(f"CREATE TABLE things (kind text CONSTRAINT ck_things_kind CHECK (kind IN {first}))")
        )
        with Operations.context(MigrationContext.configure(connection)):
            extend_check("things", "ck_things_kind", "b", "c d")
            extend_check("things", "ck_things_kind", "b", "e")
            for kind in [*present, "b", "c d", "e"]:
                connection.execute(text("INSERT INTO things VALUES (:kind)"), {"kind": kind})
            connection.execute(text("DELETE FROM things WHERE kind IN ('b', 'c d', 'e')"))
            restrict_check("things", "ck_things_kind", "b", "c d", "e")
            for kind in present:
                connection.execute(text("INSERT INTO things VALUES (:kind)"), {"kind": kind})
            with pytest.raises(Exception, match="ck_things_kind"):
                connection.execute(text("INSERT INTO things VALUES ('b')"))
    engine.dispose()


def test_a_constraint_that_lists_no_values_is_refused(database_url: str) -> None:
    engine = create_engine(database_url)
    with (
        engine.begin() as connection,
        Operations.context(MigrationContext.configure(connection)),
        pytest.raises(ValueError, match="not a list"),
    ):
        extend_check("deliveries", "ck_deliveries_held", "b")
    engine.dispose()
