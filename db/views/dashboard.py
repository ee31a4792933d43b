"""Read-only queries about the current state, cheap with millions of rows: every count here has a partial index."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile
from domain.lane import MAX_QUEUED
from domain.processes import SILENT_AFTER


@dataclass(frozen=True, slots=True)
class Overview:
    """Current numbers. ``lag`` and ``queue_lag``: seconds since the oldest due and the oldest queued delivery.

    ``overdue_for_no_reason``: emails that could leave and do not. It is the number to alarm on, beside missing processes: a
    backlog at a mailbox's pace makes ``due`` and ``lag`` large and is healthy. ``drained_for``: seconds; 0 = nobody has stopped sending.
    ``reading_lag``: seconds by which the mailbox that waits longest to be read is late.
    """

    due: int
    queued: int
    sending: int
    in_doubt: int
    review: int
    held: int
    waiting: int
    sent_last_minute: int
    sent_last_hour: int
    failed_last_day: int
    lag: float
    queue_lag: float
    overdue_for_no_reason: int
    outbox_open: int
    outbox_parked: int
    lanes_open: int
    lanes_closed: int
    lanes_asked_to_wait: int
    lanes_on_hold: int
    drained_for: float
    reading_lag: float


@dataclass(frozen=True, slots=True)
class LastHour:
    """``events``: (audit action, reason or ``known_by``, count). ``drain_*``: withdrawals; seconds from call to answer."""

    events: Sequence[tuple[str, str, int]]
    waiting: Sequence[tuple[str, str, int]]  # (state, reason, count) of deliveries that wait now
    drains: int
    drain_seconds_mean: float
    drain_seconds_max: float


@dataclass(frozen=True, slots=True)
class LanePace:
    """One mailbox: its connection and its pace."""

    address: str
    status: str
    reason: str | None
    sent_last_minute: int
    sent_today: int
    daily_cap: int
    next_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One notice, for a list."""

    id: UUID
    recipient: str
    channel: str
    title: str
    body: str
    mail_state: str | None
    created_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """One delivery, for a list. ``at``: when something last happened to it."""

    id: UUID
    enrollment_id: UUID
    state: str
    reason: str | None
    held: bool
    at: datetime
    due_at: datetime
    sent_at: datetime | None
    attempts: int
    person: str
    sequence: str
    step: int
    sender: str


class Settled(NamedTuple):
    """An entry of the audit trail that says what became of a delivery."""

    id: UUID
    delivery_id: UUID


class _Class(NamedTuple):
    what: str
    reason: str
    number: int


class _Drains(NamedTuple):
    number: int
    mean: float
    longest: float


_SQL = SqlFile(__name__)
_OVERVIEW = _SQL.statement("overview", Overview)
_EVENTS = _SQL.statement("events", _Class)
_HELD_UP = _SQL.statement("held_up", _Class)
_DRAINS = _SQL.statement("drains", _Drains)
_PACES = _SQL.statement("paces", LanePace)
_NOTICES = _SQL.statement("notices", NoticeLine)
_DELIVERIES = _SQL.statement("deliveries", DeliveryLine)
_SETTLED = _SQL.statement("settled", Settled)


def overview(tx: Transaction) -> Overview:
    """Return the numbers an operator looks at first."""
    return _OVERVIEW.one(tx, silent=SILENT_AFTER, bound=MAX_QUEUED)


def last_hour(tx: Transaction) -> LastHour:
    """Return what became of deliveries, by class, and how long withdrawals took to answer."""
    events, waiting, drain = _EVENTS.all(tx), _HELD_UP.all(tx), _DRAINS.one(tx)
    return LastHour(events, waiting, drain.number, drain.mean, drain.longest)


def paces(tx: Transaction, limit: int = 20) -> list[LanePace]:
    """Return mailboxes and their pace, the most recently served first."""
    return _PACES.all(tx, limit=limit)


def notices(
    tx: Transaction, *, recipient: UUID | None = None, channel: str | None = None, limit: int = 50
) -> list[NoticeLine]:
    """Return the newest notices, newest first."""
    return _NOTICES.all(tx, recipient=recipient, channel=channel, limit=limit)


def deliveries(
    tx: Transaction,
    *,
    states: list[str] | None = None,
    organization_id: UUID | None = None,
    sequence_id: UUID | None = None,
    mailbox_id: UUID | None = None,
    enrollment_id: UUID | None = None,
    person: str | None = None,
    ids: list[UUID] | None = None,
    since: timedelta | None = None,
    limit: int = 50,
) -> list[DeliveryLine]:
    """Return deliveries that match all given filters, first those to which something happened last.

    ``since``: within this time. ``ids``: only of these.
    """
    return _DELIVERIES.all(
        tx,
        states=states,
        organization_id=organization_id,
        sequence_id=sequence_id,
        mailbox_id=mailbox_id,
        enrollment_id=enrollment_id,
        person=person,
        ids=ids,
        since=since,
        limit=limit,
    )


def settled(tx: Transaction, since: timedelta) -> list[Settled]:
    """Return what became of deliveries within this time, oldest first: sent, closed, or in review."""
    return _SETTLED.all(tx, since=since)
