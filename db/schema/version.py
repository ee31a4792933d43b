"""Which schema a database has, and which one this release needs.

Read from the names in the migrations' files: every process asks at its start, and Alembic, with all migrations, is 10 MiB that
only ``onbehalf migrate`` has a use for.
"""

import re
from functools import cache
from pathlib import Path

from db.core.session import Transaction
from db.core.statements import Statement

_MIGRATIONS = Path(__file__).parents[1] / "migrations" / "versions"
_NAME = re.compile(r'^(revision|down_revision) = "(.*)"$', re.MULTILINE)

# Rights are given when all migrations are done.
_IS_MIGRATED = Statement(
    "SELECT coalesce(has_table_privilege(to_regclass('alembic_version'), 'SELECT'), false)", bool
)
_REVISION = Statement("SELECT version_num FROM alembic_version", str)


@cache
def _known() -> tuple[str, frozenset[str]]:
    """Return this release's newest revision, and all earlier ones."""
    names = [dict(_NAME.findall(path.read_text())) for path in _MIGRATIONS.glob("*.py")]
    every = {each["revision"] for each in names}
    (newest,) = every - {each.get("down_revision") for each in names}
    return newest, frozenset(every - {newest})


def newest() -> str:
    """Return the newest revision that this release knows."""
    return _known()[0]


def is_recent(tx: Transaction) -> bool:
    """Does the database have everything this release needs? A newer release may already have migrated it further."""
    newest, older = _known()
    if not _IS_MIGRATED.one(tx):
        return False  # an empty database, or one that is just being migrated
    present = _REVISION.one_or_none(tx)
    return present == newest or (present is not None and present not in older)
