"""Incidents: opened with their notices, closed by themselves, and passed on if their owner does not read them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.events import events
from domain.errors import NotFound
from domain.event_types import EVENT_TYPES
from domain.events import EventKind
from domain.incident_payloads import IncidentUnread
from domain.incidents import Incident, Next, Recovery, checked_hours, decide, goes_to

_BATCH = 200
_BY = "onbehalf"


@dataclass(frozen=True, slots=True)
class Round:
    """What one batch did. ``last``: the last incident examined; None: there are no more."""

    closed: int
    escalated: int
    last: UUID | None


class _Open(NamedTuple):
    id: UUID
    organization_id: UUID
    owner_id: UUID
    owner: str
    backup_id: UUID | None
    title: str
    kind: str
    opened_at: datetime
    read_at: datetime | None
    acknowledged_at: datetime | None
    escalated_at: datetime | None
    unread_hours: int
    now: datetime
    lasts: bool


def _kinds(recovery: Recovery) -> str:
    return ", ".join(f"'{kind.value}'" for kind, each in EVENT_TYPES.items() if each.recovery is recovery)


_SQL = SqlFile(__name__)
_LASTS = _SQL.fragment(
    "lasts",
    recipient=events.RECIPIENT,
    of_mailboxes=_kinds(Recovery.MAILBOX_WORKS),
    of_tenants=_kinds(Recovery.TENANT_WORKS),
    of_limits=_kinds(Recovery.PROVIDER_ACCEPTS),
    of_readings=_kinds(Recovery.MAILBOX_READ),
    of_holds=_kinds(Recovery.RELEASED),
    of_drafts=_kinds(Recovery.LEFT_DRAFTS),
)
_OPEN_ONE = _SQL.statement("open_one", lasts=_LASTS)
_TAKE_OPEN = _SQL.statement("take_open", _Open, lasts=_LASTS)
_ADMINS = _SQL.statement("admins", UUID)
_CLOSE = Statement("UPDATE notices SET closed_at = clock_timestamp() WHERE id = :id")
_ESCALATED = Statement("UPDATE notices SET escalated_at = clock_timestamp() WHERE id = :id")
_ACKNOWLEDGE = _SQL.statement("acknowledge")
_HOURS = Statement("SELECT unread_hours FROM organizations WHERE id = :id", int)
_SET_HOURS = Statement(
    "UPDATE organizations SET unread_hours = :hours WHERE id = :id AND unread_hours <> :hours"
)


def open_one(tx: Transaction, cause_key: str, owner_id: UUID) -> None:
    """Make an incident of the owner's in-app notice, unless what it is about is over."""
    _OPEN_ONE.run(tx, cause_key=cause_key, owner_id=owner_id)


def examine(tx: Transaction, after: UUID | None) -> Round:
    """Close and pass on what has to be, in one batch of open incidents behind ``after``. Others may examine at the same time."""
    rows = _TAKE_OPEN.all(tx, after=after or UUID(int=0), limit=_BATCH)
    closed = escalated = 0
    for row in rows:
        recovery = EVENT_TYPES[EventKind(row.kind)].recovery
        if recovery is None:
            raise ValueError(f"a notice of {row.kind} is no incident")
        incident = Incident(
            recovery, row.lasts, row.opened_at, row.read_at, row.acknowledged_at, row.escalated_at
        )
        match decide(incident, row.now, timedelta(hours=row.unread_hours)):
            case Next.CLOSE:
                closed += _CLOSE.run(tx, id=row.id)
            case Next.ESCALATE:
                escalated += _ESCALATED.run(tx, id=row.id)
                _pass_on(tx, row)
            case Next.WAIT:
                pass
    return Round(closed, escalated, rows[-1].id if len(rows) == _BATCH else None)


def _pass_on(tx: Transaction, row: _Open) -> None:
    others = goes_to(row.owner_id, row.backup_id, _ADMINS.all(tx, id=row.organization_id))
    for each in others:
        payload = IncidentUnread(notice_id=row.id, person=row.owner, title=row.title, recipient=each)
        cause = f"unread:{row.id}:{row.opened_at.isoformat()}:{each}"
        events.record(tx, row.organization_id, payload, cause, _BY)
    audit.write(
        tx, row.organization_id, _BY, "incident_escalated", f"notice:{row.id}", {"recipients": len(others)}
    )


def acknowledge(tx: Transaction, organization_id: UUID, incident_id: UUID, *, actor: str, by: str) -> bool:
    """Record that somebody looks after it (``by``: their name). Returns False if somebody does already, or it is closed.

    The caller has checked that it is the organization's.
    """
    if not _ACKNOWLEDGE.run(tx, id=incident_id, by=by):
        return False
    audit.write(tx, organization_id, actor, "incident_acknowledged", f"notice:{incident_id}", {})
    return True


def unread_hours(tx: Transaction, organization_id: UUID) -> int:
    """Return for how long an incident may stay unread. Raises ``NotFound``."""
    found = _HOURS.one_or_none(tx, id=organization_id)
    if found is None:
        raise NotFound("There is no such organization.")
    return found


def set_unread_hours(tx: Transaction, organization_id: UUID, hours: int, *, actor: str) -> bool:
    """Set it, audited. Returns False if it was so. Raises ``NotFound``, ``InvalidInput``."""
    unread_hours(tx, organization_id)
    if not _SET_HOURS.run(tx, id=organization_id, hours=checked_hours(hours)):
        return False
    subject = f"organization:{organization_id}"
    audit.write(tx, organization_id, actor, "unread_hours_changed", subject, {"hours": hours})
    return True
