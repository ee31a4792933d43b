"""One event of each kind as it would be recorded, and its notice as a recipient sees it.

``python -m tests.domain.samples > tests/domain/notices.txt`` writes the notices again after their texts changed.
"""

from dataclasses import fields
from uuid import UUID

from domain import event_payloads as payloads
from domain.event_types import EVENT_TYPES
from domain.events import EventKind, Payload
from domain.notice import Facts, Notice, TouchedSequence

MAILBOX, SEQUENCE, MEMBER, GRANT, DELIVERY, REQUEST, RECIPIENT = (UUID(int=each) for each in range(1, 8))
ADDRESS = "hans@acme.example"
_ALL: tuple[Payload, ...] = (
    payloads.GrantRevoked(
        mailbox=ADDRESS, mailbox_id=MAILBOX, actor="Hans Holder", grant_id=GRANT, grantee_id=MEMBER
    ),
    payloads.GrantExpired(
        mailbox=ADDRESS, mailbox_id=MAILBOX, actor="onbehalf", grant_id=GRANT, grantee_id=MEMBER
    ),
    payloads.GrantMissing(
        mailbox=ADDRESS, mailbox_id=MAILBOX, actor="Onbehalf", grantee_id=MEMBER, reason="grant_missing"
    ),
    payloads.MailboxDisconnected(mailbox=ADDRESS, mailbox_id=MAILBOX, actor="Hans Holder", reason="removed"),
    payloads.ConnectionLost(mailbox=ADDRESS, mailbox_id=MAILBOX, actor="Microsoft", reason="sign_in_expired"),
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
        mailbox=ADDRESS, sequence_id=SEQUENCE, step=2, reason="Microsoft refuses the subject."
    ),
    payloads.MailboxReconnected(mailbox=ADDRESS, mailbox_id=MAILBOX, actor="Microsoft"),
    payloads.MailboxRenamed(
        mailbox="hans.holder@acme.example",
        mailbox_id=MAILBOX,
        before=ADDRESS,
        actor="Microsoft",
        recipient=RECIPIENT,
    ),
    payloads.GrantGiven(
        mailbox=ADDRESS,
        mailbox_id=MAILBOX,
        actor="Hans Holder",
        grant_id=GRANT,
        grantee_id=RECIPIENT,
        recipient=RECIPIENT,
    ),
    payloads.GrantEndsSoon(
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
    payloads.GrantAsked(
        request_id=REQUEST,
        mailbox=ADDRESS,
        person="Rita Recruiter",
        program="",
        reason="For the engineers.",
        recipient=RECIPIENT,
    ),
    payloads.GrantDeclined(mailbox=ADDRESS, actor="Hans Holder", recipient=RECIPIENT),
    payloads.GrantToConfirm(
        mailbox=ADDRESS,
        mailbox_id=MAILBOX,
        person="rita@acme.example",
        actor="operator olga",
        recipient=RECIPIENT,
    ),
    payloads.SenderAddressChanged(
        mailbox="jobs@acme.example", change="set", actor="Olga Owner", recipient=RECIPIENT
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
    payloads.StillInDrafts(mailbox=ADDRESS, mailbox_id=MAILBOX, incident="still_in_drafts:1"),
    payloads.SequenceSetBack(
        sequence_id=SEQUENCE, sequence="Engineers", actor="Olga Owner", recipient=RECIPIENT
    ),
    payloads.SequenceHandedOver(
        mailbox=ADDRESS,
        person="rita@acme.example",
        sequence="Engineers",
        actor="Olga Owner",
        recipient=RECIPIENT,
    ),
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


def notice(kind: EventKind, *, mine: bool = False) -> Notice:
    """The sample's notice, for the sequence's owner or (``mine``) the mailbox's."""
    facts = Facts(
        Declared(SAMPLES[kind]),
        [TouchedSequence("Engineers", 12, SEQUENCE, "Rita Recruiter")],
        mailbox_is_mine=mine,
        mailbox_owner="Hans Holder",
        mailbox_id=str(MAILBOX),
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
