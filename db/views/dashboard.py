"""Read-only questions about how things stand, cheap at millions of rows: everything counted here has a partial index."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.core.session import Transaction


@dataclass(frozen=True, slots=True)
class Overview:
    """Numbers of now. ``lag`` and ``queue_lag``: seconds since the oldest due, and the oldest queued, delivery."""

    due: int
    queued: int
    sending: int
    in_doubt: int
    review: int
    held: int
    waiting: int
    sent_last_minute: int
    sent_last_hour: int
    failed_last_day: int
    lag: float
    queue_lag: float
    outbox_open: int
    outbox_parked: int
    lanes_open: int
    lanes_closed: int
    lanes_asked_to_wait: int


def overview(tx: Transaction) -> Overview:
    """Everything an operator looks at first."""
    row = tx.execute(
        text(
            "SELECT"
            " (SELECT count(*) FROM deliveries WHERE state = 'pending' AND NOT held AND due_at <= now()"
            "   AND mailbox_id IN (SELECT mailbox_id FROM lanes WHERE open AND next_due_at <= now())) AS due,"
            " (SELECT count(*) FROM deliveries WHERE state = 'queued') AS queued,"
            " (SELECT count(*) FROM deliveries WHERE state IN ('preparing', 'drafted', 'sending')) AS sending,"
            " (SELECT count(*) FROM deliveries WHERE state = 'in_doubt') AS in_doubt,"
            " (SELECT count(*) FROM deliveries WHERE state = 'review') AS review,"
            " (SELECT count(*) FROM deliveries WHERE state = 'pending' AND held) AS held,"
            " (SELECT count(*) FROM deliveries WHERE state = 'pending' AND NOT held) AS waiting,"
            " (SELECT count(*) FROM deliveries WHERE state = 'sent' AND sent_at > now() - interval '1 minute') AS minute,"
            " (SELECT count(*) FROM deliveries WHERE state = 'sent' AND sent_at > now() - interval '1 hour') AS hour,"
            " (SELECT count(*) FROM audit_entries WHERE action = 'delivery_failed' AND at > now() - interval '1 day') AS failed,"
            " coalesce(extract(epoch FROM now() - (SELECT min(next_due_at) FROM lanes WHERE open"
            "   AND (retry_after_until IS NULL OR retry_after_until <= now()))), 0) AS lag,"
            " coalesce(extract(epoch FROM now() - (SELECT min(queued_at) FROM deliveries WHERE state = 'queued')), 0) AS queue_lag,"
            " (SELECT count(*) FROM outbox WHERE done_at IS NULL AND parked_at IS NULL) AS outbox_open,"
            " (SELECT count(*) FROM outbox WHERE done_at IS NULL AND parked_at IS NOT NULL) AS outbox_parked,"
            " (SELECT count(*) FROM lanes WHERE open) AS lanes_open,"
            " (SELECT count(*) FROM lanes WHERE NOT open) AS lanes_closed,"
            " (SELECT count(*) FROM lanes WHERE open AND retry_after_until > now()) AS lanes_waiting"
        )
    ).one()
    return Overview(
        row.due,
        row.queued,
        row.sending,
        row.in_doubt,
        row.review,
        row.held,
        row.waiting,
        row.minute,
        row.hour,
        row.failed,
        max(0.0, float(row.lag)),
        max(0.0, float(row.queue_lag)),
        row.outbox_open,
        row.outbox_parked,
        row.lanes_open,
        row.lanes_closed,
        row.lanes_waiting,
    )


@dataclass(frozen=True, slots=True)
class LastHour:
    """``events``: (audit action, reason or how it is known, count). ``drain_*``: withdrawals, seconds from call to answer."""

    events: Sequence[tuple[str, str, int]]
    waiting: Sequence[
        tuple[str, str, int]
    ]  # (state, reason, count) of deliveries that wait for something now
    drains: int
    drain_seconds_mean: float
    drain_seconds_max: float


def last_hour(tx: Transaction) -> LastHour:
    """What became of deliveries, by class, and how long withdrawals took to answer."""
    events = tx.execute(
        text(
            "SELECT action, split_part(coalesce(data->>'reason', data->>'known_by', ''), ':', 1) AS class, count(*) AS n"
            " FROM audit_entries WHERE at > now() - interval '1 hour'"
            " AND action IN ('email_sent', 'delivery_skipped', 'delivery_failed', 'delivery_cancelled', 'delivery_in_review')"
            " GROUP BY 1, 2 ORDER BY 1, 2"
        )
    ).all()
    waiting = tx.execute(
        text(
            "SELECT state, split_part(reason, ':', 1) AS class, count(*) AS n FROM deliveries"
            " WHERE reason IS NOT NULL AND state NOT IN ('sent', 'closed') GROUP BY 1, 2 ORDER BY 1, 2"
        )
    ).all()
    drain = tx.execute(
        text(
            "SELECT count(*) AS n, coalesce(avg((data->>'seconds')::float), 0) AS mean,"
            " coalesce(max((data->>'seconds')::float), 0) AS longest FROM audit_entries"
            " WHERE at > now() - interval '1 hour' AND action = 'withdrawal_answered'"
        )
    ).one()
    return LastHour(
        [(row[0], row[1], row.n) for row in events],
        [(row[0], row[1], row.n) for row in waiting],
        drain.n,
        drain.mean,
        drain.longest,
    )


@dataclass(frozen=True, slots=True)
class LanePace:
    """One mailbox: how it is connected and how fast it goes."""

    address: str
    status: str
    reason: str | None
    sent_last_minute: int
    sent_today: int
    daily_cap: int
    next_due_at: datetime | None


def paces(tx: Transaction, limit: int = 20) -> list[LanePace]:
    """The mailboxes that have, or next have, work."""
    rows = tx.execute(
        text(
            "SELECT b.address, b.status, b.status_reason, l.daily_cap, l.next_due_at,"
            " CASE WHEN l.sent_on = (now() AT TIME ZONE l.zone)::date THEN l.sent_today ELSE 0 END AS today,"
            " (SELECT count(*) FROM deliveries d WHERE d.mailbox_id = b.id AND d.state = 'sent'"
            "   AND d.sent_at > now() - interval '1 minute') AS minute"
            " FROM lanes l JOIN mailboxes b ON b.id = l.mailbox_id"
            " ORDER BY l.last_served_at DESC NULLS LAST, b.address LIMIT :limit"
        ),
        {"limit": limit},
    ).all()
    return [
        LanePace(
            row.address, row.status, row.status_reason, row.minute, row.today, row.daily_cap, row.next_due_at
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One notice, for a list."""

    id: UUID
    recipient: str
    channel: str
    title: str
    body: str
    mail_state: str | None
    created_at: datetime
    read_at: datetime | None


