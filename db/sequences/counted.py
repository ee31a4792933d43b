"""Counts the numbers of large organizations ahead, because counting 100,000 emails takes longer than anybody waits for a page.

A person counts once, so numbers of days or weeks cannot simply be added: all is counted again, at no cost to whoever sends. Between two counts, ``db/views/numbers.py`` shows those of the last one, and when it was (docs/performance.md).
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.views.numbers import HISTOGRAM, of_period
from domain.numbers import MAX_WEEKS, By, period

LARGE = 1_000  # people
EVERY = timedelta(minutes=1)


class _Next(NamedTuple):
    organization_id: UUID
    zone: str
    now: datetime


_SQL = SqlFile(__name__)
_WATCH = _SQL.statement("watch")
_NEXT = _SQL.statement("next", _Next)
_COUNT = _SQL.statement("count", found=HISTOGRAM).planned_for_its_values()
_ONE_MOMENT = Statement("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
_DONE = _SQL.statement("done")


def watch(tx: Transaction, *, large: int = LARGE) -> int:
    """Begin to count for organizations with ``large`` people or more; returns how many are new."""
    return _WATCH.run(tx, large=large)


def count_next(tx: Transaction, *, every: timedelta = EVERY) -> UUID | None:
    """Count the numbers that were counted longest ago, for everybody who sees some of them; None: none are to be counted yet.

    Call it first in its transaction, which then reads all rows as of one moment.
    """
    _ONE_MOMENT.run(tx)
    due = _NEXT.one_or_none(tx, every=every)
    if due is None:
        return None
    spans = period(MAX_WEEKS, due.zone, due.now)
    asked = of_period(tx, due.organization_id, spans)
    for kind in ("total", *By):  # each is a fifth of the work, and ends well before Postgres would end it
        _COUNT.run(tx, **asked, viewer_id=None, sequence_id=None, kinds=[kind])
    _DONE.run(tx, at=due.now, organization_id=due.organization_id)
    return due.organization_id
