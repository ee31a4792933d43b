"""The weekly digest: one notice a week that tells a member what others sent from their mailbox."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile
from db.events import events
from domain.event_payloads import SentInYourName


@dataclass(frozen=True, slots=True)
class Week:
    """An organization's last full week, Monday to Sunday in its time zone, which no digest covers yet."""

    organization_id: UUID
    monday: date
    sunday: date


class _Sent(NamedTuple):
    mailbox_id: UUID
    address: str
    owner_id: UUID
    name: str
    emails: int
    sequences: list[str]
    grant_id: UUID | None


_SQL = SqlFile(__name__)
_TAKE_WEEK = _SQL.statement("take_week", Week)
_SENT_BY_OTHERS = _SQL.statement("sent_by_others", _Sent)


def take_week(tx: Transaction) -> Week | None:
    """Take one organization whose digest is due, from Monday at eight in the morning. Only one caller gets it."""
    return _TAKE_WEEK.one_or_none(tx)


def notify(tx: Transaction, week: Week) -> int:
    """Record a digest for every mailbox from which others sent that week; returns how many."""
    rows = _SENT_BY_OTHERS.all(tx, id=week.organization_id, monday=week.monday, sunday=week.sunday)
    lines: dict[tuple[UUID, str, UUID], list[str]] = defaultdict(list)
    ends: dict[tuple[UUID, str, UUID], list[str]] = defaultdict(list)
    for row in rows:
        count = f"{row.emails} email{'' if row.emails == 1 else 's'}"
        whose = row.mailbox_id, row.address, row.owner_id
        lines[whose].append(f"- {row.name}: {count} in {', '.join(row.sequences)}")
        if row.grant_id:
            ends[whose].append(f"{row.grant_id} {row.name}")
    for whose, said in lines.items():
        mailbox_id, address, owner_id = whose
        payload = SentInYourName(
            mailbox=address,
            recipient=owner_id,
            week=f"{week.monday:%-d %B} to {week.sunday:%-d %B %Y}",
            lines="\n".join(said),
            ends="\n".join(ends[whose]),
        )
        cause = f"digest:{mailbox_id}:{week.monday.isoformat()}"
        events.record(tx, week.organization_id, payload, cause, "onbehalf")
    return len(lines)
