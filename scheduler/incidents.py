"""Closes incidents that are over, and passes on those that nobody has read."""

from uuid import UUID

import structlog

from db.core.session import Database
from db.events import incidents

log = structlog.get_logger()


def examine(database: Database) -> None:
    """Run one round over all open incidents, a batch in a transaction."""
    after: UUID | None = None
    while True:
        with database.transaction() as tx:
            done = incidents.examine(tx, after)
        if done.closed or done.escalated:
            log.info("incidents_examined", closed=done.closed, escalated=done.escalated)
        if done.last is None:
            return
        after = done.last
