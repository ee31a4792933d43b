"""Facts that happened. ``domain/event_types.py`` says what follows from each.

Everybody who notices the same cause gives it the same ``cause_key``: a refused send, a health check and the
person who revoked. So one cause makes one pause and one notice.
"""

from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from typing import ClassVar
from uuid import UUID


class EventKind(StrEnum):
    """What happened."""

    GRANT_REVOKED = "GrantRevoked"
    GRANT_EXPIRED = "GrantExpired"  # it reached its end
    GRANT_MISSING = "GrantMissing"  # noticed at the gate: there never was one
    MAILBOX_DISCONNECTED = "MailboxDisconnected"  # by a person
    CONNECTION_LOST = "ConnectionLost"  # by the provider
    TENANT_DISCONNECTED = "TenantDisconnected"  # by an administrator: all mailboxes that are connected by it
    TENANT_LOST = "TenantLost"  # by Microsoft
    MEMBER_DEACTIVATED = "MemberDeactivated"
    SEQUENCE_PAUSED = "SequencePaused"  # by a person
    DELIVERY_IN_REVIEW = "DeliveryInReview"
    DELIVERIES_FAILED = "DeliveriesFailed"
    PEOPLE_BLOCKED = "PeopleBlocked"  # a merge field is empty
    STEP_REFUSED = "StepRefused"  # a step's text cannot be sent to anybody
    MAILBOX_RECONNECTED = "MailboxReconnected"
    MAILBOX_RENAMED = "MailboxRenamed"  # the account has another address now
    GRANT_GIVEN = "GrantGiven"
    GRANT_ENDS_SOON = "GrantEndsSoon"
    SENDER_AWAY = "SenderAway"  # automatic replies are on, and emails wait
    ADMIN_APPROVED = "AdminApproved"  # the tenant's administrator has approved the app
    GRANT_ASKED = "GrantAsked"  # somebody asks the mailbox's owner
    GRANT_DECLINED = "GrantDeclined"
    SENDER_ADDRESS_CHANGED = "SenderAddressChanged"  # what company sequences are sent from
    SENT_IN_YOUR_NAME = "SentInYourName"  # a week of it, for the mailbox's owner
    SENDING_LIMIT_REACHED = "SendingLimitReached"  # the provider's; it ends without a person
    MAILBOX_NOT_READ = "MailboxNotRead"  # for an hour, so follow-ups wait; it ends without a person
    STILL_IN_DRAFTS = "StillInDrafts"  # accepted, and not gone minutes later
    GRANT_TO_CONFIRM = "GrantToConfirm"  # somebody else gave a permission in the mailbox owner's name
    SEQUENCE_SET_BACK = "SequenceSetBack"  # to draft
    HANDOVER_ASKED = "HandoverAsked"  # somebody asks a member to take a sequence over
    HANDOVER_DECLINED = "HandoverDeclined"
    INCIDENT_UNREAD = "IncidentUnread"  # its owner has not read it, so somebody else hears of it
    DAILY_SUMMARY = "DailySummary"  # notices that a member has asked for once a day
    SEQUENCE_HANDED_OVER = "SequenceHandedOver"  # it has another owner or sender
    APPROVALS_WAITING = "ApprovalsWaiting"  # emails that wait for somebody's approval, once a day
    FIRST_EMAIL_WAITING = (
        "FirstEmailWaiting"  # on a permission; the mailbox's owner reads it before it leaves
    )
    CANDIDATE_ANSWERED = "CandidateAnswered"
    CANDIDATE_AWAY = "CandidateAway"  # a machine answered for them
    CANDIDATE_LEFT = "CandidateLeft"  # they no longer work there
    ADDRESS_BOUNCED = "AddressBounced"  # an email could not be delivered, and no other is tried
    CANDIDATE_OPTED_OUT = "CandidateOptedOut"
    OPT_OUT_PROPOSED = "OptOutProposed"  # their words sound like it; a person decides
    ANSWER_UNCLEAR = "AnswerUnclear"
    MAILBOX_HELD = "MailboxHeld"  # somebody stopped all sending from it, until it is released
    ORGANIZATION_HELD = "OrganizationHeld"
    SENDER_WROTE = "SenderWrote"  # the mailbox owner wrote to them by hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """The data of one event. A field that may be missing is None or False by default, and is then not stored."""

    kind: ClassVar[EventKind]

    def to_json(self) -> dict[str, str]:
        """The stored form, all values strings. Raises ``ValueError`` if a field that is needed has no value."""
        stored = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if value is None or value is False:
                if each.default is MISSING:
                    raise ValueError(f"{self.kind} needs a {each.name}")
                continue
            stored[each.name] = "yes" if value is True else str(value)
        return stored


@dataclass(frozen=True, slots=True)
class Affected:
    """One sequence that an event affects, and the member to notify: an active one, even if the owner is not."""

    sequence_id: UUID
    recipient: UUID


def mailbox_cause(mailbox_id: UUID, connection_version: int) -> str:
    """The cause key of a connection's end. It ends once, whoever ends it."""
    return f"mailbox:{mailbox_id}:{connection_version}"


def tenant_cause(version: int) -> str:
    """The cause key of the end of an organization's tenant-wide connection, one for each time that it was connected."""
    return f"tenant:{version}"


def grant_cause(grant_id: UUID, version: int) -> str:
    """The cause key of the end of one version of a grant."""
    return f"grant:{grant_id}:{version}"


def missing_grant_cause(mailbox_id: UUID, owner_id: UUID) -> str:
    """The cause key where there never was a grant to end."""
    return f"grant:none:{mailbox_id}:{owner_id}"


def step_cause(step_id: UUID, version: int) -> str:
    """The cause key of a step's text, in one version, that cannot be sent."""
    return f"step:{step_id}:{version}"


def member_cause(member_id: UUID, activity_version: int) -> str:
    """The cause key of one deactivation of a member."""
    return f"member:{member_id}:{activity_version}"
