"""Operations, for operators of the installation: what a scheduler measured, the processes, and the runbook (docs/decisions/0025)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from fastapi import APIRouter, Request, Response

from db.access import operators
from db.access.sessions import Session
from db.core import measurements
from db.core.measurements import Newest, Point
from db.core.session import Transaction
from db.views import operations, processes
from db.views.operations import Measured
from domain.errors import NotFound
from domain.lag import percentile
from domain.processes import QUEUE_DOES, WANTED, Role, nobody, runs, what_fails
from web import runbook
from web.pages import counted, page
from web.pictures import HEIGHT, Picture, picture
from web.protection import transaction_of

router = APIRouter(prefix="/operations")

_OLD = timedelta(minutes=1)  # four measurements missed
_SLOW = 60.0  # seconds in the queue, as the alert has it
_ENDED = {
    "email_sent": "Sent",
    "delivery_skipped": "Left out",
    "delivery_failed": "Failed",
    "delivery_cancelled": "Cancelled",
    "delivery_in_review": "In review",
}
_WAITS = {
    "pending": "Planned",
    "queued": "Queued",
    "preparing": "Sending",
    "drafted": "Sending",
    "sending": "Sending",
    "in_doubt": "In doubt",
    "review": "In review",
}


@dataclass(frozen=True, slots=True)
class Period:
    """How far back pictures go. ``step``: of a picture. ``row``: of the table below it, several of them."""

    label: str
    span: timedelta
    step: timedelta
    row: timedelta


_PERIODS = {
    "hour": Period("Last hour", timedelta(hours=1), timedelta(minutes=1), timedelta(minutes=5)),
    "day": Period("Last day", timedelta(days=1), timedelta(minutes=15), timedelta(hours=1)),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that leads to its entry of the runbook. ``colour``: bad, warn or "" while nobody has to act."""

    label: str
    entry: str
    value: str
    note: str = ""
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table below the pictures; None: nothing was measured."""

    at: datetime
    sent: float | None
    due: float | None
    overdue: float | None
    queue_lag: float | None
    lag: float | None
    failed: float | None
    in_doubt: float | None
    unread: float | None


@router.get("")
def show(request: Request) -> Response:
    """Show how the whole installation stands. Raises ``NotFound`` for everybody but operators."""
    chosen = request.query_params.get("over", "")
    over = chosen if chosen in _PERIODS else "hour"
    period = _PERIODS[over]
    with transaction_of(request) as (tx, session):
        _only_operators(tx, session)
        newest = measurements.newest(tx)
        history = {
            name: measurements.history(tx, span=each.span, step=each.step) for name, each in _PERIODS.items()
        }
        points = history[over]
        roles = processes.roles(tx, WANTED)
        measured = _whole(newest)
        return page(
            request,
            "operations.html",
            over=over,
            periods=_PERIODS,
            newest=newest,
            old=newest is None or newest.now - newest.measured_at > _OLD,
            measured=measured,
            figures=[] if measured is None else [*_figures(measured), *_rates(history)],
            pictures=_pictures(points),
            height=HEIGHT,
            rows=_rows(points, period.row),
            roles=roles,
            does=QUEUE_DOES,
            missing=[_gone(each) for each in roles if not each.working],
            ended=_ENDED,
            waits=_WAITS,
            in_words=in_words,
            runs=runs,
            unwell=measured is not None
            and newest is not None
            and any(
                each.stopped_at is None and (bool(each.troubles) or not runs(each, newest.measured_at))
                for each in measured.processes
            ),
            most=operations.MAX_COUNTED,
        )


@router.get("/runbook")
def show_runbook(request: Request) -> Response:
    """Show the runbook, an entry for each alert and figure. Raises ``NotFound`` for everybody but operators."""
    with transaction_of(request) as (tx, session):
        _only_operators(tx, session)
        return page(request, "runbook.html", parts=runbook.parts())


def _only_operators(tx: Transaction, session: Session) -> None:
    if not operators.operates(tx, session.member.id):
        raise NotFound("There is no such page.")


def _whole(newest: Newest | None) -> Measured | None:
    return None if newest is None or newest.details is None else operations.from_json(newest.details)


def _figures(measured: Measured) -> Iterator[Figure]:
    now, reading = measured.overview, measured.reading
    yield Figure(
        "Overdue for no reason",
        "onbehalfoverdue",
        f"{now.overdue_for_no_reason:,}",
        "nothing explains it" if now.overdue_for_no_reason else "whatever waits has a reason",
        "bad" if now.overdue_for_no_reason else "",
    )
    yield Figure("Due now", "due", f"{now.due:,}", f"the first for {in_words(now.lag)}" if now.due else "")
    yield Figure(
        "Sent in a minute", "sent", f"{now.sent_last_minute:,}", f"{now.sent_last_hour:,} in the last hour"
    )
    yield Figure(
        "Queued for a worker",
        "onbehalfqueueslow",
        f"{now.queued:,}",
        f"the first for {in_words(now.queue_lag)}" if now.queued else f"{now.sending:,} with workers",
        "bad" if now.queue_lag > _SLOW else "",
    )
    yield Figure("In doubt", "onbehalfemailsindoubt", f"{now.in_doubt:,}", "we look for them")
    yield Figure("In review", "in-review", f"{now.review:,}", "their owners decide")
    yield Figure("Planned", "planned-and-held", f"{now.waiting:,}", f"{now.held:,} more held")
    yield Figure("Failed in the last day", "failed", f"{now.failed_last_day:,}")
    yield Figure(
        "Mailboxes read in time",
        "onbehalfmailboxesnotread",
        f"{reading.mailboxes - reading.unread:,} of {reading.mailboxes:,}",
        f"{reading.unread:,} late or failing" if reading.unread else "",
        "warn" if reading.unread else "",
    )
    yield Figure(
        "Mailboxes that can send",
        "mailboxes",
        f"{now.lanes_open:,}",
        f"{now.lanes_asked_to_wait:,} asked to wait, {now.lanes_closed:,} cannot",
    )
    yield Figure(
        "Parked jobs",
        "onbehalfjobsparked",
        f"{now.outbox_parked:,}",
        f"{now.outbox_open:,} open",
        "bad" if now.outbox_parked else "",
    )
    queues = measured.queues
    yield Figure(
        "Messages in Redis",
        "onbehalfbrokeraway",
        "Away" if queues is None else f"{sum(queues.values()):,}",
        "" if queues is None else "by queue below",
        "bad" if queues is None else "",
    )


def _rates(history: Mapping[str, Sequence[Point]]) -> Iterator[Figure]:
    hour, day = history["hour"], history["day"]
    late, of_day = _lag(hour), _lag(day)
    yield Figure(
        "95 % leave within",
        "lag",
        "None left" if late is None else in_words(late),
        "in the last hour" if of_day is None else f"in the last hour; {in_words(of_day)} in the last day",
    )
    failed, of_day = _failed(hour), _failed(day)
    yield Figure(
        "Attempts that failed",
        "failed-attempts",
        "None made" if failed is None else f"{failed:.1f} %",
        "in the last hour" if of_day is None else f"in the last hour; {of_day:.1f} % in the last day",
    )


def _lag(points: Sequence[Point]) -> float | None:
    """Return within how many seconds of their time 95 % of the emails had their request."""
    counted = [each.lags for each in points if each.lags is not None]
    return percentile([sum(range_) for range_ in zip(*counted, strict=True)], 0.95)


def _failed(points: Sequence[Point]) -> float | None:
    """Return the share of attempts that failed, in per cent."""
    made = sum(each.attempts or 0 for each in points)
    return 100 * sum(each.attempts_failed or 0 for each in points) / made if made else None


def _pictures(points: Sequence[Point]) -> list[Picture]:
    return [
        picture("Emails sent a minute", "sent", "", [each.sent for each in points]),
        picture("Due", "due", "", [each.due for each in points]),
        picture("Overdue for no reason", "onbehalfoverdue", "", [each.overdue for each in points]),
        picture("Longest wait for a worker", "onbehalfqueueslow", " s", [each.queue_lag for each in points]),
        picture("95 % leave within", "lag", " s", [_lag([each]) for each in points]),
        picture("Attempts that failed", "failed-attempts", " %", [_failed([each]) for each in points]),
        picture("In doubt", "onbehalfemailsindoubt", "", [each.in_doubt for each in points]),
        picture(
            "Mailboxes late or failing", "onbehalfmailboxesnotread", "", [each.unread for each in points]
        ),
    ]


def _rows(points: Sequence[Point], each: timedelta) -> list[Row]:
    """Return the points in rows that begin at full hours, or at every fifth minute; the newest first."""
    seconds = each.total_seconds()
    groups = [list(group) for _, group in groupby(points, key=lambda point: point.at.timestamp() // seconds)]
    return [
        Row(
            group[0].at,
            _mean([point.sent for point in group]),
            _most([point.due for point in group]),
            _most([point.overdue for point in group]),
            _most([point.queue_lag for point in group]),
            _lag(group),
            _failed(group),
            _most([point.in_doubt for point in group]),
            _most([point.unread for point in group]),
        )
        for group in reversed(groups)
    ]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [each for each in values if each is not None]
    return sum(known) / len(known) if known else None


def _most(values: Sequence[float | None]) -> float | None:
    return max((each for each in values if each is not None), default=None)


def _gone(role: Role) -> str:
    return what_fails(role.role) if role.running else nobody(role.role)


def in_words(seconds: float) -> str:
    """Return ``1.8 s``, ``42 s``, ``4 min``, ``3 h`` or ``2 days``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{seconds / 3600:.0f} h"
    return counted(int(seconds // 86_400), "day", "days")
