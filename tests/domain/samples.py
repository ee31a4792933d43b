"""One event of each kind as it would be recorded, and its notice as a recipient sees it.

``python -m tests.domain.samples > tests/domain/notices.txt`` writes the notices again after their texts changed.
"""

from dataclasses import fields, replace
from typing import Any
from uuid import UUID

from domain import event_payloads as payloads
from domain import (
    grant_payloads,
    hold_payloads,
    incident_payloads,
)
from domain import (
    handover_payloads as handovers,
)
from domain import listening_payloads as listening
from domain.connection import REFUSED_BY, Provider
from domain.event_types import EVENT_TYPES
from domain.events import EventKind, Payload
from domain.notice import Facts, Notice, TouchedSequence

MAILBOX, SEQUENCE, MEMBER, GRANT, DELIVERY, REQUEST, RECIPIENT, ENROLLMENT, CANDIDATE, MESSAGE = (
    UUID(int=each) for each in range(1, 11)
)
STEP = UUID(int=11)
ADDRESS = "hans@acme.example"
HEARD: dict[str, Any] = {
    "mailbox": ADDRESS,
    "mailbox_id": MAILBOX,
    "sequence_id": SEQUENCE,
    "sequence": "Engineers",
    "enrollment_id": ENROLLMENT,
    "candidate_id": CANDIDATE,
    "person": "Ada Byron",
    "message_id": MESSAGE,
}
_ALL: tuple[Payload, ...] = (
    grant_payloads.GrantRevoked(
        mailbox=ADDRESS, mailbox_id=MAILBOX, actor="Hans Holder", grant_id=GRANT, grantee_id=MEMBER
    ),
    grant_payloads.GrantExpired(
        mailbox=ADDRESS, mailbox_id=MAILBOX, actor="onbehalf", grant_id=GRANT, grantee_id=MEMBER
    ),
    grant_payloads.GrantMissing(
        mailbox=ADDRESS, mailbox_id=MAILBOX, actor="Onbehalf", grantee_id=MEMBER, reason="grant_missing"
    ),
    payloads.MailboxDisconnected(mailbox=ADDRESS, mailbox_id=MAILBOX, actor="Hans Holder", reason="removed"),
    payloads.ConnectionLost(mailbox=ADDRESS, mailbox_id=MAILBOX, actor="Microsoft", reason="sign_in_expired"),
    payloads.TenantDisconnected(actor="Olga Owner", tenant_version=1, mailboxes=12),
    payloads.TenantLost(actor="Microsoft", tenant_version=2, mailboxes=12, reason="tenant_refused"),
    payloads.MemberDeactivated(member_id=MEMBER, person="Rita Recruiter", actor="Olga Owner"),
    payloads.SequencePaused(
        sequence_id=SEQUENCE, mailbox=ADDRESS, actor="Olga Owner", reason="the offer has changed"
    ),
    payloads.DeliveryInReview(
        mailbox=ADDRESS,
        mailbox_id=MAILBOX,
        sequence_id=SEQUENCE,
        delivery_id=DELIVERY,
        person="Ada Byron",
        review_reason="trace_missing",
        incident="review:1",
    ),
    payloads.DeliveriesFailed(
        mailbox=ADDRESS,
        sequence_id=SEQUENCE,
        reason="The address is refused.",
        failed_reason="recipient_rejected",
    ),
    payloads.PeopleBlocked(
        mailbox=ADDRESS,
        sequence_id=SEQUENCE,
        field="first_name",
        blocked_reason="missing_merge_field: first_name",
    ),
    payloads.StepRefused(
        mailbox=ADDRESS,
        sequence_id=SEQUENCE,
        step=2,
        step_id=STEP,
        reason="Microsoft refuses the subject.",
    ),
    payloads.MailboxReconnected(mailbox=ADDRESS, mailbox_id=MAILBOX, actor="Microsoft"),
    payloads.MailboxRenamed(
        mailbox="hans.holder@acme.example",
        mailbox_id=MAILBOX,
        before=ADDRESS,
        actor="Microsoft",
        recipient=RECIPIENT,
    ),
    grant_payloads.GrantGiven(
        mailbox=ADDRESS,
        mailbox_id=MAILBOX,
        actor="Hans Holder",
        grant_id=GRANT,
        grantee_id=RECIPIENT,
        recipient=RECIPIENT,
    ),
    grant_payloads.GrantEndsSoon(
        mailbox=ADDRESS, mailbox_id=MAILBOX, grant_id=GRANT, actor="Onbehalf", grantee_id=MEMBER
    ),
    payloads.SenderAway(
        mailbox=ADDRESS,
        mailbox_id=MAILBOX,
        grantee_id=MEMBER,
        person="Hans Holder",
        actor="Onbehalf",
        ends="2026-12-01T08:00:00+00:00",
        until="Tue 1 Dec, 09:00",
    ),
    payloads.AdminApproved(recipient=RECIPIENT),
    grant_payloads.GrantAsked(
        request_id=REQUEST,
        mailbox=ADDRESS,
        person="Rita Recruiter",
        program="",
        reason="For the engineers.",
        recipient=RECIPIENT,
    ),
    grant_payloads.GrantDeclined(mailbox=ADDRESS, actor="Hans Holder", recipient=RECIPIENT),
    grant_payloads.GrantToConfirm(
        mailbox=ADDRESS,
        mailbox_id=MAILBOX,
        person="rita@acme.example",
        actor="operator olga",
        recipient=RECIPIENT,
    ),
    grant_payloads.FirstEmailWaiting(
        grant_id=GRANT,
        mailbox=ADDRESS,
        person="Rita Recruiter",
        sequence="Engineers",
        recipient=RECIPIENT,
    ),
    payloads.SenderAddressChanged(
        mailbox="jobs@acme.example", change="set", actor="Olga Owner", recipient=RECIPIENT
    ),
    payloads.ApprovalsWaiting(
        recipient=RECIPIENT, count=13, lines="- Engineers: 12 emails\n- Designers: 1 email"
    ),
    payloads.SentInYourName(
        mailbox=ADDRESS,
        recipient=RECIPIENT,
        week="23 November to 29 November 2026",
        lines="- Rita Recruiter: 2 emails in Engineers",
        ends=f"{GRANT} Rita Recruiter",
    ),
    payloads.SendingLimitReached(
        mailbox=ADDRESS,
        mailbox_id=MAILBOX,
        provider="Microsoft",
        until="10:30 on 29 November (Europe/Berlin)",
    ),
    payloads.MailboxNotRead(
        mailbox=ADDRESS,
        mailbox_id=MAILBOX,
        provider="Microsoft",
        since="09:30 on 29 November (Europe/Berlin)",
    ),
    payloads.StillInDrafts(mailbox=ADDRESS, mailbox_id=MAILBOX, incident="still_in_drafts:1"),
    payloads.SequenceSetBack(
        sequence_id=SEQUENCE, sequence="Engineers", actor="Olga Owner", recipient=RECIPIENT
    ),
    incident_payloads.IncidentUnread(
        notice_id=MESSAGE, person="Rita Recruiter", title=f"{ADDRESS} cannot send", recipient=RECIPIENT
    ),
    incident_payloads.DailySummary(
        day="Sun 29 Nov", count=2, notices=f"{MESSAGE} {SEQUENCE}", recipient=RECIPIENT
    ),
    payloads.SequenceHandedOver(
        mailbox=ADDRESS,
        person="rita@acme.example",
        sequence="Engineers",
        actor="Olga Owner",
        recipient=RECIPIENT,
    ),
    handovers.HandoverAsked(
        request_id=REQUEST,
        sequence="Engineers",
        actor="Olga Owner",
        reason="I am away from May.",
        recipient=RECIPIENT,
    ),
    handovers.HandoverDeclined(
        sequence_id=SEQUENCE, sequence="Engineers", actor="Rita Recruiter", recipient=RECIPIENT
    ),
    listening.CandidateAnswered(**HEARD, others=2),
    listening.CandidateAway(**HEARD, until="Thu 3 Dec"),
    listening.CandidateLeft(**HEARD),
    listening.AddressBounced(**HEARD, address="ada@byron.example", status="5.1.1"),
    listening.CandidateOptedOut(**HEARD),
    listening.OptOutProposed(**HEARD, words="Please take me off your list."),
    listening.AnswerUnclear(
        **HEARD,
        reason="It came 20 seconds after our email and has none of the signs of an automatic reply.",
        until="Mon 30 Nov, 14:02",
    ),
    hold_payloads.MailboxHeld(
        mailbox=ADDRESS,
        mailbox_id=MAILBOX,
        actor="Hans Holder",
        hold_id=REQUEST,
        reason="I found a mistake in my signature.",
        level="owner",
    ),
    hold_payloads.OrganizationHeld(
        actor="Olga Owner",
        hold_id=REQUEST,
        reason="the offers changed",
        level="admin",
        until="10:30 on 29 November (Europe/Berlin)",
    ),
    listening.SenderWrote(**HEARD, actor="Hans Holder"),
)
SAMPLES = {each.kind: each for each in _ALL}


