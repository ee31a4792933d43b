"""Notices: one per cause, reader and channel, whoever and however many notice the cause."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from db.events import Event, affected
from db.ids import new_id
from db.session import Transaction
from domain.events import CONSEQUENCES, EventKind
from domain.notice import Notice, TouchedSequence, write_notice

MAIL_TAKES_AT_MOST = timedelta(seconds=90)  # after that, a mail whose end was not recorded is unknown


def write_in_app(tx: Transaction, event: Event, reader: UUID) -> Notice:
    """Write the reader's in-app notice of the event, or bring it up to date with one more sequence."""
    tx.execute(
        text(
            "INSERT INTO notices (id, organization_id, owner_id, event_id, cause_key, channel, title, body)"
            " VALUES (:id, :organization_id, :owner_id, :event_id, :cause_key, 'in_app', '', '')"
            # Locks the row, so that two pauses of one cause word it one after the other.
            " ON CONFLICT (cause_key, owner_id, channel) DO UPDATE SET channel = 'in_app'"
        ),
        {
            "id": new_id(),
            "organization_id": event.organization_id,
            "owner_id": reader,
            "event_id": event.id,
            "cause_key": event.cause_key,
        },
    )
    notice = word(tx, event, reader)
    tx.execute(
        text(
            "UPDATE notices SET title = :title, body = :body"
            " WHERE cause_key = :cause_key AND owner_id = :owner_id AND channel = 'in_app'"
        ),
        {
            "title": notice.title,
            "body": notice.body,
            "cause_key": event.cause_key,
            "owner_id": reader,
        },
    )
    return notice


def concerns(tx: Transaction, event: Event, reader: UUID) -> bool:
    """Has the event paused a sequence of this reader?"""
    ids = [each.sequence_id for each in affected(tx, event) if each.tell == reader]
    found: bool = tx.execute(
        text("SELECT EXISTS (SELECT FROM pauses WHERE event_id = :id AND sequence_id = ANY(:ids))"),
        {"id": event.id, "ids": ids},
    ).scalar_one()
    return found


def word(tx: Transaction, event: Event, reader: UUID) -> Notice:
    """Word the event for one reader, from what it has touched so far."""
    ids = [each.sequence_id for each in affected(tx, event) if each.tell == reader]
    rows = tx.execute(
        text(
            "SELECT s.name, coalesce(p.people, 0) AS paused_people,"
            " (SELECT count(*) FROM enrollments e WHERE e.sequence_id = s.id AND e.status = 'paused'"
            "   AND e.reason = :blocked_reason) AS blocked,"
            " (SELECT count(*) FROM deliveries d WHERE d.sequence_id = s.id AND d.state = 'closed'"
            "   AND d.reason = :failed_reason) AS failed,"
            " (SELECT count(*) FROM deliveries d WHERE d.sequence_id = s.id"
            "   AND d.state IN ('pending', 'queued', 'preparing', 'drafted')) AS waiting,"
            " (SELECT count(*) FROM deliveries d WHERE d.sequence_id = s.id AND d.state IN ('pending', 'queued', 'preparing', 'drafted')"
            "   AND NOT d.held AND d.due_at <= coalesce(CAST(:ends AS timestamptz), clock_timestamp() + interval '1 day')) AS for_sender"
            " FROM sequences s LEFT JOIN pauses p ON p.sequence_id = s.id AND p.event_id = :event_id"
            " WHERE s.id = ANY(:ids) AND (NOT :pauses OR p.id IS NOT NULL) ORDER BY s.name"
        ),
        {
            "ids": ids,
            "event_id": event.id,
            "pauses": CONSEQUENCES[event.kind].pauses,
            "blocked_reason": event.payload.get("blocked_reason"),
            "failed_reason": event.payload.get("failed_reason"),
            "ends": event.payload.get("ends"),
        },
    ).all()
    touched = []
    for row in rows:
        people = {
            EventKind.PEOPLE_BLOCKED: row.blocked,
            EventKind.DELIVERIES_FAILED: row.failed,
            EventKind.DELIVERY_IN_REVIEW: 1,
            EventKind.MAILBOX_RECONNECTED: row.waiting,
            EventKind.GRANT_GIVEN: row.waiting,
            EventKind.GRANT_ENDS_SOON: row.waiting,
            EventKind.SENDER_AWAY: row.for_sender,
        }.get(event.kind, row.paused_people)
        touched.append(TouchedSequence(row.name, people))
    return write_notice(event.kind, event.payload, touched)


@dataclass(frozen=True, slots=True)
class MailClaim:
    """``state``: new (send it), busy (somebody is sending it), or the settled state of an earlier try."""

    state: str
    address: str
    name: str


def claim_mail(tx: Transaction, event: Event, reader: UUID, notice: Notice) -> MailClaim:
    """Claim the one email of this notice. A try that died on the way stays unknown and is not repeated."""
    member = tx.execute(text("SELECT email, name FROM members WHERE id = :id"), {"id": reader}).one()
    keys = {"cause_key": event.cause_key, "owner_id": reader}
    claimed = tx.execute(
        text(
            "INSERT INTO notices (id, organization_id, owner_id, event_id, cause_key, channel, title, body, mail_state)"
            " VALUES (:id, :organization_id, :owner_id, :event_id, :cause_key, 'email', :title, :body, 'sending')"
            " ON CONFLICT (cause_key, owner_id, channel) DO UPDATE SET mail_state = 'sending',"
            "   created_at = clock_timestamp() WHERE notices.mail_state = 'failed' RETURNING id"
        ),
        {
            **keys,
            "id": new_id(),
            "organization_id": event.organization_id,
            "event_id": event.id,
            "title": notice.title,
            "body": notice.body,
        },
    ).one_or_none()
    if claimed is not None:
        return MailClaim("new", member.email, member.name)
    row = tx.execute(
        text(
            "SELECT mail_state, created_at < clock_timestamp() - :limit AS old FROM notices"
            " WHERE cause_key = :cause_key AND owner_id = :owner_id AND channel = 'email' FOR UPDATE"
        ),
        {**keys, "limit": MAIL_TAKES_AT_MOST},
    ).one()
    if row.mail_state == "sending" and row.old:
        record_mail(tx, event, reader, "unknown")
        return MailClaim("unknown", member.email, member.name)
    return MailClaim(
        "busy" if row.mail_state == "sending" else row.mail_state,
        member.email,
        member.name,
    )


def record_mail(tx: Transaction, event: Event, reader: UUID, state: str) -> None:
    """How the email of a notice ended: sent, failed or unknown."""
    tx.execute(
        text(
            "UPDATE notices SET mail_state = :state"
            " WHERE cause_key = :cause_key AND owner_id = :owner_id AND channel = 'email'"
        ),
        {"state": state, "cause_key": event.cause_key, "owner_id": reader},
    )
