"""Which schema a database has, and which this release needs."""

from functools import cache

from alembic.script import ScriptDirectory
from sqlalchemy import text

from db.core.session import Transaction
from db.schema.migrate import alembic_config


@cache
def _known() -> tuple[str, frozenset[str]]:
    """The newest revision of this release, and all that came before."""
    scripts = ScriptDirectory.from_config(alembic_config("postgresql+psycopg://"))
    (newest,) = scripts.get_heads()
    return newest, frozenset(each.revision for each in scripts.walk_revisions()) - {newest}


def is_recent(tx: Transaction) -> bool:
    """Has the database all that this release needs? A newer release may have migrated it further already."""
    newest, older = _known()
    if tx.execute(text("SELECT to_regclass('alembic_version')")).scalar_one() is None:
        return False  # an empty database
    present: str | None = tx.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return present == newest or (present is not None and present not in older)
