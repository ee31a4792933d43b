"""What each kind of event carries: one record a kind, so that whoever records an event leaves nothing out and adds nothing.

They are stored as JSON of strings. ``mailbox`` is an address, ``actor`` who did it as a notice names them, ``recipient`` who hears
of it in any case, ``incident`` what several events have in common, so that they are one notice.
"""

from dataclasses import dataclass
from uuid import UUID

from domain.events import EventKind, Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class OfMailbox(Payload):
    """About one mailbox."""

    mailbox: str
    mailbox_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ActOnMailbox(OfMailbox):
    """What somebody, or a provider, did to it."""

    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantEnded(ActOnMailbox):
    """A permission is over. ``grant_id`` None: noticed at the gate, of one sequence's owner."""

    grant_id: UUID | None = None
    grantee_id: UUID | None = None  # None: everyone
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRevoked(GrantEnded):
    """Somebody ended it."""

    kind = EventKind.GRANT_REVOKED


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantExpired(GrantEnded):
    """Its time has run out."""

    kind = EventKind.GRANT_EXPIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantMissing(ActOnMailbox):
    """There never was one."""

    kind = EventKind.GRANT_MISSING
    grantee_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxDisconnected(ActOnMailbox):
    """``reason``: removed or disabled."""

    kind = EventKind.MAILBOX_DISCONNECTED
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLost(ActOnMailbox):
    """``actor``: the provider. ``proved_by``: ``test_email`` where only that shows that it sends again."""

    kind = EventKind.CONNECTION_LOST
    reason: str
    proved_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberDeactivated(Payload):
    """The mailbox and the reason are those of the sequence at whose gate it was noticed."""

    kind = EventKind.MEMBER_DEACTIVATED
    member_id: UUID
    person: str
    actor: str
    mailbox: str | None = None
    mailbox_id: UUID | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SequencePaused(Payload):
    """``reason``: in the words of whoever paused it."""

    kind = EventKind.SEQUENCE_PAUSED
    sequence_id: UUID
    mailbox: str
    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryInReview(OfMailbox):
    """``review_reason``: the delivery's."""

    kind = EventKind.DELIVERY_IN_REVIEW
    sequence_id: UUID
    delivery_id: UUID
    person: str
    review_reason: str
    incident: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveriesFailed(Payload):
    """``reason``: in words. ``failed_reason``: the deliveries'."""

    kind = EventKind.DELIVERIES_FAILED
    mailbox: str
    sequence_id: UUID
    reason: str
    failed_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleBlocked(Payload):
    """``blocked_reason``: the enrollments'."""

    kind = EventKind.PEOPLE_BLOCKED
    mailbox: str
    sequence_id: UUID
    field: str
    blocked_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRefused(Payload):
    """``step``: its place, from 1. ``reason``: in words."""

    kind = EventKind.STEP_REFUSED
    mailbox: str
    sequence_id: UUID
    step: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxReconnected(ActOnMailbox):
    """``actor``: the provider where it came back by itself."""

    kind = EventKind.MAILBOX_RECONNECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxRenamed(ActOnMailbox):
    """``mailbox``: the new address. ``reason``: why we do not follow it."""

    kind = EventKind.MAILBOX_RENAMED
    before: str
    recipient: UUID | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantGiven(ActOnMailbox):
    """``grantee_id``, ``recipient``: None for everyone."""

    kind = EventKind.GRANT_GIVEN
    grant_id: UUID
    grantee_id: UUID | None = None
    recipient: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantEndsSoon(ActOnMailbox):
    """``grantee_id`` None: everyone's."""

    kind = EventKind.GRANT_ENDS_SOON
    grant_id: UUID
    grantee_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderAway(ActOnMailbox):
    """``grantee_id``: the owner of the sequences. ``ends``: ISO 8601, and ``until`` in words; None: nobody knows."""

    kind = EventKind.SENDER_AWAY
    grantee_id: UUID
    person: str
    ends: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminApproved(Payload):
    """``claimed``: somebody says so, and we could not try it."""

    kind = EventKind.ADMIN_APPROVED
    recipient: UUID
    claimed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantAsked(Payload):
    """``reason``: in the requester's words. ``program``: asked in their place; empty: they did."""

    kind = EventKind.GRANT_ASKED
    request_id: UUID
    mailbox: str
    person: str
    program: str
    reason: str
    recipient: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantDeclined(Payload):
    """To whoever asked."""

    kind = EventKind.GRANT_DECLINED
    mailbox: str
    actor: str
    recipient: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantToConfirm(ActOnMailbox):
    """``person``: the addresses of those who may send."""

    kind = EventKind.GRANT_TO_CONFIRM
    person: str
    recipient: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderAddressChanged(Payload):
    """``change``: what became of it, in a word."""

    kind = EventKind.SENDER_ADDRESS_CHANGED
    mailbox: str
    change: str
    actor: str
    recipient: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SentInYourName(Payload):
    """``lines``: who sent how much. ``ends``: a line for each permission that can be ended, its id and the person's name."""

    kind = EventKind.SENT_IN_YOUR_NAME
    mailbox: str
    recipient: UUID
    week: str
    lines: str
    ends: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingLimitReached(OfMailbox):
    """``until``: in words. ``unexplained``: the provider names no reason."""

    kind = EventKind.SENDING_LIMIT_REACHED
    provider: str
    until: str
    unexplained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StillInDrafts(OfMailbox):
    """Of a mailbox, while its oldest such email lies there."""

    kind = EventKind.STILL_IN_DRAFTS
    incident: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceSetBack(Payload):
    """``sequence``: its name."""

    kind = EventKind.SEQUENCE_SET_BACK
    sequence_id: UUID
    sequence: str
    actor: str
    recipient: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceHandedOver(Payload):
    """``person``, ``mailbox``: the addresses of its owner and its sender from now on. ``sequence``: its name."""

    kind = EventKind.SEQUENCE_HANDED_OVER
    mailbox: str
    person: str
    sequence: str
    actor: str
    recipient: UUID
