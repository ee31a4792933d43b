"""Record mail that came to a default address: with its person, and what follows, or as nobody's yet."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from db.core.crypto import KeyRing, Place
from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile
from db.listening import follow, matching
from db.listening.matching import Asked, Possible
from db.withdrawing.withdrawals import close_lanes
from domain.listening.kinds import Judged, Kind
from domain.listening.message import File, MatchedBy
from domain.listening.unassigned import UnassignedReason

_SQL = SqlFile(__name__)


class _Sender(NamedTuple):
    id: UUID
    address: str


_SENDER_ADDRESSES = _SQL.statement("sender_addresses", _Sender)
_CANDIDATE = _SQL.statement("candidate", UUID)
_INSERT = _SQL.statement("insert")
_KEEP_FILE = _SQL.statement("keep_file")


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message that came to a default address. ``delivery``: the email of ours that it is about, and whose that is.

    ``candidate_id`` without it: the sender is a known person. Neither: ``reason`` says why it is nobody's.
    """

    organization_id: UUID
    mailbox_id: UUID  # the default address
    digest: bytes
    sender: str
    received_at: datetime
    judged: Judged
    proof: dict[str, Any]
    enrollment_id: UUID | None = None
    candidate_id: UUID | None = None
    reason: UnassignedReason | None = None
    certain_opt_out: bool = False
    message_id: str = ""
    conversation_id: str = ""
    sender_name: str = ""
    recipients: tuple[str, ...] = ()
    subject: str = ""
    text: str = ""
    html: str = ""
    files: Sequence[File] = ()
    id: UUID = field(default_factory=new_id)


def sender_addresses(tx: Transaction, organization_id: UUID) -> dict[UUID, str]:
    """Return the addresses whose answers may be redirected to the default one, and that one: mailbox -> address."""
    return {each.id: each.address for each in _SENDER_ADDRESSES.all(tx, id=organization_id)}


def possible(
    tx: Transaction, keys: KeyRing, organization_id: UUID, mailbox_ids: Sequence[UUID], asked: Asked
) -> Possible:
    """Return what it may be about: by Message-ID or token in the whole organization, otherwise from its sender addresses.

    ``keys``: those of opt-out tokens.
    """
    found = [matching.possible(tx, keys, organization_id, each, asked) for each in mailbox_ids]
    sent = {each.delivery_id: each for one in found for each in one.sent}
    return Possible(
        list(sent.values()),
        {key: value for one in found for key, value in one.enrollments.items()},
        {key: value for one in found for key, value in one.candidates.items()},
    )


def candidate_of(tx: Transaction, organization_id: UUID, address: str) -> UUID | None:
    """Return the person who is known by this address."""
    return _CANDIDATE.one_or_none(tx, organization_id=organization_id, email=address)


def record(tx: Transaction, ring: KeyRing, arrived: Arrived) -> bool:
    """Record it and do what follows; False: it is on record. ``ring``: of pages, which show it."""
    judged = arrived.judged
    bounce = judged.bounce if judged.kind is Kind.BOUNCE else None
    concerned = arrived.enrollment_id is not None and arrived.candidate_id is not None
    if concerned:
        lanes = follow.lanes_of(tx, [arrived.candidate_id] if arrived.candidate_id else [])
        close_lanes(tx, sorted({arrived.mailbox_id, *lanes}))
    new = _INSERT.run(
        tx,
        id=arrived.id,
        organization_id=arrived.organization_id,
        digest=arrived.digest,
        message_id=arrived.message_id or None,
        conversation_id=arrived.conversation_id or None,
        sender=arrived.sender,
        sender_name=arrived.sender_name,
        recipients=list(arrived.recipients),
        subject=arrived.subject,
        received_at=arrived.received_at,
        kind=judged.kind.value,
        matched_by=None if judged.match is None else judged.match.matched_by.value,
        why=judged.why,
        delivery_id=None if judged.match is None else judged.match.sent.delivery_id,
        enrollment_id=arrived.enrollment_id,
        candidate_id=arrived.candidate_id,
        bounce_class=None if bounce is None else bounce.kind.value,
        bounce_recipient=None if bounce is None else bounce.recipient,
        bounce_status=None if bounce is None else bounce.status,
        return_on=judged.return_on,
        opt_out_words=None if arrived.certain_opt_out else judged.opt_out_words,
        text=_sealed(ring, arrived, "text", arrived.text),
        html=_sealed(ring, arrived, "html", arrived.html),
        attachments=dump_json(
            [
                {"name": each.name, "size": each.size, "content_type": each.content_type}
                for each in arrived.files
            ]
        ),
        status="unassigned" if arrived.candidate_id is None else "matched",
        unassigned_reason=None if arrived.reason is None else arrived.reason.value,
        sender_proof=dump_json(arrived.proof),
    )
    if not new:
        return False
    for each in arrived.files:
        if each.content is not None:
            _keep(tx, ring, arrived, each, each.content)
    if concerned:
        _follow(tx, arrived)
    return True


def _follow(tx: Transaction, arrived: Arrived) -> None:
    judged = arrived.judged
    assert arrived.enrollment_id is not None
    assert arrived.candidate_id is not None
    follow.apply(
        tx,
        follow.Message(
            id=arrived.id,
            organization_id=arrived.organization_id,
            mailbox_id=arrived.mailbox_id,
            kind=judged.kind,
            enrollment_id=arrived.enrollment_id,
            candidate_id=arrived.candidate_id,
            sender=arrived.sender,
            stranger=judged.match is not None and judged.match.matched_by is MatchedBy.THREAD_STRANGER,
            received_at=arrived.received_at,
            why=judged.why,
            bounce=judged.bounce,
            return_on=judged.return_on,
            opt_out_words=None if arrived.certain_opt_out else judged.opt_out_words,
            complained=judged.complained,
        ),
    )


def _keep(tx: Transaction, ring: KeyRing, arrived: Arrived, file: File, content: bytes) -> None:
    file_id = new_id()
    place = Place(arrived.organization_id, file_id, "incoming_files.content")
    _KEEP_FILE.run(
        tx,
        id=file_id,
        organization_id=arrived.organization_id,
        message_id=arrived.id,
        name=file.name,
        content_type=file.content_type,
        size=file.size,
        content=ring.encrypt_bytes(content, place),
    )


def _sealed(ring: KeyRing, arrived: Arrived, column: str, content: str) -> bytes | None:
    place = Place(arrived.organization_id, arrived.id, f"incoming_messages.{column}")
    return ring.encrypt(content, place) if content else None
