"""What follows from each kind of event: what it pauses, whom it notifies and how, what webhooks send.

To add a kind, add its name (``domain/events.py``), its payload (``domain/event_payloads.py`` and beside it) and an entry here.
"""

from collections.abc import Callable, Mapping

from domain import (
    decision_notices,
    grant_payloads,
    handover_notices,
    handover_payloads,
    hold_notices,
    hold_payloads,
    incident_notices,
    incident_payloads,
    listening_notices,
    listening_payloads,
    mailbox_notices,
    notice_texts,
    tenant_notices,
)
from domain import event_payloads as payloads
from domain.event_rules import Also, EventType, Names, News, Touches, Webhook
from domain.events import EventKind
from domain.incidents import Recovery
from domain.notice import Facts, Notice
from domain.notice_preferences import Category

_HEARD = ("mailbox", "mailbox_id", "sequence_id", "enrollment_id", "candidate_id", "person", "message_id")


def _heard(
    payload: type[listening_payloads.Heard],
    notice: Callable[[Facts], Notice],
    webhook: str,
    *more: str,
    also: tuple[Also, ...] = (Also.MAILBOX_OWNER,),
    category: Category = Category.ANSWERS,
) -> EventType:
    """What came in from one person: the sequence's owner hears of it, and the mailbox's."""
    fields = (*_HEARD, *more)
    return EventType(
        payload, notice, Touches.SEQUENCE, also=also, category=category, webhook=Webhook(webhook, fields)
    )


