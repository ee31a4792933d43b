"""What follows from each kind of event: what it pauses, whom it notifies and how, what webhooks send.

To add a kind, add its name (``domain/events.py``), its payload (``domain/event_payloads.py``) and an entry here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from domain import event_payloads as payloads
from domain import mailbox_notices, notice_texts
from domain.events import EventKind, Payload
from domain.notice import Facts, Notice


class Touches(Enum):
    """Which sequences an event affects, active or paused. ``db/events/events.py`` finds them."""

    NOBODY = auto()  # the event has one recipient, regardless of sequences
    SEQUENCE = auto()
    MAILBOX = auto()
    RUNNING_OF_MAILBOX = auto()
    PAUSED_OF_MAILBOX = auto()
    MEMBER = auto()  # the sequences they own, and those that send from their mailboxes
    # The sequences of the people the ended permission was for, unless they may send on another authority.
    UNAUTHORIZED = auto()
    RUNNING_OF_GRANT = auto()
    PAUSED_OF_GRANT = auto()
    WAITING_FOR_SENDER = auto()
    WITH_EMAILS_IN_DRAFTS = auto()


class Also(Enum):
    """Who is notified besides the owners of the affected sequences."""

    MAILBOX_OWNER = auto()
    MAILBOX_OWNER_OF_GRANT = auto()
    MAILBOX_OWNER_IF_BY_ITSELF = auto()  # only if it recovered on its own; a person who connects it knows
    ADMINS_OF_SENDER_ADDRESS = auto()
    GRANTEE = auto()
    GRANTEES_OF_MAILBOX = auto()
    GRANTEES_OF_MEMBER = auto()


class Names(Enum):
    """Which people the notice names."""

    NOBODY = auto()
    BLOCKED = auto()
    FAILED = auto()
    # These are about single emails: several events of one cause are one notice.
    IN_REVIEW = auto()
    IN_DRAFTS = auto()


class News(Enum):
    """Who is notified, and for how long the event is news."""

    TO_OTHERS = auto()  # nobody is notified of their own act
    TO_EVERYBODY = auto()  # the actor too: if it was not really them, this is how they find out
    TO_RESUME = auto()  # the actor too, while they have sequences to resume
    WHILE_IT_TOUCHES = auto()


@dataclass(frozen=True, slots=True)
class Webhook:
    """The webhook's type, and the payload fields it sends. Every webhook also says who acted and what was paused."""

    type: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventType:
    """Everything about one kind of event. ``paused_because``: a clause, or None if the event pauses nothing."""

    payload: type[Payload]
    notice: Callable[[Facts], Notice]
    touches: Touches
    paused_because: str | None = None
    also: tuple[Also, ...] = ()
    names: Names = Names.NOBODY
    news: News = News.TO_OTHERS
    webhook: Webhook | None = None

    @property
    def pauses(self) -> bool:
        """Does it pause the sequences it affects?"""
        return self.paused_because is not None

    @property
    def about_emails(self) -> bool:
        """Is it about individual emails?"""
        return self.names in (Names.IN_REVIEW, Names.IN_DRAFTS)

    @property
    def passes(self) -> bool:
        """Can it be over before anybody is notified?"""
        return self.pauses or self.about_emails or self.news in (News.TO_RESUME, News.WHILE_IT_TOUCHES)


