"""Emails that wait for an approval: whoever has to read them hears of all of theirs in one notice a day."""

from collections import defaultdict
from datetime import date
from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile
from db.events import events
from db.events.events import RECIPIENT
from db.views.attention import APPROVAL
from domain.event_payloads import ApprovalsWaiting
from domain.notice_preferences import SUMMARY_AT


class _Waiting(NamedTuple):
    organization_id: UUID
    recipient: UUID
    today: date
    sequence: str
    emails: int


_WAITING = SqlFile(__name__).statement("waiting", _Waiting, approval=APPROVAL, recipient=RECIPIENT)


def notify(tx: Transaction) -> int:
    """Notify everybody for whom emails wait, from eight in the morning of each day, in their organization's zone; returns how many."""
    lines: dict[tuple[UUID, UUID, date], list[tuple[str, int]]] = defaultdict(list)
    for row in _WAITING.all(tx, at=SUMMARY_AT):
        lines[row.organization_id, row.recipient, row.today].append((row.sequence, row.emails))
    notified = 0
    for (organization_id, recipient, today), sequences in lines.items():
        payload = ApprovalsWaiting(
            recipient=recipient,
            count=sum(emails for _, emails in sequences),
            lines="\n".join(
                f"- {name}: {emails} email{'' if emails == 1 else 's'}" for name, emails in sequences
            ),
        )
        cause = f"approvals:{recipient}:{today.isoformat()}"
        notified += events.record(tx, organization_id, payload, cause, "onbehalf") is not None
    return notified
