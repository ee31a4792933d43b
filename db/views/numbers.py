"""Numbers of what sequences did, as far as somebody may see it. Reads only."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile
from db.views.messages import Viewer
from domain.errors import NotFound
from domain.numbers import DEFAULT_WEEKS, By, Numbers, Period, period, week

PER_PAGE = 50
ALL = 100_000  # rows of a file


class Line(NamedTuple):
    """A row of the table. ``key``: the Monday, the step's position, or the id. ``label``: what people call it."""

    key: str
    label: str
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class Report:
    """The numbers of a period. ``lines``: a page of the rows. ``weeks``: every week, oldest first. ``sequence``: its name.

    ``counted_at``: when a scheduler counted them; None: just now.
    """

    by: By
    period: Period
    sequence: str | None
    total: Numbers
    weeks: list[Line]
    lines: list[Line]
    more: bool
    counted_at: datetime | None


class _Organization(NamedTuple):
    zone: str
    now: datetime


class _Result(NamedTuple):
    delivery_id: UUID
    what: str
    interested: bool | None


class _Row(NamedTuple):
    kind: str
    week: date | None
    key: str | None
    label: str | None
    sent: int
    people: int
    answered: int
    interested: int
    bounced: int
    opted_out: int
    in_doubt: int
    held: int


_SQL = SqlFile(__name__)
HISTOGRAM = _SQL.fragment("histogram")  # what is counted, also by schedulers (db/sequences/counted.py)
_RESULTS = _SQL.statement("results", _Result).planned_for_its_values()
_LIVE = _SQL.statement("live", _Row).planned_for_its_values()
_KEPT = _SQL.statement("kept", _Row).planned_for_its_values()
_COUNTED_AT = _SQL.statement("counted_at", datetime)
_ORGANIZATION = _SQL.statement("organization", _Organization)
_SEQUENCE = _SQL.statement("sequence", str)
_COUNTS = tuple(each.name for each in fields(Numbers))


def read(
    tx: Transaction,
    viewer: Viewer,
    by: By = By.WEEK,
    *,
    weeks: int = DEFAULT_WEEKS,
    sequence_id: UUID | None = None,
    after: int = 0,
    limit: int = PER_PAGE,
) -> Report:
    """Return the numbers of this week and those before it, ``weeks`` in all; of one sequence or all that the viewer sees.

    ``after``: how many rows come before this page. Weeks are the organization's, so that everybody has the same numbers. Those of a
    large organization are as a scheduler counted them last, but for one sequence they are counted now.
    Raises ``NotFound``: the viewer sees no such sequence.
    """
    here = _ORGANIZATION.one(tx, id=viewer.organization_id)
    spans = period(weeks, here.zone, here.now)
    organization_id, member_id = viewer.organization_id, viewer.member_id
    name = counted_at = None
    if sequence_id is None:
        counted_at = _COUNTED_AT.one_or_none(tx, organization_id=organization_id)
    else:
        name = _SEQUENCE.one_or_none(tx, id=sequence_id, organization_id=organization_id, member_id=member_id)
        if name is None:
            raise NotFound("There is no such sequence.")
    asked = {
        "viewer_id": member_id or organization_id,
        "kinds": sorted({"total", "week", by.value}),
        "by": by.value,
        "after": after,
        "limit": limit + 1,
    }
    if counted_at is None:
        rows = _LIVE.all(tx, **of_period(tx, organization_id, spans), sequence_id=sequence_id, **asked)
    else:
        rows = _KEPT.all(tx, monday=spans.mondays[0], **asked)
    total = next((_numbers(row) for row in rows if row.kind == "total"), Numbers())
    found = {row.week: _numbers(row) for row in rows if row.kind == "week"}
    calendar = [Line(str(each), week(each), found.get(each, Numbers())) for each in spans.mondays]
    lines = [_line(row, by) for row in rows if row.kind == "row"] if by is not By.WEEK else calendar[::-1]
    more = by is not By.WEEK and len(lines) > limit
    return Report(by, spans, name, total, calendar, lines[:limit], more, counted_at)


def of_period(tx: Transaction, organization_id: UUID, spans: Period) -> dict[str, object]:
    """Return the parameters of ``HISTOGRAM`` that say which emails it counts, and by id which of them had a result."""
    found = _RESULTS.all(tx, organization_id=organization_id, since=spans.since)
    return {
        "organization_id": organization_id,
        "since": spans.since,
        "until": spans.until,
        "zone": spans.zone,
        "answered": [each.delivery_id for each in found if each.what == "answer"],
        "interested": [each.delivery_id for each in found if each.interested],
        "bounced": [each.delivery_id for each in found if each.what == "bounce"],
        "opted_out": [each.delivery_id for each in found if each.what == "opt_out"],
    }


def _line(row: _Row, by: By) -> Line:
    assert row.key is not None
    label = f"Step {row.key}" if by is By.STEP else row.label or row.key
    return Line(row.key, label, _numbers(row))


def _numbers(row: _Row) -> Numbers:
    return Numbers(**{name: getattr(row, name) for name in _COUNTS})
