"""Looks two days ahead, so that owners hear of what cannot be sent before it should have been."""

import structlog

from db.core.session import Database
from db.events import early_warnings, incomplete

log = structlog.get_logger()


def warn_early(database: Database) -> None:
    """One round."""
    with database.transaction() as tx:
        unsendable = early_warnings.pause_unsendable(tx)
        warned = early_warnings.warn_of_ends(tx)
    if unsendable or warned:
        log.info("warned_early", unsendable=unsendable, warned=warned)


def hold_incomplete(database: Database) -> None:
    """One round, each step and field in a transaction of its own. Reads what waits, so it comes once an hour."""
    with database.transaction() as tx:
        needed = incomplete.needed_fields(tx)
    held = 0
    for each in needed:
        with database.transaction() as tx:
            held += incomplete.hold_incomplete(tx, each, ahead=early_warnings.AHEAD)
    if held:
        log.info("incomplete_held", count=held)
