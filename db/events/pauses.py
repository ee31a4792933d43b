"""Pausing a sequence for a cause: its status, the pause and the audit entry, in one transaction."""

from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.ids import new_id
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.events.events import Event


class _Sequence(NamedTuple):
    organization_id: UUID
    mailbox_id: UUID


_SQL = SqlFile(__name__)
_SEQUENCE = Statement("SELECT organization_id, mailbox_id FROM sequences WHERE id = :id", _Sequence)
_LOCK_LANE = Statement("SELECT 1 FROM lanes WHERE mailbox_id = :id FOR UPDATE")
_PAUSE, _PAUSE_SEQUENCE = _SQL.statement("pause", int), _SQL.statement("pause_sequence")
_HOLD_PENDING = Statement(
    "UPDATE deliveries SET held = true, reason = :reason WHERE sequence_id = :id AND state = 'pending' AND NOT held"
)


def pause_sequence(tx: Transaction, event: Event, sequence_id: UUID) -> bool:
    """Pause ``sequence_id`` for ``event``.

    Returns False if this cause already paused it, or if somebody has resumed it since the event.
    """
    sequence = _SEQUENCE.one_or_none(tx, id=sequence_id)
    if sequence is None:
        return False
    # Lock the lane first. Everything that can forbid a send holds it, so nothing passes the gate during this write.
    _LOCK_LANE.run(tx, id=sequence.mailbox_id)
    people = _PAUSE.one_or_none(
        tx,
        id=new_id(),
        event_id=event.id,
        occurred_at=event.occurred_at,
        cause_key=event.cause_key,
        reason=event.kind.value,
        sequence_id=sequence_id,
    )
    if people is None:
        return False
    _PAUSE_SEQUENCE.run(tx, id=sequence_id, cause_key=event.cause_key, reason=event.kind.value)
    hold_pending(tx, sequence_id, f"paused: {event.kind.value}")
    audit.write(
        tx,
        sequence.organization_id,
        event.actor,
        "sequence_paused",
        f"sequence:{sequence_id}",
        {"cause": event.cause_key, "reason": event.kind.value, "people": people},
    )
    return True


def hold_pending(tx: Transaction, sequence_id: UUID, reason: str) -> int:
    """Hide a sequence's waiting deliveries from the lane; returns how many. The gate refuses them anyway."""
    return _HOLD_PENDING.run(tx, id=sequence_id, reason=reason)
