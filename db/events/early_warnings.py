"""Seeing trouble before the first failing send: sequences that cannot send, and permissions that end soon."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from db.access import authority
from db.access.authority import cannot_send
from db.core.session import Transaction
from db.events import events
from domain.authority import Withdrawn, authorize
from domain.events import EventKind

AHEAD = timedelta(hours=48)
# Whoever withdraws pauses by the event, and this is for what no event has reached. Where both come, they meet in one cause.
_EVENTS_TAKE = timedelta(minutes=1)

_UNSENDABLE = f"""
SELECT s.id AS sequence_id, s.organization_id, b.address
FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id LEFT JOIN members h ON h.id = b.owner_id JOIN members w ON w.id = s.owner_id
WHERE s.status = 'active' AND s.created_at < clock_timestamp() - CAST(:settled AS interval)
  AND coalesce(b.disconnected_at < clock_timestamp() - CAST(:settled AS interval), true)
  AND {cannot_send()}
  AND EXISTS (SELECT FROM deliveries d WHERE d.sequence_id = s.id AND d.state = 'pending'
    AND d.due_at < clock_timestamp() + CASE WHEN b.status = 'never_connected' THEN -CAST(:settled AS interval) ELSE :ahead END)
ORDER BY s.id LIMIT 100
"""


def pause_unsendable(tx: Transaction) -> int:
    """Pause, with their cause, running sequences whose next emails cannot leave; returns how many.

    Such are sequences that were started after their mailbox or permission had gone. A mailbox that was never connected
    strands a sequence once an email is due.
    """
    rows = tx.execute(text(_UNSENDABLE), {"ahead": AHEAD, "settled": _EVENTS_TAKE}).all()
    found = authority.senders(tx, [row.sequence_id for row in rows])
    paused = 0
    for row in rows:
        decision = authorize(found[row.sequence_id])
        if isinstance(decision, Withdrawn):
            events.record_missing(tx, row.organization_id, found[row.sequence_id], decision, row.address)
            paused += 1
    return paused


def warn_of_ends(tx: Transaction) -> int:
    """Tell the owners of running sequences that their permission ends soon, once a permission; returns how many warnings."""
    rows = tx.execute(
        text(
            "SELECT g.id, g.version, g.organization_id, g.mailbox_id, g.grantee_id, g.expires_at, b.address, o.time_zone"
            " FROM grants g JOIN mailboxes b ON b.id = g.mailbox_id JOIN organizations o ON o.id = g.organization_id"
            " WHERE g.archived_at IS NULL AND g.expires_at < clock_timestamp() + :ahead AND g.expires_at > clock_timestamp()"
            " AND NOT EXISTS (SELECT FROM events e WHERE e.organization_id = g.organization_id"
            "   AND e.cause_key = 'grant_ends:' || g.id || ':' || g.version)"
            " AND EXISTS (SELECT FROM sequences s WHERE s.mailbox_id = g.mailbox_id AND s.status = 'active'"
            "   AND s.owner_id <> g.mailbox_owner_id AND (g.grantee_id IS NULL OR g.grantee_id = s.owner_id)"
            "   AND (g.sequence_ids IS NULL OR s.id = ANY(g.sequence_ids)))"
        ),
        {"ahead": AHEAD},
    ).all()
    for row in rows:
        payload = {
            "mailbox": row.address,
            "mailbox_id": str(row.mailbox_id),
            "grant_id": str(row.id),
            "actor": "Onbehalf",
        }
        if row.grantee_id is not None:
            payload["grantee_id"] = str(row.grantee_id)
        cause = f"grant_ends:{row.id}:{row.version}"
        events.record(tx, row.organization_id, EventKind.GRANT_ENDS_SOON, cause, "onbehalf", payload)
    return len(rows)


def recheck_lost(tx: Transaction, organization_id: UUID, reason: str) -> None:
    """Have the organization's mailboxes that were lost for ``reason`` checked at the next round."""
    tx.execute(
        text(
            "UPDATE mailboxes SET checked_at = NULL WHERE organization_id = :id AND status = 'disconnected'"
            " AND status_reason = :reason"
        ),
        {"id": organization_id, "reason": reason},
    )
