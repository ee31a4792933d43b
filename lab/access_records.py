"""The rows of organizations, members, mailboxes and of what lets them in, as tests read them (``lab/tables.py``)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from db.schema import access_models as access
from db.schema import models
from lab.records import Record


@dataclass(frozen=True, slots=True)
class Organization(Record):
    """A customer, and the rules of its whole."""

    table = models.organizations
    name: str
    sending: Any
    approval_token: str | None
    sender_name: str


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


@dataclass(frozen=True, slots=True)
class Mailbox(Record):
    """An address that emails leave from."""

    table = models.mailboxes
    id: UUID
    owner_id: UUID | None
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
    unread_until: datetime | None
    checked_at: datetime | None

    @property
    def standing(self) -> tuple[str, str | None]:
        """Where it stands, and why."""
        return self.status, self.status_reason


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
    """When a mailbox may send next."""

    table = models.lanes
    mailbox_id: UUID
    epoch: int
    open: bool
    tokens: float
    retry_after_until: datetime | None
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
    """A member's wish for a grant."""

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
    """A URL that hears of events."""

    table = access.webhooks
    url: str | None
    sealed_url: bytes | None
    host: str
    secret: bytes


@dataclass(frozen=True, slots=True)
class WebhookCall(Record):
    """One event on its way to a webhook."""

    table = access.webhook_calls
    state: str
    attempts: int
    answer: str | None
    lease_until: datetime | None


@dataclass(frozen=True, slots=True)
class Subscription(Record):
    """Microsoft's promise to tell of new messages."""

    table = access.subscriptions
    subscription_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SubscriptionRequest(Record):
    """How asking for a subscription went."""

    table = access.subscription_requests
    minutes: int | None
    refusals: int
    retry_at: datetime | None


@dataclass(frozen=True, slots=True)
class OrganizationDomain(Record):
    """A domain that is known to be the organization's."""

    table = access.organization_domains
    domain: str
    known_by: str


@dataclass(frozen=True, slots=True)
class AddressProof(Record):
    """Whether somebody proved that they read a sender address."""

    table = access.address_proofs
    proven_at: datetime | None


@dataclass(frozen=True, slots=True)
class Errand(Record):
    """What a page asked a worker to do."""

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


@dataclass(frozen=True, slots=True)
class ApiKey(Record):
    """A program's key to the API."""

    table = access.api_keys
    name: str


@dataclass(frozen=True, slots=True)
class IdempotencyKey(Record):
    """A program's request that may come again."""

    table = access.idempotency_keys
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class Withdrawal(Record):
    """A no, and what it stopped."""

    table = access.withdrawals
    id: UUID
    stopped: int | None
    in_doubt: list[UUID]


@dataclass(frozen=True, slots=True)
class PageResult(Record):
    """What a page says once after a post."""

    table = access.page_results
    id: UUID


@dataclass(frozen=True, slots=True)
class SignIn(Record):
    """A browser that is at Microsoft now."""

    table = access.sign_ins
    flow: bytes


@dataclass(frozen=True, slots=True)
class LegalEntity(Record):
    """A part of an organization."""

    table = models.legal_entities
    id: UUID
