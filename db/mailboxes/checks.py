"""Plan the regular checks of mailboxes."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile
from db.events import outbox
from domain.jobs import CheckMailbox

# The mailbox is not connected and its owner waits for an administrator's approval (mailboxes b, their owners m,
# credentials c). We try the token of their sign-in to see when the approval is given; it connects nothing.
ONLY_TRIED = (
    "m.awaits_approval_since IS NOT NULL AND m.active AND c.renewable"
    " AND (b.status = 'never_connected' OR b.status_reason IN ('removed', 'disabled'))"
)


class _Planned(NamedTuple):
    id: UUID
    checked_at: datetime


_SQL = SqlFile(__name__)
_PLAN = _SQL.statement("plan", _Planned, only_tried=ONLY_TRIED)


def plan(tx: Transaction, *, every: timedelta, lost_every: timedelta, limit: int = 100) -> int:
    """Put a check into the outbox for each mailbox not checked for ``every``; returns how many.

    ``lost_every``: for mailboxes that the provider refuses while we still have their token. It may accept it again.
    """
    rows = _PLAN.all(tx, every=every, lost_every=lost_every, limit=limit)
    for row in rows:
        outbox.put(tx, CheckMailbox(row.id, row.checked_at.isoformat()))
    return len(rows)
