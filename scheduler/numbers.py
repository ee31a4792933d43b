"""Counts the numbers of large organizations ahead (docs/performance.md)."""

import time

import structlog

from db.core.session import Database
from db.sequences import counted

log = structlog.get_logger()

MAX_SECONDS = 15.0  # of a round; the rest waits for the next one


def count(database: Database) -> None:
    """Run one round: each organization whose numbers are old, in a transaction of its own."""
    with database.transaction() as tx:
        counted.watch(tx)
    began = time.monotonic()
    while time.monotonic() - began < MAX_SECONDS:
        with database.transaction() as tx:
            organization_id = counted.count_next(tx)
        if organization_id is None:
            return
        log.info("numbers_counted", organization_id=str(organization_id))
