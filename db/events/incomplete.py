"""People whose next email would have a hole: seen up to two days before, held, and their sequence's owner notified."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from db.audit import audit
from db.core.session import Transaction
from db.events import events
from db.sending.gate import lock_lane
from domain.events import EventKind
from domain.merge import fields_in

_AT_ONCE = 500  # people, in one transaction
_COLUMNS = {
    **{name: f"c.{name}" for name in ("first_name", "last_name", "company", "title", "location")},
    "full_name": "c.first_name || c.last_name",
}
_NEVER_EMPTY = {"email", "sender_name", "sender_first_name", "sender_email"}


@dataclass(frozen=True, slots=True)
class Needed:
    """A step of a running sequence that uses a field without a fallback."""

    organization_id: UUID
    sequence_id: UUID
    mailbox_id: UUID
    sender: str
    step_id: UUID
    version: int
    field: str


def needed_fields(tx: Transaction) -> Sequence[Needed]:
    """Every such step and field of all running sequences."""
    rows = tx.execute(
        text(
            "SELECT s.organization_id, s.id AS sequence_id, s.mailbox_id, b.address, t.id AS step_id, t.version,"
            " coalesce(t.subject, '') || ' ' || t.body AS template"
            " FROM steps t JOIN sequences s ON s.id = t.sequence_id JOIN mailboxes b ON b.id = s.mailbox_id"
            " WHERE s.status = 'active' AND t.retired_at IS NULL AND (t.body LIKE '%{{%' OR t.subject LIKE '%{{%')"
            " ORDER BY t.id"
        )
    ).all()
    return [
        Needed(
            row.organization_id, row.sequence_id, row.mailbox_id, row.address, row.step_id, row.version, name
        )
        for row in rows
        for name in sorted(
            {each.name for each in fields_in(row.template) if not each.fallback} - _NEVER_EMPTY
        )
    ]


def hold_incomplete(tx: Transaction, needed: Needed, *, ahead: timedelta) -> int:
    """Hold those for whom the field is empty and whose email is due within ``ahead``; returns how many."""
    value = _COLUMNS.get(needed.field, "c.fields ->> :field")
    found = tx.execute(
        text(
            "SELECT d.id FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id"
            " WHERE d.sequence_id = :sequence_id AND d.step_id = :step_id AND d.state = 'pending' AND NOT d.held"
            " AND e.status = 'active' AND d.due_at < clock_timestamp() + CAST(:ahead AS interval)"
            f" AND btrim(coalesce({value}, '')) = '' LIMIT :at_once"
        ),
        {
            "sequence_id": needed.sequence_id,
            "step_id": needed.step_id,
            "field": needed.field,
            "ahead": ahead,
            "at_once": _AT_ONCE,
        },
    ).scalars().all()  # fmt: skip
    if not found:
        return 0
    lock_lane(tx, needed.mailbox_id)
    reason = f"missing_merge_field: {needed.field}"
    held = tx.execute(
        text(
            "UPDATE deliveries SET held = true, reason = :reason WHERE id = ANY(:ids) AND state = 'pending' AND NOT held"
            " RETURNING enrollment_id"
        ),
        {"reason": reason, "ids": list(found)},
    ).scalars().all()  # fmt: skip
    tx.execute(
        text(
            "UPDATE enrollments SET status = 'paused', reason = :reason, paused_at = clock_timestamp()"
            " WHERE id = ANY(:ids) AND status = 'active'"
        ),
        {"reason": reason, "ids": list(held)},
    )
    for enrollment_id in held:
        audit.write(
            tx,
            needed.organization_id,
            "onbehalf",
            "person_blocked",
            f"enrollment:{enrollment_id}",
            {"reason": reason},
        )
    if held:
        # The same cause as the gate's (``db/events/problems.py``), so that its owner hears of it once.
        events.record(
            tx,
            needed.organization_id,
            EventKind.PEOPLE_BLOCKED,
            f"merge_field:{needed.step_id}:{needed.version}:{needed.field}",
            "onbehalf",
            {
                "mailbox": needed.sender,
                "sequence_id": str(needed.sequence_id),
                "field": needed.field,
                "blocked_reason": reason,
            },
        )
    return len(held)
