"""The weekly digest: what others sent from a member's mailbox, in one notice a week to that member."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text

from db.core.session import Transaction
from db.events import events
from domain.events import EventKind


@dataclass(frozen=True, slots=True)
class Week:
    """An organization's last full week, Monday to Sunday by its own clock, which no digest covers yet."""

    organization_id: UUID
    monday: date
    sunday: date


def take_week(tx: Transaction) -> Week | None:
    """One organization whose last week is to be notified: from Monday morning at eight. It is taken by whoever takes it first."""
    row = tx.execute(
        text(
            "WITH due AS (SELECT id, date_trunc('week', clock_timestamp() AT TIME ZONE time_zone)::date AS monday"
            "   FROM organizations WHERE (clock_timestamp() AT TIME ZONE time_zone) >="
            "     date_trunc('week', clock_timestamp() AT TIME ZONE time_zone) + interval '8 hours'"
            "   AND digest_until IS DISTINCT FROM date_trunc('week', clock_timestamp() AT TIME ZONE time_zone)::date"
            "   ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)"
            " UPDATE organizations o SET digest_until = due.monday FROM due WHERE o.id = due.id"
            " RETURNING o.id, due.monday - 7 AS monday, due.monday - 1 AS sunday"
        )
    ).one_or_none()
    return None if row is None else Week(row.id, row.monday, row.sunday)


def notify(tx: Transaction, week: Week) -> int:
    """Record the digest of every mailbox from which others sent that week; returns how many."""
    rows = tx.execute(
        text(
            "SELECT b.id AS mailbox_id, b.address, b.owner_id, w.name, count(*) AS emails,"
            " array_agg(DISTINCT s.name) AS sequences, (array_agg(g.id) FILTER (WHERE g.archived_at IS NULL))[1] AS grant_id"
            " FROM deliveries d JOIN receipts r ON r.delivery_id = d.id JOIN grants g ON g.id = r.grant_id"
            " JOIN mailboxes b ON b.id = d.mailbox_id JOIN members h ON h.id = b.owner_id JOIN members w ON w.id = r.owner_id"
            " JOIN sequences s ON s.id = d.sequence_id JOIN organizations o ON o.id = d.organization_id"
            " WHERE d.organization_id = :id AND d.state = 'sent' AND h.active"
            " AND d.sent_at >= CAST(:monday AS date)::timestamp AT TIME ZONE o.time_zone"
            " AND d.sent_at < (CAST(:sunday AS date) + 1)::timestamp AT TIME ZONE o.time_zone"
            " GROUP BY b.id, b.address, b.owner_id, w.id, w.name ORDER BY b.id, count(*) DESC, w.name"
        ),
        {"id": week.organization_id, "monday": week.monday, "sunday": week.sunday},
    ).all()
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
        payload = {
            "mailbox": address,
            "recipient": str(owner_id),
            "week": f"{week.monday:%-d %B} to {week.sunday:%-d %B %Y}",
            "lines": "\n".join(said),
            "ends": "\n".join(ends[whose]),
        }
        cause = f"digest:{mailbox_id}:{week.monday.isoformat()}"
        events.record(tx, week.organization_id, EventKind.SENT_IN_YOUR_NAME, cause, "onbehalf", payload)
    return len(lines)