def notices(
    tx: Transaction, *, recipient: UUID | None = None, channel: str | None = None, limit: int = 50
) -> list[NoticeLine]:
    """The newest notices, newest first."""
    rows = tx.execute(
        text(
            "SELECT n.*, m.email FROM notices n JOIN members m ON m.id = n.owner_id"
            " WHERE (CAST(:recipient AS uuid) IS NULL OR n.owner_id = :recipient)"
            " AND (CAST(:channel AS text) IS NULL OR n.channel = :channel)"
            " ORDER BY n.created_at DESC LIMIT :limit"
        ),
        {"recipient": recipient, "channel": channel, "limit": limit},
    ).all()
    return [
        NoticeLine(
            row.id, row.email, row.channel, row.title, row.body, row.mail_state, row.created_at, row.read_at
        )
        for row in rows
    ]


def mark_read(tx: Transaction, notice_id: UUID) -> bool:
    """The recipient has seen it. False: there is no such notice."""
    return (
        tx.execute(
            text(
                "UPDATE notices SET read_at = coalesce(read_at, clock_timestamp()) WHERE id = :id RETURNING id"
            ),
            {"id": notice_id},
        ).one_or_none()
        is not None
    )


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """One delivery, for a list."""

    id: UUID
    enrollment_id: UUID
    state: str
    reason: str | None
    held: bool
    due_at: datetime
    sent_at: datetime | None
    attempts: int
    person: str
    sequence: str
    step: int
    sender: str


def deliveries(
    tx: Transaction,
    *,
    states: list[str] | None = None,
    sequence_id: UUID | None = None,
    mailbox_id: UUID | None = None,
    person: str | None = None,
    limit: int = 50,
) -> list[DeliveryLine]:
    """Deliveries that fit all given filters, next due first."""
    rows = tx.execute(
        text(
            "SELECT d.*, c.email AS person, s.name AS sequence, t.position, b.address FROM deliveries d"
            " JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id"
            " JOIN sequences s ON s.id = d.sequence_id JOIN steps t ON t.id = d.step_id"
            " JOIN mailboxes b ON b.id = d.mailbox_id"
            " WHERE (CAST(:states AS text[]) IS NULL OR d.state = ANY(CAST(:states AS text[])))"
            " AND (CAST(:sequence_id AS uuid) IS NULL OR d.sequence_id = :sequence_id)"
            " AND (CAST(:mailbox_id AS uuid) IS NULL OR d.mailbox_id = :mailbox_id)"
            " AND (CAST(:person AS text) IS NULL OR c.email = lower(:person))"
            " ORDER BY d.due_at, d.id LIMIT :limit"
        ),
        {
            "states": states,
            "sequence_id": sequence_id,
            "mailbox_id": mailbox_id,
            "person": person,
            "limit": limit,
        },
    ).all()
    return [
        DeliveryLine(
            row.id,
            row.enrollment_id,
            row.state,
            row.reason,
            row.held,
            row.due_at,
            row.sent_at,
            row.attempts,
            row.person,
            row.sequence,
            row.position,
            row.address,
        )
        for row in rows
    ]
