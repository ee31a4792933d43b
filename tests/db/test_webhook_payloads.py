"""What webhooks send for each kind of event that has one."""

import pytest

from db.events import events, webhooks
from domain.event_types import EVENT_TYPES
from domain.events import EventKind
from lab.factories import World
from tests.domain.samples import (
    ADDRESS,
    CANDIDATE,
    DELIVERY,
    ENROLLMENT,
    GRANT,
    MAILBOX,
    MEMBER,
    MESSAGE,
    SAMPLES,
    SEQUENCE,
)

_BOX = {"mailbox": ADDRESS, "mailbox_id": str(MAILBOX)}
_HEARD = {
    **_BOX,
    "sequence_id": str(SEQUENCE),
    "enrollment_id": str(ENROLLMENT),
    "candidate_id": str(CANDIDATE),
    "person": "Ada Byron",
    "message_id": str(MESSAGE),
    "actor": "onbehalf",
}
TOLD: dict[EventKind, tuple[str, dict[str, str]]] = {
    EventKind.GRANT_REVOKED: (
        "permission.ended",
        {**_BOX, "grant_id": str(GRANT), "actor": "Hans Holder"},
    ),
    EventKind.GRANT_EXPIRED: (
        "permission.expired",
        {**_BOX, "grant_id": str(GRANT), "actor": "onbehalf"},
    ),
    EventKind.GRANT_MISSING: (
        "permission.missing",
        {**_BOX, "reason": "grant_missing", "actor": "Onbehalf"},
    ),
    EventKind.MAILBOX_DISCONNECTED: (
        "mailbox.disconnected",
        {**_BOX, "reason": "removed", "actor": "Hans Holder"},
    ),
    EventKind.MAILBOX_HELD: (
        "mailbox.held",
        {
            "mailbox": ADDRESS,
            "mailbox_id": str(MAILBOX),
            "actor": "Hans Holder",
            "reason": "I found a mistake in my signature.",
        },
    ),
    EventKind.ORGANIZATION_HELD: (
        "organization.held",
        {"actor": "Olga Owner", "reason": "the offers changed"},
    ),
    EventKind.CONNECTION_LOST: (
        "mailbox.lost",
        {**_BOX, "reason": "sign_in_expired", "actor": "Microsoft"},
    ),
    EventKind.TENANT_DISCONNECTED: ("tenant.disconnected", {"mailboxes": "12", "actor": "Olga Owner"}),
    EventKind.TENANT_LOST: (
        "tenant.lost",
        {"mailboxes": "12", "reason": "tenant_refused", "actor": "Microsoft"},
    ),
    EventKind.MAILBOX_RECONNECTED: ("mailbox.connected", {**_BOX, "actor": "Microsoft"}),
    EventKind.MEMBER_DEACTIVATED: (
        "member.deactivated",
        {"member_id": str(MEMBER), "person": "Rita Recruiter", "actor": "Olga Owner"},
    ),
    EventKind.SEQUENCE_PAUSED: (
        "sequence.paused",
        {
            "mailbox": ADDRESS,
            "sequence_id": str(SEQUENCE),
            "reason": "the offer has changed",
            "actor": "Olga Owner",
        },
    ),
    EventKind.STEP_REFUSED: (
        "sequence.step_refused",
        {
            "mailbox": ADDRESS,
            "sequence_id": str(SEQUENCE),
            "reason": "Microsoft refuses the subject.",
            "actor": "onbehalf",
        },
    ),
    EventKind.DELIVERY_IN_REVIEW: (
        "delivery.in_review",
        {
            **_BOX,
            "sequence_id": str(SEQUENCE),
            "delivery_id": str(DELIVERY),
            "person": "Ada Byron",
            "actor": "onbehalf",
        },
    ),
    EventKind.CANDIDATE_ANSWERED: ("candidate.answered", _HEARD),
    EventKind.CANDIDATE_AWAY: ("candidate.away", {**_HEARD, "until": "Thu 3 Dec"}),
    EventKind.CANDIDATE_LEFT: ("candidate.left", _HEARD),
    EventKind.ADDRESS_BOUNCED: (
        "address.bounced",
        {**_HEARD, "address": "ada@byron.example", "status": "5.1.1"},
    ),
    EventKind.CANDIDATE_OPTED_OUT: ("candidate.opted_out", _HEARD),
    EventKind.OPT_OUT_PROPOSED: (
        "candidate.opt_out_proposed",
        {**_HEARD, "words": "Please take me off your list."},
    ),
    EventKind.ANSWER_UNCLEAR: ("candidate.answer_unclear", {**_HEARD, "until": "Mon 30 Nov, 14:02"}),
    EventKind.SENDER_WROTE: ("candidate.sender_wrote", {**_HEARD, "actor": "Hans Holder"}),
}


@pytest.mark.parametrize("kind", [kind for kind, each in EVENT_TYPES.items() if each.webhook is not None])
def test_programs_are_told_these_fields_and_no_others(world: World, kind: EventKind) -> None:
    with world.database.transaction() as tx:
        event_id = events.record(tx, world.organization_id, SAMPLES[kind], "a cause", "onbehalf")
        assert event_id is not None
        event = events.load(tx, event_id)
        assert event is not None
        told = webhooks.payload(tx, event)
    webhook = EVENT_TYPES[kind].webhook
    assert webhook is not None
    assert (webhook.type, told) == (TOLD[kind][0], {**TOLD[kind][1], "paused": []})
