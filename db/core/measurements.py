"""How the whole installation stood, minute by minute. Schedulers write it; the page Operations reads it.

Pages act for one organization each, and see nothing of the others. So they show what was measured, and count nothing themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from db.core.jsonb import Json, dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement

EVERY = timedelta(seconds=15)
KEPT_FOR = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Newest:
    """The last measurement. ``now``: on the database's clock."""

    measured_at: datetime
    now: datetime
    details: Json | None


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured in a span of time that begins at ``at``: the mean or the highest of each figure; None: nothing was."""

    at: datetime
    sent: float | None
    due: int | None
    overdue: int | None
    queue_lag: float | None
    in_doubt: int | None
    unread: int | None
    lags: Sequence[int] | None  # of ``domain.lag``
    attempts: int | None
    attempts_failed: int | None


_SQL = SqlFile(__name__)
_IS_DUE = _SQL.statement("is_due", bool)
_KEEP = _SQL.statement("keep")
_FORGET = Statement("DELETE FROM measurements WHERE minute < clock_timestamp() - CAST(:age AS interval)")
_NEWEST = _SQL.statement("newest", Newest)
_HISTORY = _SQL.statement("history", Point)


def is_due(tx: Transaction) -> bool:
    """Is it time to measure? False if another scheduler did just now."""
    return _IS_DUE.one(tx, every=EVERY)


def keep(tx: Transaction, figures: Mapping[str, object], details: Mapping[str, object]) -> None:
    """Record how things stand, as this minute's, and forget what is older than two days. ``details``: only the newest are kept."""
    _KEEP.run(tx, figures=dump_json(figures), details=dump_json(details))
    _FORGET.run(tx, age=KEPT_FOR)


def newest(tx: Transaction) -> Newest | None:
    """Return the last measurement; None if there is none, or their organization has no operator."""
    return _NEWEST.one_or_none(tx)


def history(tx: Transaction, *, span: timedelta, step: timedelta) -> list[Point]:
    """Return the last ``span`` in steps, oldest first, up to now. A day has at most 1,440 rows, whatever was sent in it."""
    return _HISTORY.all(tx, span=span, step=step)
