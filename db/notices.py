"""Notices: one per cause, reader and channel, whoever and however many notice the cause."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from db import events
from db.events import Event, affected
from db.ids import new_id
from db.session import Transaction
from domain.events import CONSEQUENCES, NAMES_PEOPLE, EventKind
from domain.notice import Notice, TouchedSequence, write_notice

MAIL_TAKES_AT_MOST = timedelta(seconds=90)  # after that, a mail whose end was not recorded is unknown
_NAMED_AT_MOST = 20  # people, in one notice


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
            "cause_key": event.incident,
        },
    )
    notice = word(tx, event, reader)
    tx.execute(
        text(
            "UPDATE notices SET title = :title, body = :body,"
            " read_at = CASE WHEN body = :body THEN read_at END"  # what is new has not been read
            " WHERE cause_key = :cause_key AND owner_id = :owner_id AND channel = 'in_app'"
        ),
        {
            "title": notice.title,
            "body": notice.body,
            "cause_key": event.incident,
            "owner_id": reader,
        },
    )
    return notice


def concerns(tx: Transaction, event: Event, reader: UUID) -> bool:
    """Has the event paused a sequence of this reader, or are its emails still what it says?"""
    ids = [each.sequence_id for each in affected(tx, event) if each.tell == reader]
    if event.kind in NAMES_PEOPLE:
        return bool(_people(tx, event, reader))
    found: bool = tx.execute(
        text("SELECT EXISTS (SELECT FROM pauses WHERE event_id = :id AND sequence_id = ANY(:ids))"),
        {"id": event.id, "ids": ids},
    ).scalar_one()
    return found


def word(tx: Transaction, event: Event, reader: UUID) -> Notice:
    """Word the event for one reader, from what it has touched so far."""
    if event.kind in NAMES_PEOPLE:
        return _word_by_people(tx, event, reader)
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
            EventKind.SENDING_LIMIT_REACHED: row.waiting,
            EventKind.MAILBOX_RECONNECTED: row.waiting,
            EventKind.GRANT_GIVEN: row.waiting,
            EventKind.GRANT_ENDS_SOON: row.waiting,
            EventKind.SENDER_AWAY: row.for_sender,
        }.get(event.kind, row.paused_people)
        touched.append(TouchedSequence(row.name, people))
    return write_notice(event.kind, event.payload, touched)


def _word_by_people(tx: Transaction, event: Event, reader: UUID) -> Notice:
    people = _people(tx, event, reader)
    touched = [TouchedSequence(*each) for each in sorted(Counter(name for name, _ in people).items())]
    named = {"people": _listed([person for _, person in people]), "count": str(len(people))}
    return write_notice(event.kind, {**event.payload, **named}, touched)


# Whose emails an incident is about, as SQL over deliveries d.
_CONCERNED = {
    EventKind.DELIVERY_IN_REVIEW: (
        "d.state = 'review' AND (d.id = CAST(:delivery_id AS uuid) OR (d.mailbox_id = CAST(:mailbox_id AS uuid)"
        " AND EXISTS (SELECT FROM events v WHERE v.organization_id = :organization_id"
        "   AND v.cause_key = 'review:' || d.id || ':' || d.attempts AND v.payload->>'incident' = :incident)))"
    ),
    EventKind.STILL_IN_DRAFTS: "d.still_draft_at IS NOT NULL AND d.mailbox_id = CAST(:mailbox_id AS uuid)",
}


def _people(tx: Transaction, event: Event, reader: UUID) -> list[tuple[str, str]]:
    """Sequence and person of each email of the incident that the reader hears of."""
    rows = tx.execute(
        text(
            "SELECT s.id AS sequence_id, s.name AS sequence, coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''),"
            "   c.email) AS person FROM deliveries d JOIN sequences s ON s.id = d.sequence_id"
            " JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id"
            f" WHERE d.organization_id = :organization_id AND {_CONCERNED[event.kind]} ORDER BY d.sent_at, d.id"
        ),
        {
            "organization_id": event.organization_id,
            "incident": event.incident,
            "mailbox_id": event.payload.get("mailbox_id"),
            "delivery_id": event.payload.get("delivery_id"),
        },
    ).all()
    theirs = {each: events.reader_for(tx, each) == reader for each in {row.sequence_id for row in rows}}
    return [(row.sequence, row.person) for row in rows if theirs[row.sequence_id]]


def _listed(names: Sequence[str]) -> str:
    """Names as in a sentence; of many, the first ones and how many more."""
    shown = [*names[:_NAMED_AT_MOST]]
    if len(names) > _NAMED_AT_MOST:
        shown.append(f"{len(names) - _NAMED_AT_MOST} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""


@dataclass(frozen=True, slots=True)
class MailClaim:
    """``state``: new (send it), busy (somebody is sending it), or the settled state of an earlier try."""

    state: str
    address: str
    name: str
    now: datetime


def claim_mail(tx: Transaction, event: Event, reader: UUID, notice: Notice) -> MailClaim:
    """Claim the one email of this notice. A try that died on the way stays unknown and is not repeated."""
    member = tx.execute(
        text("SELECT email, name, clock_timestamp() AS now FROM members WHERE id = :id"), {"id": reader}
    ).one()
    keys = {"cause_key": event.incident, "owner_id": reader}
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
        return MailClaim("new", member.email, member.name, member.now)
    row = tx.execute(
        text(
            "SELECT mail_state, created_at < clock_timestamp() - :limit AS old FROM notices"
            " WHERE cause_key = :cause_key AND owner_id = :owner_id AND channel = 'email' FOR UPDATE"
        ),
        {**keys, "limit": MAIL_TAKES_AT_MOST},
    ).one()
    if row.mail_state == "sending" and row.old:
        record_mail(tx, event, reader, "unknown")
        return MailClaim("unknown", member.email, member.name, member.now)
    return MailClaim(
        "busy" if row.mail_state == "sending" else row.mail_state,
        member.email,
        member.name,
        member.now,
    )


def record_mail(tx: Transaction, event: Event, reader: UUID, state: str) -> None:
    """How the email of a notice ended: sent, failed or unknown."""
    tx.execute(
        text(
            "UPDATE notices SET mail_state = :state"
            " WHERE cause_key = :cause_key AND owner_id = :owner_id AND channel = 'email'"
        ),
        {"state": state, "cause_key": event.incident, "owner_id": reader},
    )
