"""Which emails of ours a page of incoming ones may be about, and what is known of them already."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.core.crypto import KeyRing
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.listening import opt_out_tokens
from db.schema.delivery_models import LEFT
from domain.listening.message import Sent
from domain.opt_out import OptOut


class _Row(NamedTuple):
    id: UUID
    enrollment_id: UUID
    candidate_id: UUID
    email: str
    sender: str
    message_id: str | None
    conversation_id: str | None
    body: str
    sent_at: datetime
    others: list[str]


_SQL = SqlFile(__name__)
_POSSIBLE = _SQL.statement("possible", _Row, left=LEFT)
_NOTE_COPIES = _SQL.statement("note_copies")
_RECORDED = Statement(
    "SELECT provider_id FROM incoming_messages WHERE mailbox_id = :mailbox_id AND provider_id = ANY(:ids)",
    str,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page of headers names. Message-IDs without angle brackets, addresses in lower case. ``deliveries``: by opt-out tokens."""

    message_ids: Collection[str]
    conversations: Collection[str]
    addresses: Collection[str]
    deliveries: Collection[UUID] = ()


@dataclass(frozen=True, slots=True)
class Possible:
    """Emails of ours, and by delivery whose they are."""

    sent: Sequence[Sent]
    enrollments: Mapping[UUID, UUID]
    candidates: Mapping[UUID, UUID]


def possible(
    tx: Transaction, keys: KeyRing, organization_id: UUID, mailbox_id: UUID, asked: Asked
) -> Possible:
    """Return what a page may be about: by Message-ID or token in the whole organization, otherwise from this mailbox.

    ``keys``: those of opt-out tokens.
    """
    rows = _POSSIBLE.all(
        tx,
        organization_id=organization_id,
        mailbox_id=mailbox_id,
        message_ids=[form for each in asked.message_ids for form in (f"<{each}>", each)],
        conversations=[each for each in asked.conversations if each],
        addresses=[each for each in asked.addresses if each],
        deliveries=list(asked.deliveries),
    )
    sent = [
        Sent(
            delivery_id=row.id,
            message_id=None if row.message_id is None else row.message_id.strip("<>"),
            conversation_id=row.conversation_id,
            recipient=row.email,
            sender=row.sender,
            sent_at=row.sent_at,
            references=tuple(each.strip("<>") for each in row.others),
            token=opt_out_tokens.token(keys, OptOut(organization_id, row.candidate_id, row.id)),
            text=row.body,
        )
        for row in rows
    ]
    return Possible(
        sent, {row.id: row.enrollment_id for row in rows}, {row.id: row.candidate_id for row in rows}
    )


def recorded(tx: Transaction, mailbox_id: UUID, provider_ids: Collection[str]) -> set[str]:
    """Return those of these items that are on record."""
    return set(_RECORDED.all(tx, mailbox_id=mailbox_id, ids=list(provider_ids)))


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of an email of ours in the mailbox, with the ids that its recipients see."""

    correlation_id: str
    internet_message_id: str
    conversation_id: str


def note_copies(tx: Transaction, mailbox_id: UUID, copies: Sequence[Copy]) -> int:
    """Correct the ids of emails that left, where the provider gave them others when it sent them."""
    return _NOTE_COPIES.run(
        tx,
        mailbox_id=mailbox_id,
        correlation_ids=[each.correlation_id for each in copies],
        message_ids=[f"<{each.internet_message_id}>" if each.internet_message_id else "" for each in copies],
        conversations=[each.conversation_id for each in copies],
    )
