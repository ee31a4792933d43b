"""Facts that happened: recorded once per cause, in the transaction of the change, with the job that spreads them."""

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
from domain.events import Affected, EventKind
from domain.jobs import FanOut, PauseSequence

_RECORD = Statement(
    "WITH recorded AS (INSERT INTO events (id, organization_id, kind, cause_key, actor_kind, actor_id, actor_name, payload)"
    "   VALUES (:id, :organization_id, :kind, :cause_key, :actor_kind, :actor_id, :actor_name, CAST(:payload AS jsonb))"
    "   ON CONFLICT (organization_id, cause_key) DO NOTHING RETURNING id)"
    f" {outbox.INSERT} FROM recorded {outbox.ONCE}"
)


@dataclass(frozen=True, slots=True)
class Event:
    """A recorded fact. ``payload`` holds what a notice needs: mailbox, actor, reason, person, ids."""

    id: UUID
    organization_id: UUID
    kind: EventKind
    cause_key: str
    actor: Actor
    payload: Mapping[str, str]
    occurred_at: datetime

    @property
    def incident(self) -> str:
        """What its notice is about: the cause, or what several events have in common."""
        return self.payload.get("incident", self.cause_key)

    @property
    def recipient(self) -> UUID | None:
        """Who hears of it in any case."""
        return UUID(self.payload["recipient"]) if "recipient" in self.payload else None


def record(
    tx: Transaction,
    organization_id: UUID,
    kind: EventKind,
    cause_key: str,
    actor: str,
    payload: Mapping[str, str],
    *,
    after: timedelta = timedelta(),
) -> UUID | None:
    """Record the fact and its fan-out. None when this cause is on record already: everyone who notices it meets here.

    ``after``: spread it later, so that what follows from the same cause is in the same notice.
    """
    event_id = new_id()
    recorded = _RECORD.run(
        tx,
        id=event_id,
        organization_id=organization_id,
        kind=kind.value,
        cause_key=cause_key,
        **audit.columns_of(actor),
        payload=dump_json(dict(payload)),
        **outbox.entry(FanOut(event_id), after=after),
    )
    return event_id if recorded else None


def record_missing(
    tx: Transaction, organization_id: UUID, sender: Sender, missing: Withdrawn, address: str
) -> None:
    """A sequence that cannot send was noticed: record why, or stop it too for a cause on record. ``address``: its mailbox's."""
    payload = {
        "mailbox": address,
        "mailbox_id": str(sender.mailbox_id),
        "grantee_id": str(sender.sequence_owner.id),
        "reason": missing.detail or missing.reason,
        "actor": "Onbehalf",
    }
    if missing.member_id is not None:
        name: str = tx.execute(
            text("SELECT name FROM members WHERE id = :id"), {"id": missing.member_id}
        ).scalar_one()
        payload |= {"member_id": str(missing.member_id), "person": name}
    if not record(tx, organization_id, missing.kind, missing.cause_key, "onbehalf", payload):
        pause_too(tx, organization_id, missing.cause_key, sender.sequence_id)


def pause_too(tx: Transaction, organization_id: UUID, cause_key: str, sequence_id: UUID) -> None:
    """A cause on record stops one more sequence: one that was started after its event had been spread."""
    event_id = tx.execute(
        text("SELECT id FROM events WHERE organization_id = :organization_id AND cause_key = :cause_key"),
        {"organization_id": organization_id, "cause_key": cause_key},
    ).scalar_one()
    outbox.put(tx, PauseSequence(event_id, sequence_id))


def load(tx: Transaction, event_id: UUID) -> Event | None:
    """One event, or None."""
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


# Somebody who may still send on another authority is not touched.
_UNAUTHORIZED = (
    "s.mailbox_id = :mailbox_id AND s.owner_id <> (SELECT owner_id FROM mailboxes WHERE id = s.mailbox_id)"
    f" AND NOT {authorized()} AND (CAST(:grantee_id AS uuid) IS NULL OR s.owner_id = :grantee_id)"
)
# A permission that names sequences is about these and no others.
_COVERED = (
    " AND (CAST(:grant_id AS uuid) IS NULL OR EXISTS (SELECT FROM grants own WHERE own.id = :grant_id"
    " AND (own.sequence_ids IS NULL OR s.id = ANY(own.sequence_ids))))"
)

