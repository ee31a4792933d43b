"""Events: recorded once per cause, in the transaction of the change, with the job that spreads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from db.access.authority import authorized
from db.audit import audit
from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import Statement
from db.events import outbox
from domain.audit import Actor, ActorKind
from domain.authority import Sender, Withdrawn
from domain.event_payloads import (
    ConnectionLost,
    GrantExpired,
    GrantMissing,
    GrantRevoked,
    MailboxDisconnected,
    MemberDeactivated,
)
from domain.event_types import EVENT_TYPES, EventType, Touches
from domain.events import Affected, EventKind, Payload
from domain.jobs import FanOut, PauseSequence

_RECORD = Statement(
    "WITH recorded AS (INSERT INTO events (id, organization_id, kind, cause_key, actor_kind, actor_id, actor_name, payload)"
    "   VALUES (:id, :organization_id, :kind, :cause_key, :actor_kind, :actor_id, :actor_name, CAST(:payload AS jsonb))"
    "   ON CONFLICT (organization_id, cause_key) DO NOTHING RETURNING id)"
    f" {outbox.INSERT} FROM recorded {outbox.ONCE}"
)
_NOTICED_BY = "Onbehalf"


@dataclass(frozen=True, slots=True)
class Event:
    """A recorded event. ``payload`` holds what a notice needs: mailbox, actor, reason, person, ids."""

    id: UUID
    organization_id: UUID
    kind: EventKind
    cause_key: str
    actor: Actor
    payload: Mapping[str, str]
    occurred_at: datetime

    @property
    def type(self) -> EventType:
        """What follows from its kind."""
        return EVENT_TYPES[self.kind]

    @property
    def incident(self) -> str:
        """What its notice is about: the cause, or the incident that several events share."""
        return self.payload.get("incident", self.cause_key)

    @property
    def recipient(self) -> UUID | None:
        """The member who is notified in any case."""
        return UUID(self.payload["recipient"]) if "recipient" in self.payload else None


def record(
    tx: Transaction,
    organization_id: UUID,
    payload: Payload,
    cause_key: str,
    actor: str,
    *,
    after: timedelta = timedelta(),
) -> UUID | None:
    """Record an event and its fan-out. Returns None if this cause is already on record, so several observers record it once.

    ``after``: delay the fan-out, so that one notice covers everything with the same cause.
    """
    event_id = new_id()
    recorded = _RECORD.run(
        tx,
        id=event_id,
        organization_id=organization_id,
        kind=payload.kind.value,
        cause_key=cause_key,
        **audit.columns_of(actor),
        payload=dump_json(payload.to_json()),
        **outbox.entry(FanOut(event_id), after=after),
    )
    return event_id if recorded else None


def record_missing(
    tx: Transaction, organization_id: UUID, sender: Sender, missing: Withdrawn, address: str
) -> None:
    """A sequence that cannot send was noticed: record why, or stop it too for a cause on record. ``address``: its mailbox's."""
    payload = _noticed(tx, sender, missing, address)
    if not record(tx, organization_id, payload, missing.cause_key, "onbehalf"):
        pause_too(tx, organization_id, missing.cause_key, sender.sequence_id)


def _noticed(tx: Transaction, sender: Sender, missing: Withdrawn, address: str) -> Payload:
    reason = missing.detail or missing.reason
    mailbox_id, grantee_id = sender.mailbox_id, sender.sequence_owner.id
    match missing.kind:
        case EventKind.GRANT_REVOKED | EventKind.GRANT_EXPIRED:
            ended = GrantRevoked if missing.kind is EventKind.GRANT_REVOKED else GrantExpired
            return ended(
                mailbox=address,
                mailbox_id=mailbox_id,
                actor=_NOTICED_BY,
                grantee_id=grantee_id,
                reason=reason,
            )
        case EventKind.GRANT_MISSING:
            return GrantMissing(
                mailbox=address,
                mailbox_id=mailbox_id,
                actor=_NOTICED_BY,
                grantee_id=grantee_id,
                reason=reason,
            )
        case EventKind.MAILBOX_DISCONNECTED | EventKind.CONNECTION_LOST:
            lost = MailboxDisconnected if missing.kind is EventKind.MAILBOX_DISCONNECTED else ConnectionLost
            return lost(mailbox=address, mailbox_id=mailbox_id, actor=_NOTICED_BY, reason=reason)
        case EventKind.MEMBER_DEACTIVATED if missing.member_id is not None:
            name: str = tx.execute(
                text("SELECT name FROM members WHERE id = :id"), {"id": missing.member_id}
            ).scalar_one()
            return MemberDeactivated(
                member_id=missing.member_id,
                person=name,
                actor=_NOTICED_BY,
                mailbox=address,
                mailbox_id=mailbox_id,
                reason=reason,
            )
        case _:
            raise ValueError(f"{missing.kind} keeps no sequence from sending")


def pause_too(tx: Transaction, organization_id: UUID, cause_key: str, sequence_id: UUID) -> None:
    """Pause one more sequence for a cause on record: it started after the event's fan-out."""
    event_id = tx.execute(
        text("SELECT id FROM events WHERE organization_id = :organization_id AND cause_key = :cause_key"),
        {"organization_id": organization_id, "cause_key": cause_key},
    ).scalar_one()
    outbox.put(tx, PauseSequence(event_id, sequence_id))


