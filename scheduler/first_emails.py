"""Notifies mailbox owners of a first email that waits for them to read it."""

import structlog

from db.access.first_emails import release_stale
from db.core.session import Database
from db.events import first_emails

log = structlog.get_logger()


def notify(database: Database) -> None:
    """Run one round. Each hears once, however long it waits and however many emails do."""
    with database.transaction() as tx:
        release_stale(tx)
    with database.transaction() as tx:
        notified = first_emails.notify(tx)
    if notified:
        log.info("first_emails_announced", count=notified)
