"""One record for each kind of event, so that whoever records an event neither omits nor adds anything.

They are stored as JSON of strings. ``mailbox`` is an address, ``actor`` who did it, as notices name them,
``recipient`` a member who is notified in any case, and ``incident`` what several events share that make one
notice.
"""

from dataclasses import dataclass
from uuid import UUID

from domain.events import EventKind, Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class OfMailbox(Payload):
    """An event about one mailbox."""

    mailbox: str
    mailbox_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ActOnMailbox(OfMailbox):
    """What a person or a provider did to a mailbox."""

    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxDisconnected(ActOnMailbox):
    """Somebody removed or disabled a mailbox; ``reason`` says which."""

    kind = EventKind.MAILBOX_DISCONNECTED
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLost(ActOnMailbox):
    """A provider (``actor``) no longer lets us send.

    ``proved_by``: ``test_email`` if only a test email shows that the mailbox sends again.
    """

    kind = EventKind.CONNECTION_LOST
    reason: str
    proved_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOfTenant(Payload):
    """The end of a tenant-wide connection, whose version it names. ``mailboxes``: how many it ended for."""

    actor: str
    tenant_version: int
    mailboxes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantDisconnected(EndOfTenant):
    """An owner or admin of the organization ended it."""

    kind = EventKind.TENANT_DISCONNECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantLost(EndOfTenant):
    """Microsoft refuses the application in the whole tenant."""

    kind = EventKind.TENANT_LOST
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberDeactivated(Payload):
    """A member was deactivated. Mailbox and reason are those of the sequence whose gate noticed it."""

    kind = EventKind.MEMBER_DEACTIVATED
    member_id: UUID
    person: str
    actor: str
    mailbox: str | None = None
    mailbox_id: UUID | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SequencePaused(Payload):
    """Somebody paused a sequence. ``reason``: in their own words."""

    kind = EventKind.SEQUENCE_PAUSED
    sequence_id: UUID
    mailbox: str
    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryInReview(OfMailbox):
    """A person has to decide about a delivery. ``review_reason``: the delivery's."""

    kind = EventKind.DELIVERY_IN_REVIEW
    sequence_id: UUID
    delivery_id: UUID
    person: str
    review_reason: str
    incident: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveriesFailed(Payload):
    """Emails of a sequence failed. ``reason``: for people. ``failed_reason``: the deliveries'."""

    kind = EventKind.DELIVERIES_FAILED
    mailbox: str
    sequence_id: UUID
    reason: str
    failed_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleBlocked(Payload):
    """People of a sequence lack a merge field. ``blocked_reason``: the enrollments'."""

    kind = EventKind.PEOPLE_BLOCKED
    mailbox: str
    sequence_id: UUID
    field: str
    blocked_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRefused(Payload):
    """A step cannot be sent to anybody. ``step``: its position, from 1. ``step_id``: former events have none. ``reason``: for people."""

    kind = EventKind.STEP_REFUSED
    mailbox: str
    sequence_id: UUID
    step: int
    step_id: UUID | None = None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxReconnected(ActOnMailbox):
    """A mailbox can send again. ``actor``: the provider, if it recovered without a person."""

    kind = EventKind.MAILBOX_RECONNECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxRenamed(ActOnMailbox):
    """An account has another address. ``mailbox``: the new one. ``reason``: why we do not follow it."""

    kind = EventKind.MAILBOX_RENAMED
    before: str
    recipient: UUID | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderAway(ActOnMailbox):
    """Emails wait for an absent sender. ``grantee_id``: the owner of the sequences.

    ``ends``: ISO 8601; ``until``: the same in words. Both are None if nobody knows.
    """

    kind = EventKind.SENDER_AWAY
    grantee_id: UUID
    person: str
    ends: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminApproved(Payload):
    """A tenant's administrator approved the app. ``claimed``: somebody says so, and we could not check it."""

    kind = EventKind.ADMIN_APPROVED
    recipient: UUID
    claimed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderAddressChanged(Payload):
    """A sender address changed. ``change``: how, in one word."""

    kind = EventKind.SENDER_ADDRESS_CHANGED
    mailbox: str
    change: str
    actor: str
    recipient: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SentInYourName(Payload):
    """A week of emails from a mailbox, for its owner. ``lines``: who sent how many.

    ``ends``: a line for each permission that can be ended: its id and the person's name.
    """

    kind = EventKind.SENT_IN_YOUR_NAME
    mailbox: str
    recipient: UUID
    week: str
    lines: str
    ends: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalsWaiting(Payload):
    """Emails that wait for an approval, for whoever has to read them. ``lines``: how many of which sequence."""

    kind = EventKind.APPROVALS_WAITING
    recipient: UUID
    count: int
    lines: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingLimitReached(OfMailbox):
    """A provider accepts no emails for now. ``until``: in words. ``unexplained``: it names no reason."""

    kind = EventKind.SENDING_LIMIT_REACHED
    provider: str
    until: str
    unexplained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxNotRead(OfMailbox):
    """A mailbox cannot be read, so nobody knows who answered. ``since``: in words."""

    kind = EventKind.MAILBOX_NOT_READ
    provider: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StillInDrafts(OfMailbox):
    """Accepted emails have not left a mailbox's Drafts. One incident lasts while the oldest of them is there."""

    kind = EventKind.STILL_IN_DRAFTS
    incident: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceSetBack(Payload):
    """A sequence is a draft again. ``sequence``: its name."""

    kind = EventKind.SEQUENCE_SET_BACK
    sequence_id: UUID
    sequence: str
    actor: str
    recipient: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceHandedOver(Payload):
    """A sequence (``sequence``: its name) has another owner or sender. ``person``, ``mailbox``: their addresses."""

    kind = EventKind.SEQUENCE_HANDED_OVER
    mailbox: str
    person: str
    sequence: str
    actor: str
    recipient: UUID