def load(tx: Transaction, event_id: UUID) -> Event | None:
    """Return an event, or None."""
    row = tx.execute(text("SELECT * FROM events WHERE id = :id"), {"id": event_id}).one_or_none()
    if row is None:
        return None
    return Event(
        row.id,
        row.organization_id,
        EventKind(row.kind),
        row.cause_key,
        Actor(ActorKind(row.actor_kind), row.actor_id, row.actor_name),
        row.payload,
        row.occurred_at,
    )


# A permission is about whom it was given to, and where it names sequences, about these and no others.
_OF_GRANT = (
    "s.mailbox_id = :mailbox_id AND s.owner_id <> (SELECT owner_id FROM mailboxes WHERE id = s.mailbox_id)"
    " AND (CAST(:grantee_id AS uuid) IS NULL OR s.owner_id = :grantee_id)"
    " AND (CAST(:grant_id AS uuid) IS NULL OR EXISTS (SELECT FROM grants own WHERE own.id = :grant_id"
    " AND (own.sequence_ids IS NULL OR s.id = ANY(own.sequence_ids))))"
)

# Each: SQL over sequences s (active or already paused) of the event's organization.
_TOUCHES = {
    Touches.NOBODY: "false",
    Touches.SEQUENCE: "s.id = :sequence_id",
    Touches.MAILBOX: "s.mailbox_id = :mailbox_id",
    Touches.RUNNING_OF_MAILBOX: "s.mailbox_id = :mailbox_id AND s.status = 'active'",
    Touches.PAUSED_OF_MAILBOX: "s.mailbox_id = :mailbox_id AND s.status = 'paused'",
    Touches.MEMBER: (
        "(s.owner_id = :member_id OR s.mailbox_id IN (SELECT id FROM mailboxes WHERE owner_id = :member_id))"
    ),
    # Somebody who may still send on another authority is not touched.
    Touches.UNAUTHORIZED: f"{_OF_GRANT} AND NOT {authorized()}",
    Touches.RUNNING_OF_GRANT: f"{_OF_GRANT} AND s.status = 'active'",
    Touches.PAUSED_OF_GRANT: f"{_OF_GRANT} AND s.status = 'paused'",
    Touches.WAITING_FOR_SENDER: (
        "s.mailbox_id = :mailbox_id AND s.status = 'active' AND s.owner_id = CAST(:grantee_id AS uuid) AND EXISTS ("
        "SELECT FROM deliveries d WHERE d.sequence_id = s.id AND d.state = 'pending' AND NOT d.held"
        " AND d.due_at <= coalesce(CAST(:ends AS timestamptz), clock_timestamp() + interval '1 day'))"
    ),
    Touches.WITH_EMAILS_IN_DRAFTS: (
        "s.id IN (SELECT sequence_id FROM deliveries WHERE mailbox_id = :mailbox_id AND still_draft_at IS NOT NULL)"
    ),
}


# A sequence's recipient: its owner, or if that member has left, the organization's longest-standing active owner.
_RECIPIENT = (
    "CASE WHEN o.active THEN o.id ELSE coalesce((SELECT m.id FROM members m"
    " WHERE m.organization_id = s.organization_id AND m.active"
    " ORDER BY array_position(ARRAY['owner', 'admin', 'member'], m.role), m.id LIMIT 1), o.id) END"
)


def recipient_for(tx: Transaction, sequence_id: UUID) -> UUID:
    """Return the member to notify about a sequence."""
    recipient: UUID = tx.execute(
        text(f"SELECT {_RECIPIENT} FROM sequences s JOIN members o ON o.id = s.owner_id WHERE s.id = :id"),
        {"id": sequence_id},
    ).scalar_one()
    return recipient


def affected(tx: Transaction, event: Event) -> list[Affected]:
    """Return the running or paused sequences that an event affects, each with the active member to notify."""
    rows = tx.execute(
        text(
            f"SELECT s.id, {_RECIPIENT} AS recipient"
            " FROM sequences s JOIN members o ON o.id = s.owner_id"
            " WHERE s.organization_id = :organization_id AND s.status IN ('active', 'paused')"
            f" AND {_TOUCHES[event.type.touches]}"
        ),
        {
            "organization_id": event.organization_id,
            "mailbox_id": event.payload.get("mailbox_id"),
            "grantee_id": event.payload.get("grantee_id"),
            "grant_id": event.payload.get("grant_id"),
            "member_id": event.payload.get("member_id"),
            "sequence_id": event.payload.get("sequence_id"),
            "ends": event.payload.get("ends"),
        },
    ).all()
    return [Affected(row.id, row.recipient) for row in rows]


def paused_by(tx: Transaction, event: Event, *, since_resumed: bool = False) -> list[Affected]:
    """Return the sequences that an event paused and nobody has resumed, each with the active member to notify.

    ``since_resumed``: also those that somebody has resumed or archived since.
    """
    rows = tx.execute(
        text(
            f"SELECT s.id, {_RECIPIENT} AS recipient FROM pauses p JOIN sequences s ON s.id = p.sequence_id"
            " JOIN members o ON o.id = s.owner_id WHERE p.event_id = :id AND (s.status = 'paused' OR :since_resumed)"
        ),
        {"id": event.id, "since_resumed": since_resumed},
    ).all()
    return [Affected(row.id, row.recipient) for row in rows]
