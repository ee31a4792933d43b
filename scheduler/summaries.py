"""Sends members the notices of a day in one email, if they have asked for that."""

import structlog

from db.core.session import Database
from db.events import notice_preferences

log = structlog.get_logger()


def summarize(database: Database) -> None:
    """Run one round: every member whose summary is due, each in a transaction of its own."""
    while True:
        with database.transaction() as tx:
            member_id = notice_preferences.summarize(tx)
        if member_id is None:
            return
        log.info("summary_written", member_id=str(member_id))
