"""Forgets mail that came to default addresses: its rows some days after it was read, what is nobody's after 180 days."""

from datetime import timedelta

import structlog

from db.core.session import Database
from db.listening import received, unassigned
from domain.listening.unassigned import KEPT_FOR

log = structlog.get_logger()

_PROCESSED_KEPT_FOR = timedelta(days=2)  # longer than a message that comes again counts as the same


def forget(database: Database) -> None:
    """Run one round."""
    with database.transaction() as tx:
        received.forget_processed(tx, _PROCESSED_KEPT_FOR)
    forgotten = 0
    while True:
        with database.transaction() as tx:
            gone = unassigned.forget(tx, KEPT_FOR)
        forgotten += gone
        if not gone:
            break
    if forgotten:
        log.info("unassigned_forgotten", count=forgotten)
