"""Which schema a database has, and which one this release needs."""

from functools import cache

from alembic.script import ScriptDirectory

from db.core.session import Transaction
from db.core.statements import Statement
from db.schema.migrate import alembic_config

# Rights are given when all migrations are done.
_IS_MIGRATED = Statement(
    "SELECT coalesce(has_table_privilege(to_regclass('alembic_version'), 'SELECT'), false)", bool
)
_REVISION = Statement("SELECT version_num FROM alembic_version", str)


@cache
def _known() -> tuple[str, frozenset[str]]:
    """Return this release's newest revision, and all earlier ones."""
    scripts = ScriptDirectory.from_config(alembic_config("postgresql+psycopg://"))
    (newest,) = scripts.get_heads()
    return newest, frozenset(each.revision for each in scripts.walk_revisions()) - {newest}


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
