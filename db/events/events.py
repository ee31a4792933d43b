"""Events: recorded once per cause, in the transaction of the change, with the job that spreads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from db.access.authority import authorized
from db.audit import audit
from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.events import outbox
from domain.audit import Actor, ActorKind
from domain.authority import Sender, Withdrawn
from domain.event_payloads import (
    ConnectionLost,
    MailboxDisconnected,
    MemberDeactivated,
    TenantDisconnected,
    TenantLost,
)
from domain.event_rules import EventType, Touches
from domain.event_types import EVENT_TYPES
from domain.events import Affected, EventKind, Payload
from domain.grant_payloads import GrantExpired, GrantMissing, GrantRevoked
from domain.jobs import FanOut, PauseSequence

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


class _Recorded(NamedTuple):
    id: UUID
    organization_id: UUID
    kind: str
    cause_key: str
    actor_kind: str
    actor_id: str
    actor_name: str
    payload: dict[str, str]
    occurred_at: datetime


_SQL = SqlFile(__name__)
_RECORD = _SQL.statement("record", insert_job=outbox.INSERT, once=outbox.ONCE)
_NAME = Statement("SELECT name FROM members WHERE id = :id", str)
_OF_CAUSE = Statement(
    "SELECT id FROM events WHERE organization_id = :organization_id AND cause_key = :cause_key", UUID
)
_LOAD = Statement("SELECT * FROM events WHERE id = :id", _Recorded)
RECIPIENT = _SQL.fragment("recipient")  # over sequences s and their owners o
_RECIPIENT_FOR = _SQL.statement("recipient_for", UUID)
_PAUSED_BY = _SQL.statement("paused_by", Affected)
_OF_GRANT = _SQL.fragment("of_grant")
_TOUCHES = {
    Touches.NOBODY: "false",
    Touches.SEQUENCE: "s.id = :sequence_id",
    Touches.MAILBOX: "s.mailbox_id = :mailbox_id",
    Touches.RUNNING_OF_MAILBOX: "s.mailbox_id = :mailbox_id AND s.status = 'active'",
    Touches.RUNNING_OF_ORGANIZATION: "s.status = 'active'",
    Touches.PAUSED_OF_MAILBOX: "s.mailbox_id = :mailbox_id AND s.status = 'paused'",
    Touches.TENANT: _SQL.fragment("of_tenant"),
    Touches.MEMBER: _SQL.fragment("of_member"),
    # Somebody who may still send on another authority is not touched.
    Touches.UNAUTHORIZED: f"{_OF_GRANT} AND NOT {authorized()}",
    Touches.RUNNING_OF_GRANT: f"{_OF_GRANT} AND s.status = 'active'",
    Touches.PAUSED_OF_GRANT: f"{_OF_GRANT} AND s.status = 'paused'",
    Touches.WAITING_FOR_SENDER: _SQL.fragment("waiting_for_sender"),
    Touches.WITH_EMAILS_IN_DRAFTS: _SQL.fragment("with_emails_in_drafts"),
}
_AFFECTED = {
    touches: Statement(_SQL.fragment("affected", touches=condition), Affected)
    for touches, condition in _TOUCHES.items()
}


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
    """Record why a sequence cannot send. If the cause is on record, pause this sequence too. ``address``: its mailbox's."""
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
        case EventKind.TENANT_DISCONNECTED | EventKind.TENANT_LOST if sender.lost_with_tenant is not None:
            # On record since it ended, in the same transaction: only this sequence is new.
            version = sender.lost_with_tenant
            if missing.kind is EventKind.TENANT_DISCONNECTED:
                return TenantDisconnected(actor=_NOTICED_BY, tenant_version=version, mailboxes=1)
            return TenantLost(actor=_NOTICED_BY, tenant_version=version, mailboxes=1, reason=reason)
        case EventKind.MEMBER_DEACTIVATED if missing.member_id is not None:
            return MemberDeactivated(
                member_id=missing.member_id,
                person=_NAME.one(tx, id=missing.member_id),
                actor=_NOTICED_BY,
                mailbox=address,
                mailbox_id=mailbox_id,
                reason=reason,
            )
        case _:
            raise ValueError(f"{missing.kind} keeps no sequence from sending")


def pause_too(tx: Transaction, organization_id: UUID, cause_key: str, sequence_id: UUID) -> None:
    """Pause one more sequence for a cause on record: it started after the event's fan-out."""
    event_id = _OF_CAUSE.one(tx, organization_id=organization_id, cause_key=cause_key)
    outbox.put(tx, PauseSequence(event_id, sequence_id))


def load(tx: Transaction, event_id: UUID) -> Event | None:
    """Return an event, or None."""
    row = _LOAD.one_or_none(tx, id=event_id)
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


def recipient_for(tx: Transaction, sequence_id: UUID) -> UUID:
    """Return the member to notify about a sequence."""
    return _RECIPIENT_FOR.one(tx, id=sequence_id)


def affected(tx: Transaction, event: Event) -> list[Affected]:
    """Return the running or paused sequences that an event affects, each with the active member to notify."""
    names = ("mailbox_id", "grantee_id", "grant_id", "member_id", "sequence_id", "ends", "tenant_version")
    values = {name: event.payload.get(name) for name in names}
    return _AFFECTED[event.type.touches].all(tx, organization_id=event.organization_id, **values)


def paused_by(tx: Transaction, event: Event, *, since_resumed: bool = False) -> list[Affected]:
    """Return the sequences that an event paused and nobody has resumed, each with the active member to notify.

    ``since_resumed``: also those that somebody has resumed or archived since.
    """
    return _PAUSED_BY.all(tx, id=event.id, since_resumed=since_resumed)
