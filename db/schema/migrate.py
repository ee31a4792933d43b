"""Upgrade a database to the newest schema. Concurrent runs are safe: an advisory lock orders them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import Connection, NullPool
from sqlalchemy.exc import OperationalError

from db.core import database_url
from db.core.session import open_engine, unavailable
from db.schema import privileges

_TRIES = 10  # of a migration, each at most 5 s (db/migrations/env.py)


def alembic_config(url: str) -> Config:
    """Return Alembic's configuration for ``url``, without a file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    config.attributes["database_url"] = url
    config.set_main_option("file_template", "%%(year)d-%%(month).2d-%%(day).2d_%%(slug)s")
    return config


def upgrade(url: str, revision: str = "head", *, secret_keys: tuple[bytes, ...] = ()) -> None:
    """Apply all migrations up to ``revision``. ``secret_keys``: for migrations that seal existing data.

    Live work may hold a lock that a migration waits for, or wait for one of its: then that migration is tried again.
    Raises ``OperatorMisconfigured`` if a migration needs keys and has none.
    """
    config = alembic_config(url)
    config.attributes["secret_keys"] = secret_keys
    with _connected(url) as connection:
        privileges.check(connection)
    for further in reversed(range(_TRIES)):
        try:
            command.upgrade(
                config, revision
            )  # goes on where the last try was undone: each migration is a transaction
        except OperationalError as error:
            if not further or not isinstance(error.orig, (DeadlockDetected, LockNotAvailable)):
                raise
        else:
            return


@dataclass(frozen=True, slots=True)
class Pending:
    """A database's revision. ``present`` None: it is empty. ``revisions``: what ``upgrade`` would apply, in order."""

    present: str | None
    revisions: tuple[str, ...]


def pending(url: str) -> Pending:
    """Return what ``upgrade`` would do, without changes. Raises ``OperatorMisconfigured`` if it could not run."""
    with _connected(url) as connection:
        privileges.check(connection)
        present = MigrationContext.configure(connection).get_current_revision()
    script = ScriptDirectory.from_config(alembic_config(url))
    newer = script.iterate_revisions("head", present or "base")
    return Pending(present, tuple(each.revision for each in reversed(list(newer))))


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = open_engine(url, application="onbehalf-migrate", session={}, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            yield connection
    except OperationalError as error:
        raise unavailable(error, database_url.read(url).parameters.get("password")) from error
    finally:
        engine.dispose()


def downgrade(url: str, revision: str) -> None:
    """Undo migrations down to ``revision`` (``base`` = an empty database)."""
    command.downgrade(alembic_config(url), revision)


def check(url: str) -> None:
    """Raise Alembic's error if tables and migrations differ."""
    command.check(alembic_config(url))
