"""Find trouble before the first failing send: sequences that cannot send, and permissions that end soon."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from db.access import authority
from db.access.authority import cannot_send
from db.core.session import Transaction
from db.core.statements import SqlFile
from db.events import events
from domain.authority import Withdrawn, authorize
from domain.grant_payloads import GrantEndsSoon

AHEAD = timedelta(hours=48)
# Withdrawals pause sequences via events; this catches what they missed. The cause key deduplicates.
_EVENTS_TAKE = timedelta(minutes=1)


class _Unsendable(NamedTuple):
    sequence_id: UUID
    organization_id: UUID
    address: str


class _Ending(NamedTuple):
    id: UUID
    version: int
    organization_id: UUID
    mailbox_id: UUID
    grantee_id: UUID | None
    address: str


_SQL = SqlFile(__name__)
_UNSENDABLE = _SQL.statement("unsendable", _Unsendable, cannot_send=cannot_send())
_GRANTS_THAT_END = _SQL.statement(
    "grants_that_end", _Ending, covers=authority.covers(), in_force=authority.in_force()
)
_RECHECK_LOST = _SQL.statement("recheck_lost")


def pause_unsendable(tx: Transaction) -> int:
    """Pause running sequences whose next emails cannot leave, with the cause; returns how many.

    These sequences started after their mailbox or permission was gone. If the mailbox was never connected, we pause only
    once an email is due.
    """
    rows = _UNSENDABLE.all(tx, ahead=AHEAD, settled=_EVENTS_TAKE)
    found = authority.senders(tx, [row.sequence_id for row in rows])
    paused = 0
    for row in rows:
        decision = authorize(found[row.sequence_id])
        if isinstance(decision, Withdrawn):
            events.record_missing(tx, row.organization_id, found[row.sequence_id], decision, row.address)
            paused += 1
    return paused


def warn_of_ends(tx: Transaction) -> int:
    """Warn the owners of running sequences that their permission ends soon, once per permission; returns how many warnings."""
    rows = _GRANTS_THAT_END.all(tx, ahead=AHEAD)
    for row in rows:
        payload = GrantEndsSoon(
            mailbox=row.address,
            mailbox_id=row.mailbox_id,
            grant_id=row.id,
            actor="Onbehalf",
            grantee_id=row.grantee_id,
        )
        cause = f"grant_ends:{row.id}:{row.version}"
        events.record(tx, row.organization_id, payload, cause, "onbehalf")
    return len(rows)


def recheck_lost(tx: Transaction, organization_id: UUID, reason: str) -> None:
    """Have the next round check the organization's mailboxes that were lost for ``reason``."""
    _RECHECK_LOST.run(tx, id=organization_id, reason=reason)
