"""How the whole installation stands, for its operators. Nothing here names a candidate, a member, a mailbox's address or a text.

A scheduler asks for it four times a minute (``scheduler/measuring.py``); what ``onbehalf status``, ``onbehalf processes`` and
``/metrics`` show is counted by the same functions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile
from db.views import dashboard, processes
from db.views.dashboard import LastHour, Overview
from domain.lag import BOUNDS
from domain.processes import Process

MOST = 20  # lines of a list; the page says how many there are
MAX_COUNTED = 100  # emails of one mailbox
MAX_PROCESSES = 200


@dataclass(frozen=True, slots=True)
class WaitingLane:
    """A mailbox whose emails are due or that may not send now. ``state``: asked_to_wait, daily_limit, overdue or pace.

    ``due``: emails, up to ``MAX_COUNTED``. ``reason``: of a wait that is no provider's. ``waiting``: all such mailboxes, of which few
    are listed.
    """

    mailbox_id: UUID
    organization: str
    provider: str
    state: str
    reason: str | None
    due: int
    oldest_due_at: datetime | None
    sent_today: int
    daily_cap: int
    until: datetime | None
    waiting: int


@dataclass(frozen=True, slots=True)
class Reading:
    """How far mailboxes are read. ``mailboxes``: those with somebody to hear from; ``enqueued``: no worker has taken them yet.

    ``failing``: the last reading failed. ``late``: not begun a minute after its time, or not read for longer than the longest wait.
    ``unread``: either. ``oldest``: until when every mailbox is read.
    """

    mailboxes: int
    enqueued: int
    failing: int
    late: int
    unread: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class UnreadMailbox:
    """A mailbox that cannot be read, or is not. ``last_error``: a code or a class."""

    mailbox_id: UUID
    organization: str
    provider: str
    read_until: datetime
    failing_since: datetime | None
    failures: int
    last_error: str | None
    next_read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Doubt:
    """A delivery in doubt: since when, how often it was looked for, and when it is next."""

    delivery_id: UUID
    organization: str
    provider: str
    since: datetime | None
    attempts: int
    next_attempt_at: datetime
    grace_until: datetime | None


@dataclass(frozen=True, slots=True)
class Health:
    """How many mailboxes of a provider have this connection."""

    provider: str
    status: str
    reason: str | None
    number: int


@dataclass(frozen=True, slots=True)
class Jobs:
    """Jobs of the outbox of one kind. ``oldest``: of those that are open."""

    kind: str
    open: int
    parked: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Lately:
    """Emails that left or were given up in the last minute. ``lags``: how many were how late, by the ranges of ``domain.lag``.

    ``attempts``: to send them; ``attempts_failed``: those of them that failed.
    """

    lags: Sequence[int]
    attempts: int
    attempts_failed: int


@dataclass(frozen=True, slots=True)
class Measured:
    """All that is measured at once. ``queues``: messages in Redis by queue; None: it is away."""

    overview: Overview
    last_hour: LastHour
    lately: Lately
    lanes: Sequence[WaitingLane]
    reading: Reading
    unread: Sequence[UnreadMailbox]
    doubts: Sequence[Doubt]
    mailboxes: Sequence[Health]
    jobs: Sequence[Jobs]
    processes: Sequence[Process]
    queues: Mapping[str, int] | None


_SQL = SqlFile(__name__)
_LATELY = _SQL.statement("lately", Lately)
_LANES = _SQL.statement("lanes", WaitingLane)
_READING = _SQL.statement("reading", Reading)
_UNREAD = _SQL.statement("unread", UnreadMailbox)
_DOUBTS = _SQL.statement("doubts", Doubt)
_MAILBOXES = _SQL.statement("mailboxes", Health)
_JOBS = _SQL.statement("jobs", Jobs)


_WHOLE = TypeAdapter(Measured)


def measure(tx: Transaction, queues: Mapping[str, int] | None) -> Measured:
    """Return how everything stands. ``queues``: messages in Redis by queue; None: it is away."""
    return Measured(
        dashboard.overview(tx),
        dashboard.last_hour(tx),
        _LATELY.one(tx, bounds=list(BOUNDS)),
        _LANES.all(tx, most=MOST, counted=MAX_COUNTED),
        _READING.one(tx),
        _UNREAD.all(tx, most=MOST),
        _DOUBTS.all(tx, most=MOST),
        _MAILBOXES.all(tx),
        _JOBS.all(tx),
        processes.everyone(tx)[:MAX_PROCESSES],
        queues,
    )


def figures(measured: Measured) -> dict[str, object]:
    """Return the numbers of which every minute is kept, for pictures."""
    return {**asdict(measured.overview), **asdict(measured.lately), "unread": measured.reading.unread}


def as_json(measured: Measured) -> Json:
    """Return the whole as an object that ``from_json`` reads."""
    return cast("Json", _WHOLE.dump_python(measured, mode="json"))


def from_json(details: Json) -> Measured | None:
    """Read it again; None if a scheduler of another release measured something else."""
    try:
        return _WHOLE.validate_python(details)
    except ValidationError:
        return None