# The sequences an event touches. Each: SQL over sequences s (active or already paused) of the event's organization.
_TOUCHES = {
    EventKind.GRANT_REVOKED: _UNAUTHORIZED + _COVERED,
    EventKind.GRANT_EXPIRED: _UNAUTHORIZED + _COVERED,
    EventKind.GRANT_MISSING: _UNAUTHORIZED,
    EventKind.MAILBOX_DISCONNECTED: "s.mailbox_id = :mailbox_id",
    EventKind.CONNECTION_LOST: "s.mailbox_id = :mailbox_id",
    EventKind.MEMBER_DEACTIVATED: (
        "(s.owner_id = :member_id OR s.mailbox_id IN (SELECT id FROM mailboxes WHERE owner_id = :member_id))"
    ),
    EventKind.SEQUENCE_PAUSED: "s.id = :sequence_id",
    EventKind.DELIVERY_IN_REVIEW: "s.id = :sequence_id",
    EventKind.STILL_IN_DRAFTS: (
        "s.id IN (SELECT sequence_id FROM deliveries WHERE mailbox_id = :mailbox_id AND still_draft_at IS NOT NULL)"
    ),
    EventKind.SENDING_LIMIT_REACHED: "s.mailbox_id = :mailbox_id AND s.status = 'active'",
    EventKind.DELIVERIES_FAILED: "s.id = :sequence_id",
    EventKind.PEOPLE_BLOCKED: "s.id = :sequence_id",
    EventKind.STEP_REFUSED: "s.id = :sequence_id",
    EventKind.MAILBOX_RECONNECTED: "s.mailbox_id = :mailbox_id AND s.status = 'paused'",
    EventKind.MAILBOX_RENAMED: "s.mailbox_id = :mailbox_id",
    EventKind.GRANT_GIVEN: (
        "s.mailbox_id = :mailbox_id AND s.status = 'paused' AND (CAST(:grantee_id AS uuid) IS NULL OR s.owner_id = :grantee_id)"
        " AND s.owner_id <> (SELECT owner_id FROM mailboxes WHERE id = s.mailbox_id)" + _COVERED
    ),
    EventKind.GRANT_ENDS_SOON: (
        "s.mailbox_id = :mailbox_id AND s.status = 'active' AND (CAST(:grantee_id AS uuid) IS NULL OR s.owner_id = :grantee_id)"
        " AND s.owner_id <> (SELECT owner_id FROM mailboxes WHERE id = s.mailbox_id)" + _COVERED
    ),
    EventKind.SENDER_AWAY: (
        "s.mailbox_id = :mailbox_id AND s.status = 'active' AND s.owner_id = CAST(:grantee_id AS uuid) AND EXISTS ("
        "SELECT FROM deliveries d WHERE d.sequence_id = s.id AND d.state = 'pending' AND NOT d.held"
        " AND d.due_at <= coalesce(CAST(:ends AS timestamptz), clock_timestamp() + interval '1 day'))"
    ),
    # These have one recipient, whatever sequences there are.
    EventKind.ADMIN_APPROVED: "false",
    EventKind.GRANT_ASKED: "false",
    EventKind.GRANT_DECLINED: "false",
    EventKind.SENDER_ADDRESS_CHANGED: "false",
    EventKind.SENT_IN_YOUR_NAME: "false",
    EventKind.GRANT_TO_CONFIRM: "false",
    EventKind.SEQUENCE_SET_BACK: "false",
    EventKind.SEQUENCE_HANDED_OVER: "false",
}


# Who hears of a sequence: its owner; where that member has left, the longest-standing active owner of the organization.
_RECIPIENT = (
    "CASE WHEN o.active THEN o.id ELSE coalesce((SELECT m.id FROM members m"
    " WHERE m.organization_id = s.organization_id AND m.active"
    " ORDER BY array_position(ARRAY['owner', 'admin', 'member'], m.role), m.id LIMIT 1), o.id) END"
)


def recipient_for(tx: Transaction, sequence_id: UUID) -> UUID:
    """The member who hears of what happens to a sequence."""
    recipient: UUID = tx.execute(
        text(f"SELECT {_RECIPIENT} FROM sequences s JOIN members o ON o.id = s.owner_id WHERE s.id = :id"),
        {"id": sequence_id},
    ).scalar_one()
    return recipient


def affected(tx: Transaction, event: Event) -> list[Affected]:
    """The running or paused sequences that an event touches, each with the active member to tell."""
    rows = tx.execute(
        text(
            f"SELECT s.id, {_RECIPIENT} AS recipient"
            " FROM sequences s JOIN members o ON o.id = s.owner_id"
            " WHERE s.organization_id = :organization_id AND s.status IN ('active', 'paused')"
            f" AND {_TOUCHES[event.kind]}"
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


def paused_by(tx: Transaction, event: Event) -> list[Affected]:
    """The sequences that an event has paused and nobody has resumed, each with the active member to tell."""
    rows = tx.execute(
        text(
            f"SELECT s.id, {_RECIPIENT} AS recipient FROM pauses p JOIN sequences s ON s.id = p.sequence_id"
            " JOIN members o ON o.id = s.owner_id WHERE p.event_id = :id AND s.status = 'paused'"
        ),
        {"id": event.id},
    ).all()
    return [Affected(row.id, row.recipient) for row in rows]
