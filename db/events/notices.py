"""Notices: one per cause, recipient and channel, whoever and however many notice the cause."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.events import notice_facts
from db.events.events import Event
from domain.notice import Notice

MAX_MAIL_TAKES = timedelta(seconds=90)  # after that, a mail whose end was not recorded is unknown


def write_in_app(tx: Transaction, event: Event, recipient: UUID) -> Notice:
    """Write the recipient's in-app notice of the event, or bring it up to date with one more sequence."""
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
            "owner_id": recipient,
            "event_id": event.id,
            "cause_key": event.incident,
        },
    )
    notice = notice_facts.word(tx, event, recipient)
    tx.execute(
        text(
            "UPDATE notices SET title = :title, body = :body, links = CAST(:links AS jsonb),"
            " read_at = CASE WHEN body = :body THEN read_at END"  # what is new has not been read
            " WHERE cause_key = :cause_key AND owner_id = :owner_id AND channel = 'in_app'"
        ),
        {
            "title": notice.title,
            "body": notice.body,
            "links": dump_json([list(each) for each in notice.links]),
            "cause_key": event.incident,
            "owner_id": recipient,
        },
    )
    return notice


@dataclass(frozen=True, slots=True)
class MailClaim:
    """``state``: new (send it), busy (somebody is sending it), or the settled state of an earlier try."""

    state: str
    address: str
    name: str
    now: datetime


def claim_mail(tx: Transaction, event: Event, recipient: UUID, notice: Notice) -> MailClaim:
    """Claim the one email of this notice. A try that died on the way stays unknown and is not repeated."""
    member = tx.execute(
        text("SELECT email, name, clock_timestamp() AS now FROM members WHERE id = :id"), {"id": recipient}
    ).one()
    keys = {"cause_key": event.incident, "owner_id": recipient}
    claimed = tx.execute(
        text(
            "INSERT INTO notices (id, organization_id, owner_id, event_id, cause_key, channel, title, body, links, mail_state)"
            " VALUES (:id, :organization_id, :owner_id, :event_id, :cause_key, 'email', :title, :body, CAST(:links AS jsonb),"
            "   'sending')"
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
            "links": dump_json([list(each) for each in notice.links]),
        },
    ).one_or_none()
    if claimed is not None:
        return MailClaim("new", member.email, member.name, member.now)
    row = tx.execute(
        text(
            "SELECT mail_state, created_at < clock_timestamp() - :limit AS old FROM notices"
            " WHERE cause_key = :cause_key AND owner_id = :owner_id AND channel = 'email' FOR UPDATE"
        ),
        {**keys, "limit": MAX_MAIL_TAKES},
    ).one()
    if row.mail_state == "sending" and row.old:
        record_mail(tx, event, recipient, "unknown")
        return MailClaim("unknown", member.email, member.name, member.now)
    return MailClaim(
        "busy" if row.mail_state == "sending" else row.mail_state,
        member.email,
        member.name,
        member.now,
    )


def record_mail(tx: Transaction, event: Event, recipient: UUID, state: str) -> None:
    """How the email of a notice ended: sent, failed or unknown."""
    tx.execute(
        text(
            "UPDATE notices SET mail_state = :state"
            " WHERE cause_key = :cause_key AND owner_id = :owner_id AND channel = 'email'"
        ),
        {"state": state, "cause_key": event.incident, "owner_id": recipient},
    )
