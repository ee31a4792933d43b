"""Looks two days ahead, so that owners hear in time of what cannot be sent."""

import structlog

from db.core.session import Database
from db.events import early_warnings, incomplete

log = structlog.get_logger()


def warn_early(database: Database) -> None:
    """Run one round."""
    with database.transaction() as tx:
        unsendable = early_warnings.pause_unsendable(tx)
        warned = early_warnings.warn_of_ends(tx)
    if unsendable or warned:
        log.info("warned_early", unsendable=unsendable, warned=warned)


def hold_incomplete(database: Database) -> None:
    """Run one round, with a transaction per step and field. It reads all waiting deliveries, so it runs only hourly."""
    with database.transaction() as tx:
        needed = incomplete.needed_fields(tx)
    held = 0
    for each in needed:
        with database.transaction() as tx:
            held += incomplete.hold_incomplete(tx, each, ahead=early_warnings.AHEAD)
    if held:
        log.info("incomplete_held", count=held)
