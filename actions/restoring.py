"""Take over a database that was restored from a backup: nothing leaves twice, and nothing leaves before operators say so."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from actions import holds
from app.runtime import Runtime
from db.core.session import database_now
from db.sending import restores
from domain.errors import InvalidInput

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Restored:
    """``searched_first``: emails that are searched for before they are sent. ``blind``: of those, the ones that nobody can search
    for and whose turn may have come in the lost time; a person decides.
    """

    restored_to: datetime
    at: datetime
    searched_first: int
    blind: int


def restored(
    runtime: Runtime, restored_to: datetime, *, actor: str, saw: Callable[[int], None] = lambda _: None
) -> Restored:
    """Stop all sending (``onbehalf drain``), and mark what may have left since ``restored_to``. Raises ``InvalidInput``.

    ``saw``: is called with how many emails are marked, now and then. Whoever repeats it marks no email twice.
    """
    if restored_to.tzinfo is None:
        raise InvalidInput(
            "This time has no zone", where="--to", fix="Write 2026-12-24T09:00Z or 2026-12-24T10:00+01:00."
        )
    with runtime.database.transaction() as tx:
        if restored_to > database_now(tx):
            raise InvalidInput("This time is yet to come", where="--to", fix="Give the backup's time.")
    holds.drain(runtime, actor=actor, reason="The database was restored from a backup.", within=timedelta())
    with runtime.database.transaction() as tx:
        at = restores.note(tx, restored_to, actor)
    searched_first = blind = 0
    for marked in restores.search_first(runtime.database):
        searched_first, blind = searched_first + marked.searched_first, blind + marked.blind
        saw(searched_first)
    log.warning("database_restored", count=searched_first)
    return Restored(restored_to, at, searched_first, blind)
