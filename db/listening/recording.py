"""Record what came in and concerns somebody, once, with what follows from it, in one transaction under the lanes' locks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile
from db.listening import follow
from db.withdrawing.withdrawals import close_lanes
from domain.listening.kinds import Bounce, Judged, Kind
from domain.listening.message import MatchedBy

_INSERT = SqlFile(__name__).statement("insert")


@dataclass(frozen=True, slots=True)
class Heard:
    """One incoming email that concerns somebody. ``id``: ours. ``text``, ``html``: encrypted; None: it was gone, or has none."""

    provider_id: str
    sender: str
    received_at: datetime
    judged: Judged
    enrollment_id: UUID
    candidate_id: UUID
    id: UUID = field(default_factory=new_id)
    message_id: str = ""
    conversation_id: str = ""
    sender_name: str = ""
    recipients: tuple[str, ...] = ()
    subject: str = ""
    text: bytes | None = None
    html: bytes | None = None
    attachments: Sequence[dict[str, object]] = ()
    certain_opt_out: bool = (
        False  # it carries our token, or a provider reports a complaint: no words of a person to weigh
    )


def record(tx: Transaction, organization_id: UUID, mailbox_id: UUID, heard: Sequence[Heard]) -> list[Heard]:
    """Record them and apply what follows; returns those that were not on record before.

    Locks the lanes of everybody concerned first, so that no email of theirs passes the gate meanwhile.
    """
    if not heard:
        return []
    lanes = follow.lanes_of(tx, [each.candidate_id for each in heard])
    close_lanes(tx, sorted({mailbox_id, *lanes}))
    new = []
    for each in sorted(heard, key=lambda one: one.received_at):
        if not _INSERT.run(tx, **_values(organization_id, mailbox_id, each)):
            continue
        new.append(each)
        follow.apply(
            tx,
            follow.Message(
                id=each.id,
                organization_id=organization_id,
                mailbox_id=mailbox_id,
                kind=each.judged.kind,
                enrollment_id=each.enrollment_id,
                candidate_id=each.candidate_id,
                sender=each.sender,
                stranger=each.judged.match is not None
                and each.judged.match.matched_by is MatchedBy.THREAD_STRANGER,
                received_at=each.received_at,
                why=each.judged.why,
                bounce=each.judged.bounce,
                return_on=each.judged.return_on,
                opt_out_words=None if each.certain_opt_out else each.judged.opt_out_words,
                complained=each.judged.complained,
            ),
        )
    return new


def _values(organization_id: UUID, mailbox_id: UUID, each: Heard) -> dict[str, object]:
    judged = each.judged
    bounce: Bounce | None = judged.bounce if judged.kind is Kind.BOUNCE else None
    return {
        "id": each.id,
        "organization_id": organization_id,
        "mailbox_id": mailbox_id,
        "provider_id": each.provider_id,
        "message_id": each.message_id or None,
        "conversation_id": each.conversation_id or None,
        "sender": each.sender,
        "sender_name": each.sender_name,
        "recipients": list(each.recipients),
        "subject": each.subject,
        "received_at": each.received_at,
        "kind": judged.kind.value,
        "matched_by": None if judged.match is None else judged.match.matched_by.value,
        "why": judged.why,
        "delivery_id": None if judged.match is None else judged.match.sent.delivery_id,
        "enrollment_id": each.enrollment_id,
        "candidate_id": each.candidate_id,
        "bounce_class": None if bounce is None else bounce.kind.value,
        "bounce_recipient": None if bounce is None else bounce.recipient,
        "bounce_status": None if bounce is None else bounce.status,
        "return_on": judged.return_on,
        "opt_out_words": None if each.certain_opt_out else judged.opt_out_words,
        "text": each.text,
        "html": each.html,
        "attachments": dump_json(list(each.attachments)),
    }
