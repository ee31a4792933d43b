"""The product's rows as tests read them: one record per table, with the columns that somebody asks for (``lab/tables.py``)."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Column, Table

from db.schema import access_models as access
from db.schema import audit_models as audit
from db.schema import delivery_models as sending
from db.schema import models
from db.schema import sequence_models as outreach


class Record:
    """One row of ``table``; its fields are columns."""

    __slots__ = ()
    table: ClassVar[Table]


def columns_of(kind: type[Record]) -> list[Column[Any]]:
    """The columns that a record is read from, in its fields' order."""
    return [kind.table.c[each.name] for each in fields(kind)]  # type: ignore[arg-type]  # every subclass is a dataclass


@dataclass(frozen=True, slots=True)
class Organization(Record):
    """A customer, and the rules of its whole."""

    table = models.organizations
    id: UUID
    name: str
    time_zone: str
    sending: Any
    tenant_id: str | None
    approval_token: str | None
    sender_name: str
    digest_until: date | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Member(Record):
    """A person of an organization."""

    table = models.members
    id: UUID
    organization_id: UUID
    legal_entity_id: UUID | None
    name: str
    email: str
    role: str
    active: bool
    activity_version: int
    deactivated_at: datetime | None
    account_id: str | None
    awaits_approval_since: datetime | None


@dataclass(frozen=True, slots=True)
class Mailbox(Record):
    """An address that emails leave from."""

    table = models.mailboxes
    id: UUID
    organization_id: UUID
    owner_id: UUID | None
    legal_entity_id: UUID | None
    address: str
    provider: str
    status: str
    status_reason: str | None
    connection_version: int
    scopes: list[str]
    tenant_id: str | None
    account_id: str | None
    settings: Any
    refused_sending: str | None
    former_addresses: list[str]
    renamed_at: datetime | None
    settings_at: datetime | None
    reading_until: datetime | None
    unread_until: datetime | None
    checked_at: datetime | None
    connected_at: datetime | None
    disconnected_at: datetime | None

    @property
    def standing(self) -> tuple[str, str | None]:
        """Where it stands, and why."""
        return self.status, self.status_reason


@dataclass(frozen=True, slots=True)
class Credentials(Record):
    """A mailbox's tokens, sealed."""

    table = models.credentials
    mailbox_id: UUID
    organization_id: UUID
    version: int
    epoch: int
    access_token: bytes | None
    access_expires_at: datetime | None
    refresh_token: bytes | None
    updated_at: datetime
    refresh_not_before: datetime | None
    refused_at: datetime | None
    refused_code: str | None
    renewable: bool
    last_token: bytes | None
    last_token_until: datetime | None


@dataclass(frozen=True, slots=True)
class Lane(Record):
    """When a mailbox may send next."""

    table = models.lanes
    mailbox_id: UUID
    organization_id: UUID
    epoch: int
    open: bool
    tokens: float
    refilled_at: datetime
    retry_after_until: datetime | None
    wait_reason: str | None
    limited_since: datetime | None
    limited_at: datetime | None
    drafts_checked_at: datetime | None
    last_served_at: datetime | None
    next_due_at: datetime | None
    daily_cap: int
    zone: str
    sent_on: date | None
    sent_today: int
    slot_token: UUID | None
    slot_until: datetime | None
    testing_until: datetime | None


@dataclass(frozen=True, slots=True)
class Grant(Record):
    """A mailbox owner's permission to send."""

    table = models.grants
    id: UUID
    organization_id: UUID
    mailbox_id: UUID
    mailbox_owner_id: UUID
    grantee_id: UUID | None
    version: int
    expires_at: datetime | None
    sequence_ids: list[UUID] | None
    daily_limit: int | None
    used_on: date | None
    used_today: int
    given_at: datetime
    given_by_kind: str
    given_by: str
    confirmed_at: datetime | None
    archived_at: datetime | None
    archived_reason: str | None


@dataclass(frozen=True, slots=True)
class GrantRequest(Record):
    """A member's wish for a grant."""

    table = models.grant_requests
    id: UUID
    organization_id: UUID
    mailbox_id: UUID
    requester_id: UUID
    words: str
    program: str
    status: str
    grant_id: UUID | None
    created_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class SmtpSettings(Record):
    """How a mailbox's own server is reached."""

    table = access.smtp_settings
    mailbox_id: UUID
    provider: str
    organization_id: UUID
    host: str
    port: int
    encryption: str
    account: str
    password: bytes | None
    has_password: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Sequence(Record):
    """Emails to many people, and whether they go out."""

    table = outreach.sequences
    id: UUID
    organization_id: UUID
    owner_id: UUID
    mailbox_id: UUID
    name: str
    status: str
    version: int
    uses_sender_address: bool
    sending: Any
    fields: list[str]
    paused_cause: str | None
    paused_reason: str | None
    paused_at: datetime | None
    resumed_at: datetime | None
    set_back_at: datetime | None
    set_back_by: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Step(Record):
    """One email of a sequence, as a template."""

    table = outreach.steps
    id: UUID
    organization_id: UUID
    sequence_id: UUID
    position: int
    delay: str
    subject: str | None
    body: str
    version: int
    key: str | None
    former: Any
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Candidate(Record):
    """A person that emails are for."""

    table = outreach.candidates
    id: UUID
    organization_id: UUID
    email: str
    first_name: str
    last_name: str
    company: str
    title: str
    location: str
    fields: Any
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Enrollment(Record):
    """A candidate in a sequence."""

    table = outreach.enrollments
    id: UUID
    organization_id: UUID
    sequence_id: UUID
    candidate_id: UUID
    status: str
    reason: str | None
    passed: list[UUID]
    paused_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery(Record):
    """One step for one candidate."""

    table = sending.deliveries
    id: UUID
    organization_id: UUID
    enrollment_id: UUID
    sequence_id: UUID
    step_id: UUID
    mailbox_id: UUID
    state: str
    outcome: str | None
    reason: str | None
    due_at: datetime
    held: bool
    dispatch_no: int
    queued_at: datetime | None
    attempts: int
    failures: int
    first_failed_at: datetime | None
    releases: int
    lease_token: UUID | None
    lease_until: datetime | None
    epoch: int | None
    correlation_id: str | None
    draft_id: str | None
    recalled_draft: str | None
    internet_message_id: str | None
    conversation_id: str | None
    send_started_at: datetime | None
    grace_until: datetime | None
    reconcile_attempts: int
    authority: Any
    sent_at: datetime | None
    receipt_id: UUID | None
    left_check_at: datetime | None
    still_draft_at: datetime | None
    created_at: datetime

    @property
    def standing(self) -> tuple[str, str | None]:
        """Where it stands, and why."""
        return self.state, self.reason


