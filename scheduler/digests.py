"""Tells every mailbox's owner, once a week, what others sent in their name."""

import structlog

from db.core.session import Database
from db.events import digests

log = structlog.get_logger()


def notify(database: Database) -> None:
    """One round: every organization whose week has ended and has no digest yet."""
    while True:
        with database.transaction() as tx:
            week = digests.take_week(tx)
            if week is None:
                return
            notified = digests.notify(tx, week)
        if notified:
            log.info("digests_written", organization_id=str(week.organization_id), count=notified)