_TYPES = (
    EventType(
        payloads.GrantRevoked,
        notice_texts.grant_revoked,
        Touches.UNAUTHORIZED,
        "the permission to send from {mailbox} has ended",
        also=(Also.MAILBOX_OWNER_OF_GRANT, Also.GRANTEE),
        webhook=Webhook("permission.ended", ("mailbox", "mailbox_id", "grant_id", "reason")),
    ),
    EventType(
        payloads.GrantExpired,
        notice_texts.grant_expired,
        Touches.UNAUTHORIZED,
        "the permission to send from {mailbox} has expired",
        also=(Also.GRANTEE,),
        webhook=Webhook("permission.expired", ("mailbox", "mailbox_id", "grant_id", "reason")),
    ),
    EventType(
        payloads.GrantMissing,
        notice_texts.grant_missing,
        Touches.UNAUTHORIZED,
        "there is no permission to send from {mailbox}",
        webhook=Webhook("permission.missing", ("mailbox", "mailbox_id", "reason")),
    ),
    EventType(
        payloads.MailboxDisconnected,
        mailbox_notices.cannot_send,
        Touches.MAILBOX,
        "{mailbox} was disconnected",
        also=(Also.MAILBOX_OWNER, Also.ADMINS_OF_SENDER_ADDRESS, Also.GRANTEES_OF_MAILBOX),
        webhook=Webhook("mailbox.disconnected", ("mailbox", "mailbox_id", "reason")),
    ),
    EventType(
        payloads.ConnectionLost,
        mailbox_notices.cannot_send,
        Touches.MAILBOX,
        "the mail provider no longer lets us send from {mailbox}",
        also=(Also.MAILBOX_OWNER, Also.ADMINS_OF_SENDER_ADDRESS),
        webhook=Webhook("mailbox.lost", ("mailbox", "mailbox_id", "reason")),
    ),
    EventType(
        payloads.MemberDeactivated,
        notice_texts.member_left,
        Touches.MEMBER,
        "a member it depends on was deactivated",
        also=(Also.GRANTEES_OF_MEMBER,),
        webhook=Webhook("member.deactivated", ("mailbox", "mailbox_id", "member_id", "person", "reason")),
    ),
    EventType(
        payloads.SequencePaused,
        notice_texts.sequence_paused,
        Touches.SEQUENCE,
        "somebody paused the sequence",
        webhook=Webhook("sequence.paused", ("mailbox", "sequence_id", "reason")),
    ),
    EventType(
        payloads.DeliveryInReview,
        notice_texts.did_it_leave,
        Touches.SEQUENCE,
        names=Names.IN_REVIEW,
        webhook=Webhook(
            "delivery.in_review", ("mailbox", "mailbox_id", "sequence_id", "delivery_id", "person")
        ),
    ),
    EventType(
        payloads.DeliveriesFailed, notice_texts.deliveries_failed, Touches.SEQUENCE, names=Names.FAILED
    ),
    EventType(payloads.PeopleBlocked, notice_texts.people_blocked, Touches.SEQUENCE, names=Names.BLOCKED),
    EventType(
        payloads.StepRefused,
        notice_texts.step_refused,
        Touches.SEQUENCE,
        "the text of a step cannot be sent as it is",
        webhook=Webhook("sequence.step_refused", ("mailbox", "sequence_id", "reason")),
    ),
    EventType(
        payloads.MailboxReconnected,
        mailbox_notices.works_again,
        Touches.PAUSED_OF_MAILBOX,
        also=(Also.MAILBOX_OWNER_IF_BY_ITSELF,),
        news=News.TO_RESUME,
        webhook=Webhook("mailbox.connected", ("mailbox", "mailbox_id")),
    ),
    EventType(
        payloads.MailboxRenamed, mailbox_notices.renamed, Touches.MAILBOX, news=News.TO_EVERYBODY
    ),  # no member has done it
    EventType(payloads.GrantGiven, notice_texts.grant_given, Touches.PAUSED_OF_GRANT),
    EventType(payloads.GrantEndsSoon, notice_texts.grant_ends_soon, Touches.RUNNING_OF_GRANT),
    EventType(
        payloads.SenderAway,
        mailbox_notices.sender_away,
        Touches.WAITING_FOR_SENDER,
        news=News.WHILE_IT_TOUCHES,
    ),
    EventType(payloads.AdminApproved, notice_texts.admin_approved, Touches.NOBODY),
    EventType(payloads.GrantAsked, notice_texts.grant_asked, Touches.NOBODY),
    EventType(payloads.GrantDeclined, notice_texts.grant_declined, Touches.NOBODY),
    EventType(payloads.GrantToConfirm, notice_texts.grant_to_confirm, Touches.NOBODY),
    EventType(
        payloads.SenderAddressChanged,
        mailbox_notices.sender_address_changed,
        Touches.NOBODY,
        news=News.TO_EVERYBODY,
    ),
    EventType(payloads.SentInYourName, notice_texts.sent_in_your_name, Touches.NOBODY),
    EventType(payloads.SendingLimitReached, mailbox_notices.limit_reached, Touches.RUNNING_OF_MAILBOX),
    EventType(
        payloads.StillInDrafts,
        mailbox_notices.still_in_drafts,
        Touches.WITH_EMAILS_IN_DRAFTS,
        names=Names.IN_DRAFTS,
    ),
    EventType(payloads.SequenceSetBack, notice_texts.sequence_set_back, Touches.NOBODY),
    EventType(payloads.SequenceHandedOver, notice_texts.sequence_handed_over, Touches.NOBODY),
)
EVENT_TYPES: Mapping[EventKind, EventType] = {each.payload.kind: each for each in _TYPES}
PAUSED_BECAUSE = {
    kind: each.paused_because for kind, each in EVENT_TYPES.items() if each.paused_because is not None
}