_TENANT_DISCONNECTED = EventType(
    payloads.TenantDisconnected, tenant_notices.disconnected, Touches.TENANT,
    "the connection to your organization's Microsoft mailboxes was ended", (Also.MAILBOX_OWNERS_OF_TENANT, Also.ADMINS),
    webhook=Webhook("tenant.disconnected", ("mailboxes",)), category=Category.STOPPED, recovery=Recovery.TENANT_WORKS,
)  # fmt: skip
_TENANT_LOST = EventType(
    payloads.TenantLost, tenant_notices.lost, Touches.TENANT,
    "Microsoft no longer lets us into your organization's mailboxes", (Also.MAILBOX_OWNERS_OF_TENANT, Also.ADMINS),
    webhook=Webhook("tenant.lost", ("mailboxes", "reason")), category=Category.STOPPED, recovery=Recovery.TENANT_WORKS,
)  # fmt: skip
_TYPES = (
    EventType(
        grant_payloads.GrantRevoked,
        notice_texts.grant_revoked,
        Touches.UNAUTHORIZED,
        "the permission to send from {mailbox} has ended",
        also=(Also.MAILBOX_OWNER_OF_GRANT, Also.GRANTEE),
        webhook=Webhook("permission.ended", ("mailbox", "mailbox_id", "grant_id", "reason")),
        category=Category.STOPPED,
        recovery=Recovery.RESUMED,
    ),
    EventType(
        grant_payloads.GrantExpired,
        notice_texts.grant_expired,
        Touches.UNAUTHORIZED,
        "the permission to send from {mailbox} has expired",
        also=(Also.GRANTEE,),
        webhook=Webhook("permission.expired", ("mailbox", "mailbox_id", "grant_id", "reason")),
        category=Category.STOPPED,
        recovery=Recovery.RESUMED,
    ),
    EventType(
        grant_payloads.GrantMissing,
        notice_texts.grant_missing,
        Touches.UNAUTHORIZED,
        "there is no permission to send from {mailbox}",
        webhook=Webhook("permission.missing", ("mailbox", "mailbox_id", "reason")),
        category=Category.STOPPED,
        recovery=Recovery.RESUMED,
    ),
    EventType(
        payloads.MailboxDisconnected,
        mailbox_notices.cannot_send,
        Touches.MAILBOX,
        "{mailbox} was disconnected",
        also=(Also.MAILBOX_OWNER, Also.ADMINS_OF_SENDER_ADDRESS, Also.GRANTEES_OF_MAILBOX),
        webhook=Webhook("mailbox.disconnected", ("mailbox", "mailbox_id", "reason")),
        category=Category.STOPPED,
        recovery=Recovery.MAILBOX_WORKS,
    ),
    EventType(
        payloads.ConnectionLost,
        mailbox_notices.cannot_send,
        Touches.MAILBOX,
        "the mail provider no longer lets us send from {mailbox}",
        also=(Also.MAILBOX_OWNER, Also.ADMINS_OF_SENDER_ADDRESS),
        webhook=Webhook("mailbox.lost", ("mailbox", "mailbox_id", "reason")),
        category=Category.STOPPED,
        recovery=Recovery.MAILBOX_WORKS,
    ),
    _TENANT_DISCONNECTED,
    _TENANT_LOST,
    EventType(
        payloads.MemberDeactivated,
        notice_texts.member_left,
        Touches.MEMBER,
        "a member it depends on was deactivated",
        also=(Also.GRANTEES_OF_MEMBER,),
        webhook=Webhook("member.deactivated", ("mailbox", "mailbox_id", "member_id", "person", "reason")),
        category=Category.STOPPED,
        recovery=Recovery.RESUMED,
    ),
    EventType(
        payloads.SequencePaused,
        notice_texts.sequence_paused,
        Touches.SEQUENCE,
        "somebody paused the sequence",
        category=Category.STOPPED,
        webhook=Webhook("sequence.paused", ("mailbox", "sequence_id", "reason")),
    ),
    EventType(
        payloads.DeliveryInReview,
        decision_notices.did_it_leave,
        Touches.SEQUENCE,
        names=Names.IN_REVIEW,
        category=Category.DECISIONS,
        webhook=Webhook(
            "delivery.in_review", ("mailbox", "mailbox_id", "sequence_id", "delivery_id", "person")
        ),
    ),
    EventType(
        payloads.DeliveriesFailed,
        decision_notices.deliveries_failed,
        Touches.SEQUENCE,
        names=Names.FAILED,
        category=Category.DECISIONS,
    ),
    EventType(
        payloads.PeopleBlocked,
        decision_notices.people_blocked,
        Touches.SEQUENCE,
        names=Names.BLOCKED,
        category=Category.DECISIONS,
    ),
    EventType(
        payloads.StepRefused,
        decision_notices.step_refused,
        Touches.SEQUENCE,
        "the text of a step cannot be sent as it is",
        webhook=Webhook("sequence.step_refused", ("mailbox", "sequence_id", "reason")),
        category=Category.STOPPED,
        recovery=Recovery.RESUMED,
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
    EventType(grant_payloads.GrantGiven, notice_texts.grant_given, Touches.PAUSED_OF_GRANT),
    EventType(grant_payloads.GrantEndsSoon, notice_texts.grant_ends_soon, Touches.RUNNING_OF_GRANT),
    EventType(
        payloads.SenderAway,
        mailbox_notices.sender_away,
        Touches.WAITING_FOR_SENDER,
        news=News.WHILE_IT_TOUCHES,
    ),
    EventType(payloads.AdminApproved, notice_texts.admin_approved, Touches.NOBODY),
    EventType(
        grant_payloads.GrantAsked, notice_texts.grant_asked, Touches.NOBODY, category=Category.DECISIONS
    ),
    EventType(grant_payloads.GrantDeclined, notice_texts.grant_declined, Touches.NOBODY),
    EventType(
        grant_payloads.GrantToConfirm,
        notice_texts.grant_to_confirm,
        Touches.NOBODY,
        category=Category.DECISIONS,
    ),
    EventType(
        grant_payloads.FirstEmailWaiting,
        notice_texts.first_email_waiting,
        Touches.NOBODY,
        category=Category.DECISIONS,
    ),
    EventType(
        payloads.SenderAddressChanged,
        mailbox_notices.sender_address_changed,
        Touches.NOBODY,
        news=News.TO_EVERYBODY,
    ),
    EventType(payloads.SentInYourName, notice_texts.sent_in_your_name, Touches.NOBODY),
    EventType(
        payloads.ApprovalsWaiting,
        notice_texts.approvals_waiting,
        Touches.NOBODY,
        category=Category.DECISIONS,
    ),
    EventType(
        payloads.SendingLimitReached,
        mailbox_notices.limit_reached,
        Touches.RUNNING_OF_MAILBOX,
        category=Category.STOPPED,
        recovery=Recovery.PROVIDER_ACCEPTS,
    ),
    EventType(
        payloads.MailboxNotRead,
        mailbox_notices.not_read,
        Touches.RUNNING_OF_MAILBOX,
        category=Category.STOPPED,
        recovery=Recovery.MAILBOX_READ,
    ),
    EventType(
        incident_payloads.IncidentUnread,
        incident_notices.incident_unread,
        Touches.NOBODY,
        news=News.TO_EVERYBODY,
        category=Category.STOPPED,
    ),
    EventType(
        incident_payloads.DailySummary,
        incident_notices.daily_summary,
        Touches.NOBODY,
        names=Names.SUMMARIZED,
        news=News.TO_EVERYBODY,
        only_by_email=True,
    ),
    EventType(
        payloads.StillInDrafts,
        mailbox_notices.still_in_drafts,
        Touches.WITH_EMAILS_IN_DRAFTS,
        names=Names.IN_DRAFTS,
        category=Category.STOPPED,
        recovery=Recovery.LEFT_DRAFTS,
    ),
    EventType(
        hold_payloads.MailboxHeld,
        hold_notices.mailbox_held,
        Touches.RUNNING_OF_MAILBOX,
        also=(Also.MAILBOX_OWNER, Also.ADMINS_OF_SENDER_ADDRESS),
        webhook=Webhook("mailbox.held", ("mailbox", "mailbox_id", "reason")),
        category=Category.STOPPED,
        recovery=Recovery.RELEASED,
    ),
    EventType(
        hold_payloads.OrganizationHeld,
        hold_notices.organization_held,
        Touches.RUNNING_OF_ORGANIZATION,
        also=(Also.MAILBOX_OWNERS_OF_ORGANIZATION,),
        webhook=Webhook("organization.held", ("reason",)),
        category=Category.STOPPED,
        recovery=Recovery.RELEASED,
    ),
    EventType(
        payloads.SequenceSetBack, notice_texts.sequence_set_back, Touches.NOBODY, category=Category.STOPPED
    ),
    EventType(payloads.SequenceHandedOver, notice_texts.sequence_handed_over, Touches.NOBODY),
    EventType(
        handover_payloads.HandoverAsked,
        handover_notices.handover_asked,
        Touches.NOBODY,
        category=Category.DECISIONS,
    ),
    EventType(handover_payloads.HandoverDeclined, handover_notices.handover_declined, Touches.NOBODY),
    _heard(
        listening_payloads.CandidateAnswered,
        listening_notices.candidate_answered,
        "candidate.answered",
        "from_address",
    ),
    _heard(listening_payloads.CandidateAway, listening_notices.candidate_away, "candidate.away", "until"),
    _heard(listening_payloads.CandidateLeft, listening_notices.candidate_left, "candidate.left"),
    _heard(
        listening_payloads.AddressBounced,
        listening_notices.address_bounced,
        "address.bounced",
        "address",
        "status",
    ),
    _heard(
        listening_payloads.CandidateOptedOut, listening_notices.candidate_opted_out, "candidate.opted_out"
    ),
    _heard(
        listening_payloads.OptOutProposed,
        listening_notices.opt_out_proposed,
        "candidate.opt_out_proposed",
        "words",
        category=Category.DECISIONS,
    ),
    _heard(
        listening_payloads.AnswerUnclear,
        listening_notices.answer_unclear,
        "candidate.answer_unclear",
        "until",
        category=Category.DECISIONS,
    ),
    # The mailbox owner has done it.
    _heard(listening_payloads.SenderWrote, listening_notices.sender_wrote, "candidate.sender_wrote", also=()),
)
EVENT_TYPES: Mapping[EventKind, EventType] = {each.payload.kind: each for each in _TYPES}
PAUSED_BECAUSE = {
    kind: each.paused_because for kind, each in EVENT_TYPES.items() if each.paused_because is not None
} | {EventKind.SEQUENCE_HANDED_OVER: "it was handed over"}  # the hand-over itself pauses it
# What webhooks may choose from.
WEBHOOK_TYPES = sorted({each.webhook.type for each in EVENT_TYPES.values() if each.webhook is not None})
