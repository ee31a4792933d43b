"""Facts that happened, and the one table of what follows from each.

An event's ``cause_key`` is the same for everyone who notices the same cause: a refused send, a health check
and the person who revoked all meet in it, so that one cause is one pause and one notice.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.jobs import NotifyOwner, PauseSequence


class EventKind(StrEnum):
    """What happened."""

    GRANT_REVOKED = "GrantRevoked"
    GRANT_EXPIRED = "GrantExpired"  # its time has run out
    GRANT_MISSING = "GrantMissing"  # noticed at the gate: there never was one
    MAILBOX_DISCONNECTED = "MailboxDisconnected"  # by a person
    CONNECTION_LOST = "ConnectionLost"  # by the provider
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
    SENDER_ADDRESS_CHANGED = "SenderAddressChanged"  # what the company's emails are sent from
    SENT_IN_YOUR_NAME = "SentInYourName"  # a week of it, for the mailbox's owner
    SENDING_LIMIT_REACHED = "SendingLimitReached"  # the provider's; it passes by itself
    STILL_IN_DRAFTS = "StillInDrafts"  # accepted, and minutes later it has not left
    GRANT_TO_CONFIRM = "GrantToConfirm"  # somebody else gave a permission in the mailbox owner's name
    SEQUENCE_SET_BACK = "SequenceSetBack"  # to draft
    SEQUENCE_HANDED_OVER = "SequenceHandedOver"  # it has another owner or sender


# The sequences that they touch stop.
PAUSING = frozenset(
    {
        EventKind.GRANT_REVOKED,
        EventKind.GRANT_EXPIRED,
        EventKind.GRANT_MISSING,
        EventKind.MAILBOX_DISCONNECTED,
        EventKind.CONNECTION_LOST,
        EventKind.MEMBER_DEACTIVATED,
        EventKind.SEQUENCE_PAUSED,
        EventKind.STEP_REFUSED,
    }
)
# About single emails: the notice names their people, and several events of one cause are one notice.
NAMES_PEOPLE = frozenset({EventKind.DELIVERY_IN_REVIEW, EventKind.STILL_IN_DRAFTS})


@dataclass(frozen=True, slots=True)
class Affected:
    """One sequence that an event touches, and the member to notify (an active one, whoever owns the sequence)."""

    sequence_id: UUID
    recipient: UUID


def follow_up(
    event_id: UUID, kind: EventKind, affected: Iterable[Affected], also: Iterable[UUID] = ()
) -> list[PauseSequence | NotifyOwner]:
    """The jobs of one event: one pause per sequence, then one notice per owner however many sequences.

    ``also``: who hears of it whether or not a sequence of theirs is touched.
    """
    touched = sorted(affected, key=lambda each: each.sequence_id)
    jobs: list[PauseSequence | NotifyOwner] = []
    if kind in PAUSING:
        jobs += [
            PauseSequence(event_id, sequence_id)
            for sequence_id in dict.fromkeys(a.sequence_id for a in touched)
        ]
    recipients = [*(a.recipient for a in touched), *also]
    return [*jobs, *(NotifyOwner(event_id, each) for each in dict.fromkeys(recipients))]


def mailbox_cause(mailbox_id: UUID, connection_version: int) -> str:
    """One connection ends once, whoever ends it."""
    return f"mailbox:{mailbox_id}:{connection_version}"


def grant_cause(grant_id: UUID, version: int) -> str:
    """One version of a grant ends once."""
    return f"grant:{grant_id}:{version}"


def missing_grant_cause(mailbox_id: UUID, owner_id: UUID) -> str:
    """There never was a grant to end."""
    return f"grant:none:{mailbox_id}:{owner_id}"


def step_cause(step_id: UUID, version: int) -> str:
    """One version of a step's text cannot be sent."""
    return f"step:{step_id}:{version}"


def member_cause(member_id: UUID, activity_version: int) -> str:
    """One deactivation of a member."""
    return f"member:{member_id}:{activity_version}"
