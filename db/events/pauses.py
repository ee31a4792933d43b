"""Pausing a sequence for a cause: its status, the pause, the audit entry and the owner's in-app notice, in one transaction."""

from uuid import UUID

from sqlalchemy import text

from db.audit import audit
from db.core.ids import new_id
from db.core.session import Transaction
from db.events import notice_facts, notices, outbox
from db.events.events import Event
from domain.jobs import NotifyOwner


def pause_sequence(tx: Transaction, event: Event, sequence_id: UUID, recipient: UUID) -> bool:
    """Pause ``sequence_id`` for ``event`` and put it into ``recipient``'s notice.

    False: this cause paused it before, or somebody resumed it since the event, having seen that nothing stands in the way.
    """
    sequence = tx.execute(
        text("SELECT organization_id, mailbox_id FROM sequences WHERE id = :id"),
        {"id": sequence_id},
    ).one_or_none()
    if sequence is None:
        return False
    # The lane first: whoever can forbid a send holds it, so no gate passes while this is being written.
    tx.execute(
        text("SELECT 1 FROM lanes WHERE mailbox_id = :id FOR UPDATE"),
        {"id": sequence.mailbox_id},
    )
    paused = tx.execute(
        text(
            "INSERT INTO pauses (id, organization_id, sequence_id, event_id, cause_key, reason, people)"
            " SELECT :id, s.organization_id, s.id, :event_id, :cause_key, :reason,"
            "   (SELECT count(*) FROM deliveries d WHERE d.sequence_id = s.id"
            "     AND d.state IN ('pending', 'queued', 'preparing', 'drafted'))"
            " FROM sequences s WHERE s.id = :sequence_id AND s.status IN ('active', 'paused')"
            "   AND coalesce(s.resumed_at < :occurred_at, true)"
            " ON CONFLICT (sequence_id, cause_key) DO NOTHING RETURNING people"
        ),
        {
            "id": new_id(),
            "event_id": event.id,
            "occurred_at": event.occurred_at,
            "cause_key": event.cause_key,
            "reason": event.kind.value,
            "sequence_id": sequence_id,
        },
    ).one_or_none()
    if paused is None:
        return False
    tx.execute(
        text(
            "UPDATE sequences SET status = 'paused', paused_cause = :cause_key, paused_reason = :reason,"
            " paused_at = clock_timestamp() WHERE id = :id AND status = 'active'"
        ),
        {"id": sequence_id, "cause_key": event.cause_key, "reason": event.kind.value},
    )
    hold_pending(tx, sequence_id, f"paused: {event.kind.value}")
    audit.write(
        tx,
        sequence.organization_id,
        event.actor,
        "sequence_paused",
        f"sequence:{sequence_id}",
        {"cause": event.cause_key, "reason": event.kind.value, "people": paused.people},
    )
    # Its event may touch nobody any more when it is spread (the permission was given again): the owner is notified all the same.
    outbox.put(tx, NotifyOwner(event.id, recipient))
    if notice_facts.concerns(tx, event, recipient):
        notices.write_in_app(tx, event, recipient)
    return True


def hold_pending(tx: Transaction, sequence_id: UUID, reason: str) -> int:
    """Take a sequence's waiting deliveries out of the lane's sight; returns how many. The gate refuses them anyway."""
    return tx.execute(
        text(
            "UPDATE deliveries SET held = true, reason = :reason"
            " WHERE sequence_id = :id AND state = 'pending' AND NOT held"
        ),
        {"id": sequence_id, "reason": reason},
    ).rowcount
