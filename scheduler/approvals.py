"""Notifies owners once a day of emails that wait for their approval."""

import structlog

from db.core.session import Database
from db.events import approvals

log = structlog.get_logger()


def notify(database: Database) -> None:
    """Run one round. Whoever has heard of theirs today hears no more until tomorrow."""
    with database.transaction() as tx:
        notified = approvals.notify(tx)
    if notified:
        log.info("approvals_announced", count=notified)
