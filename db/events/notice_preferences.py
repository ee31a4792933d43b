"""How members hear of notices: their preferences, and the daily summary."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile
from db.events import events
from domain.errors import InvalidInput, NotFound
from domain.incident_payloads import DailySummary
from domain.notice_preferences import SUMMARY_AT, ByEmail, Category, Preferences, Quiet, Way, wait_for

_MOST_LINES = 50  # of notices in one summary


@dataclass(frozen=True, slots=True)
class Course:
    """How one notice comes. ``quiet_for``: so long nothing is sent; None = it may be sent now.

    ``left``: the member has left, and quiet hours may have kept the notice until then. Without quiet hours a notice is sent at
    once, also while somebody ends the member's access or gives it back.
    """

    way: Way
    quiet_for: timedelta | None
    left: bool


class _Member(NamedTuple):
    zone: str
    quiet_from: time | None
    quiet_until: time | None
    backup_id: UUID | None
    organization_id: UUID
    active: bool
    now: datetime


class _Way(NamedTuple):
    category: str
    by_email: str
    channel_ids: list[UUID]


class _Due(NamedTuple):
    id: UUID
    organization_id: UUID
    today: date


_SQL = SqlFile(__name__)
_MEMBER, _WAYS = _SQL.statement("member", _Member), _SQL.statement("ways", _Way)
_SET_WAY, _SET_MEMBER = _SQL.statement("set_way"), _SQL.statement("set_member")
_IS_COLLEAGUE = _SQL.statement("is_colleague", bool)
_TAKE_SUMMARY = _SQL.statement("take_summary", _Due)
_IN_SUMMARY = _SQL.statement("in_summary")
_TAKE_KEPT = _SQL.statement("take_kept", UUID)


def of_member(tx: Transaction, member_id: UUID) -> Preferences:
    """Return a member's preferences. Raises ``NotFound``."""
    return _preferences(_row(tx, member_id), _WAYS.all(tx, id=member_id))


def course(tx: Transaction, member_id: UUID, category: Category) -> Course:
    """Return how a notice of this category comes to the member now. Raises ``NotFound``."""
    row = _row(tx, member_id)
    preferences = _preferences(row, _WAYS.all(tx, id=member_id))
    left = not row.active and preferences.quiet is not None
    return Course(preferences.way(category), wait_for(preferences.quiet, row.zone, row.now), left)


def save(tx: Transaction, member_id: UUID, wanted: Preferences) -> None:
    """Set a member's preferences. Channels that are not theirs are left out. Raises ``NotFound``, and ``InvalidInput`` for the backup."""
    row = _row(tx, member_id)
    if wanted.backup_id is not None and not _IS_COLLEAGUE.one(tx, id=member_id, other=wanted.backup_id):
        raise InvalidInput(
            "That is no colleague who can sign in", where="backup", fix="Choose one from the list."
        )
    quiet = wanted.quiet
    _SET_MEMBER.run(
        tx,
        id=member_id,
        quiet_from=quiet and quiet.start,
        quiet_until=quiet and quiet.until,
        backup_id=wanted.backup_id,
    )
    for category in Category:
        way = wanted.way(category)
        _SET_WAY.run(
            tx,
            id=member_id,
            category=category,
            organization_id=row.organization_id,
            by_email=way.by_email,
            channel_ids=list(way.channels),
        )


def keep_for_summary(tx: Transaction, cause_key: str, member_id: UUID) -> None:
    """Put the member's in-app notice into their next daily summary."""
    _IN_SUMMARY.run(tx, cause_key=cause_key, owner_id=member_id)


def summarize(tx: Transaction) -> UUID | None:
    """Record one member's daily summary that is due; returns whose, or None if none is."""
    due = _TAKE_SUMMARY.one_or_none(tx, at=SUMMARY_AT)
    if due is None:
        return None
    kept = sorted(_TAKE_KEPT.all(tx, id=due.id))
    # Their ids alone: titles name people, who may be erased before it is sent.
    named = " ".join(str(each) for each in kept[:_MOST_LINES])
    payload = DailySummary(day=f"{due.today:%a %-d %b}", count=len(kept), notices=named, recipient=due.id)
    events.record(tx, due.organization_id, payload, f"summary:{due.id}:{due.today.isoformat()}", "onbehalf")
    return due.id


def _row(tx: Transaction, member_id: UUID) -> _Member:
    row = _MEMBER.one_or_none(tx, id=member_id)
    if row is None:
        raise NotFound("There is no such member.")
    return row


def _preferences(row: _Member, ways: list[_Way]) -> Preferences:
    quiet = None
    if row.quiet_from is not None and row.quiet_until is not None:
        quiet = Quiet(row.quiet_from, row.quiet_until)
    found = {Category(each.category): Way(ByEmail(each.by_email), tuple(each.channel_ids)) for each in ways}
    return Preferences(found, quiet, row.backup_id)