class Declared(dict[str, str]):
    """A payload that raises an error for a field that no kind with the same notice declares."""

    def __init__(self, payload: Payload) -> None:
        super().__init__(payload.to_json())
        worded = EVENT_TYPES[payload.kind].notice
        alike = [each.payload for each in EVENT_TYPES.values() if each.notice == worded]
        self._names = {field.name for each in alike for field in fields(each)}

    def get(self, key: str, default: str = "") -> str:  # type: ignore[override]  # notices give strings alone
        return super().get(self._known(key), default)

    def __contains__(self, key: object) -> bool:
        return super().__contains__(self._known(str(key)))

    def __getitem__(self, key: str) -> str:
        return super().__getitem__(self._known(key))

    def _known(self, key: str) -> str:
        if key not in self._names:
            raise LookupError(f"no {key} among {sorted(self._names)}")
        return key


def _at(provider: str, payload: Payload) -> Payload:
    """The payload as an event of a mailbox at this provider has it."""
    texts = {each.name: getattr(payload, each.name) for each in fields(payload)}
    named = {
        name: text.replace("Microsoft", REFUSED_BY[provider])
        for name, text in texts.items()
        if type(text) is str
    }
    return replace(payload, **named)


def notice(kind: EventKind, *, mine: bool = False, provider: str = Provider.GRAPH) -> Notice:
    """The sample's notice, for the sequence's owner or (``mine``) the mailbox's."""
    facts = Facts(
        Declared(_at(provider, SAMPLES[kind])),
        [TouchedSequence("Engineers", 12, SEQUENCE, "Rita Recruiter")],
        mailbox_is_mine=mine,
        mailbox_owner="Hans Holder",
        mailbox_id=str(MAILBOX),
        provider=provider,
        names=["Ada Byron"],
        count=1,
        until="Sun 6 Dec",
        person="Rita Recruiter",
    )
    return EVENT_TYPES[kind].notice(facts)


def shown(kind: EventKind) -> str:
    """The notice as plain text."""
    written = notice(kind)
    links = [f"[{label}] {path}" for label, path in written.links]
    return "\n".join([f"== {kind.value}", written.title, "", written.body, *([""] if links else []), *links])


if __name__ == "__main__":
    print("\n\n".join(shown(each) for each in EventKind))
