"""Forgets files of people a day after they were uploaded, imported or not."""

import structlog

from db.core.session import Database
from db.sequences import people_imports

log = structlog.get_logger()


def forget(database: Database) -> None:
    """Run one round."""
    with database.transaction() as tx:
        gone = people_imports.forget(tx)
    if gone:
        log.info("people_imports_forgotten", count=gone)
