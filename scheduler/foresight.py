"""Looks two days ahead, so that owners hear of what cannot be sent before it should have been."""

import structlog

from db import foresight
from db.session import Database

log = structlog.get_logger()


def look_ahead(database: Database) -> None:
    """One round."""
    with database.transaction() as tx:
        stranded = foresight.pause_stranded(tx)
        warned = foresight.warn_of_ends(tx)
    if stranded or warned:
        log.info("looked_ahead", stranded=stranded, warned=warned)