@dataclass(frozen=True, slots=True)
class Receipt(Record):
    """The proof of an email that was sent."""

    table = sending.receipts
    delivery_id: UUID
    organization_id: UUID
    owner_id: UUID
    mailbox_id: UUID
    sender: str
    authority: str
    grant_id: UUID | None
    grant_version: int | None
    connection_version: int
    lane_epoch: int
    checks: Any
    template_version: str
    message_id: str | None
    internet_message_id: str | None
    conversation_id: str | None
    request_id: str | None
    known_by: str
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class Event(Record):
    """What happened, for notices and webhooks."""

    table = sending.events
    id: UUID
    organization_id: UUID
    kind: str
    cause_key: str
    actor_kind: str
    actor_id: str
    actor_name: str
    payload: Any
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Pause(Record):
    """A sequence that an event paused."""

    table = sending.pauses
    id: UUID
    organization_id: UUID
    sequence_id: UUID
    event_id: UUID
    cause_key: str
    reason: str
    people: int
    created_at: datetime
    resumed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Notice(Record):
    """What an owner hears, by one channel."""

    table = sending.notices
    id: UUID
    organization_id: UUID
    owner_id: UUID
    event_id: UUID
    cause_key: str
    channel: str
    title: str
    body: str
    links: Any
    mail_state: str | None
    created_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class OutboxJob(Record):
    """A job that a transaction left for a worker."""

    table = sending.outbox
    id: UUID
    kind: str
    dedupe_key: str
    payload: Any
    created_at: datetime
    available_at: datetime
    published_at: datetime | None
    done_at: datetime | None
    attempts: int
    parked_at: datetime | None


@dataclass(frozen=True, slots=True)
class AuditEntry(Record):
    """One line of the audit log."""

    table = audit.audit_entries
    id: UUID
    organization_id: UUID
    at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str
    action: str
    subject: str
    data: Any
    position: int | None
    hash: str | None
    key_id: str | None


@dataclass(frozen=True, slots=True)
class Webhook(Record):
    """A URL that hears of events."""

    table = access.webhooks
    id: UUID
    organization_id: UUID
    url: str | None
    sealed_url: bytes | None
    host: str
    url_code: bytes | None
    secret: bytes
    created_at: datetime
    removed_at: datetime | None


@dataclass(frozen=True, slots=True)
class WebhookCall(Record):
    """One event on its way to a webhook."""

    table = access.webhook_calls
    webhook_id: UUID
    event_id: UUID
    organization_id: UUID
    state: str
    attempts: int
    answer: str | None
    lease_until: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Subscription(Record):
    """Microsoft's promise to tell of new messages."""

    table = access.subscriptions
    mailbox_id: UUID
    organization_id: UUID
    subscription_id: str
    key_id: bytes
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SubscriptionRequest(Record):
    """How asking for a subscription went."""

    table = access.subscription_requests
    mailbox_id: UUID
    organization_id: UUID
    minutes: int | None
    refusals: int
    retry_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrganizationDomain(Record):
    """A domain that is known to be the organization's."""

    table = access.organization_domains
    organization_id: UUID
    domain: str
    known_by: str
    verified_at: datetime


@dataclass(frozen=True, slots=True)
class AddressProof(Record):
    """Whether somebody proved that they read a sender address."""

    table = access.address_proofs
    mailbox_id: UUID
    organization_id: UUID
    code_hash: bytes | None
    tries: int
    asked_at: datetime
    proven_at: datetime | None


@dataclass(frozen=True, slots=True)
class Errand(Record):
    """What a page asked a worker to do."""

    table = access.errands
    id: UUID
    organization_id: UUID
    kind: str
    subject_id: UUID
    detail: str
    actor_kind: str
    actor_id: str
    actor_name: str
    created_at: datetime
    begin_until: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    answer: Any


@dataclass(frozen=True, slots=True)
class Session(Record):
    """A browser that is signed in."""

    table = access.sessions
    token_hash: bytes
    organization_id: UUID
    member_id: UUID
    id: UUID
    browser: str
    refresh_token: bytes | None
    keeps_token: bool
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey(Record):
    """A program's key to the API."""

    table = access.api_keys
    id: UUID
    organization_id: UUID
    name: str
    key_hash: bytes
    scopes: list[str]
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class IdempotencyKey(Record):
    """A program's request that may come again."""

    table = access.idempotency_keys
    key: str
    request_hash: bytes
