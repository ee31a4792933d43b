"""Rows as ``lab/tables.py`` returns them: organizations, members, mailboxes, permissions, sessions and keys."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from db.mailboxes import mailboxes
from db.schema import access_models as access
from db.schema import hold_models, models, notice_models, number_models, operation_models, process_models
from lab.records import Record


@dataclass(frozen=True, slots=True)
class Organization(Record):
    """A customer."""

    table = models.organizations
    id: UUID
    name: str
    time_zone: str
    tenant_id: str | None
    sending: Any
    approval_token: str | None
    sender_name: str
    stop_scope: str
    away_days: int
    opt_out_line: str | None
    recontact_days: int
    unread_hours: int

    @property
    def answers(self) -> tuple[str, int, str | None]:
        """Return what follows from answers: the scope, days of an absence, and the opt-out line."""
        return self.stop_scope, self.away_days, self.opt_out_line


@dataclass(frozen=True, slots=True)
class Member(Record):
    """A person of an organization."""

    table = models.members
    id: UUID
    name: str
    email: str
    role: str
    active: bool
    account_id: str | None
    default_mailbox_id: UUID | None
    backup_id: UUID | None
    time_zone: str | None


@dataclass(frozen=True, slots=True)
class Mailbox(mailboxes.Mailbox, Record):
    """An address that emails leave from."""

    table = models.mailboxes
    settings: Any
    own_hours: Any
    former_addresses: list[str]
    renamed_at: datetime | None
    unread_until: datetime | None
    checked_at: datetime | None
    disconnected_at: datetime | None
    tenant_wide: Any

    @property
    def standing(self) -> tuple[str, str | None]:
        """Return its status and the reason."""
        return self.status, self.status_reason


@dataclass(frozen=True, slots=True)
class TenantConnection(Record):
    """An organization's tenant-wide Microsoft connection."""

    table = access.tenant_connections
    organization_id: UUID
    tenant_id: str
    status: str
    reason: str | None
    version: int


@dataclass(frozen=True, slots=True)
class Credentials(Record):
    """A mailbox's tokens, sealed."""

    table = models.credentials
    mailbox_id: UUID
    version: int
    access_token: bytes | None
    access_expires_at: datetime | None
    refresh_token: bytes | None
    last_token: bytes | None
    last_token_until: datetime | None


@dataclass(frozen=True, slots=True)
class Lane(Record):
    """The pace of one mailbox: open or not, and when it may send next."""

    table = models.lanes
    mailbox_id: UUID
    epoch: int
    open: bool
    tokens: float
    retry_after_until: datetime | None
    slot_token: UUID | None
    wait_reason: str | None
    next_due_at: datetime | None
    daily_cap: int
    zone: str
    sent_on: date | None
    sent_today: int
    testing_until: datetime | None


@dataclass(frozen=True, slots=True)
class Grant(Record):
    """A mailbox owner's permission to send."""

    table = models.grants
    id: UUID
    grantee_id: UUID | None
    sequence_ids: list[UUID] | None
    daily_limit: int | None
    used_today: int
    given_by_kind: str
    given_by: str
    confirmed_at: datetime | None
    archived_at: datetime | None
    archived_reason: str | None


@dataclass(frozen=True, slots=True)
class GrantRequest(Record):
    """A member's request for a grant."""

    table = models.grant_requests
    id: UUID


@dataclass(frozen=True, slots=True)
class SmtpSettings(Record):
    """How a mailbox's own server is reached."""

    table = access.smtp_settings
    mailbox_id: UUID
    provider: str
    password: bytes | None


@dataclass(frozen=True, slots=True)
class Webhook(Record):
    """A URL that is called with events."""

    table = access.webhooks
    id: UUID
    url: str | None
    sealed_url: bytes | None
    host: str
    secret: bytes


@dataclass(frozen=True, slots=True)
class WebhookCall(Record):
    """One event on its way to a webhook."""

    table = access.webhook_calls
    event_id: UUID
    state: str
    attempts: int
    answer: str | None
    lease_until: datetime | None


@dataclass(frozen=True, slots=True)
class Subscription(Record):
    """A subscription to a mailbox's change notifications."""

    table = access.subscriptions
    subscription_id: str
    folder: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SubscriptionRequest(Record):
    """How requests for a subscription went, and when to retry."""

    table = access.subscription_requests
    minutes: int | None
    refusals: int
    retry_at: datetime | None
    code: str | None


@dataclass(frozen=True, slots=True)
class OrganizationDomain(Record):
    """A verified domain of an organization."""

    table = access.organization_domains
    domain: str
    known_by: str


@dataclass(frozen=True, slots=True)
class AddressProof(Record):
    """Proof that somebody reads a sender address."""

    table = access.address_proofs
    proven_at: datetime | None


@dataclass(frozen=True, slots=True)
class Errand(Record):
    """Work that a web request left to a worker."""

    table = access.errands
    kind: str
    begun_at: datetime | None
    ended_at: datetime | None
    answer: Any


@dataclass(frozen=True, slots=True)
class Session(Record):
    """A browser that is signed in."""

    table = access.sessions
    token_hash: bytes
    id: UUID
    refresh_token: bytes | None
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey(Record):
    """A program's key to the API."""

    table = access.api_keys
    id: UUID
    name: str
    expires_at: datetime | None
    former_until: datetime | None


@dataclass(frozen=True, slots=True)
class IdempotencyKey(Record):
    """The key of a request that may be repeated."""

    table = access.idempotency_keys
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class Withdrawal(Record):
    """A withdrawal and what it stopped."""

    table = access.withdrawals
    id: UUID
    stopped: int | None
    in_doubt: list[UUID]


@dataclass(frozen=True, slots=True)
class PageResult(Record):
    """What a page shows once after a post."""

    table = access.page_results
    id: UUID


@dataclass(frozen=True, slots=True)
class SignIn(Record):
    """A sign-in that has not ended yet."""

    table = access.sign_ins
    flow: bytes


@dataclass(frozen=True, slots=True)
class LegalEntity(Record):
    """A legal entity of an organization."""

    table = models.legal_entities
    id: UUID
    name: str
    parent_id: UUID | None


@dataclass(frozen=True, slots=True)
class NoticeChannel(Record):
    """A member's chat channel."""

    table = notice_models.notice_channels
    id: UUID
    sealed_url: bytes | None
    removed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ChannelNotice(Record):
    """What was said in a channel, or is being said."""

    table = notice_models.channel_notices
    cause_key: str
    state: str
    lease_until: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ProcessRow(Record):
    """A process that has reported."""

    table = process_models.processes
    id: UUID
    kind: str
    queues: list[str]
    troubles: list[str]
    works: bool
    seen_at: datetime
    stopped_at: datetime | None


@dataclass(frozen=True, slots=True)
class HoldRow(Record):
    """A mailbox, an organization or everybody who sends nothing."""

    table = hold_models.holds
    id: UUID
    organization_id: UUID | None
    mailbox_id: UUID | None
    level: str
    held_by: str
    reason: str
    since: datetime
    until: datetime | None
    ended_at: datetime | None
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class Operator(Record):
    """A member who operates the installation."""

    table = operation_models.operators
    member_id: UUID
    account_id: str
    activity_version: int


@dataclass(frozen=True, slots=True)
class Measurement(Record):
    """How everything stood in a minute."""

    table = operation_models.measurements
    minute: datetime
    measured_at: datetime
    figures: Any
    details: Any


@dataclass(frozen=True, slots=True)
class NumbersCount(Record):
    """An organization whose numbers are counted ahead."""

    table = number_models.numbers_counts
    organization_id: UUID
    counted_at: datetime | None
