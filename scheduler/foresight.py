"""Looks two days ahead, so that owners hear of what cannot be sent before it should have been."""

import structlog

from db import foresight, incomplete
from db.session import Database

log = structlog.get_logger()


def look_ahead(database: Database) -> None:
    """One round."""
    with database.transaction() as tx:
        stranded = foresight.pause_stranded(tx)
        warned = foresight.warn_of_ends(tx)
    if stranded or warned:
        log.info("looked_ahead", unsendable=stranded, warned=warned)


def hold_incomplete(database: Database) -> None:
    """One round, each step and field in a transaction of its own. Reads what waits, so it comes once an hour."""
    with database.transaction() as tx:
        needed = incomplete.needed_fields(tx)
    held = 0
    for each in needed:
        with database.transaction() as tx:
            held += incomplete.hold_incomplete(tx, each, ahead=foresight.AHEAD)
    if held:
        log.info("incomplete_held", count=held)
