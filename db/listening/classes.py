"""What a person says of an answer: one of five classes. Of what was unclear, that it is an answer, too."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.audit import audit
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.listening import follow
from db.withdrawing.withdrawals import close_lanes
from domain.errors import NotFound, NotPermitted
from domain.listening.kinds import AnswerClass, Kind


@dataclass(frozen=True, slots=True)
class _Message:
    id: UUID
    organization_id: UUID
    mailbox_id: UUID | None
    kind: str
    enrollment_id: UUID | None
    candidate_id: UUID
    sender: str
    received_at: datetime
    stranger: bool | None


_SQL = SqlFile(__name__)
_CLASSIFY, _MESSAGE = _SQL.statement("classify", UUID), _SQL.statement("message", _Message)
_CERTAIN, _HANDLE = _SQL.statement("certain"), _SQL.statement("handle", UUID)
_LOCK = Statement("SELECT 1 FROM incoming_messages WHERE id = :id FOR UPDATE", int)


def classify(tx: Transaction, message_id: UUID, answer_class: AnswerClass, *, actor: str) -> None:
    """File an answer under a class; another class replaces it. Raises ``NotFound``, ``NotPermitted`` (a machine wrote it).

    What was unclear becomes an answer: what follows from answers follows, and nothing of that person's waits any longer for it.
    """
    before = _MESSAGE.one_or_none(tx, id=message_id)
    if before is None:
        raise NotFound("There is no such message.")
    close_lanes(tx, sorted(follow.lanes_of(tx, [before.candidate_id])))
    _LOCK.one(tx, id=message_id)
    message = _MESSAGE.one(tx, id=message_id)
    if _CLASSIFY.one_or_none(tx, id=message_id, answer_class=answer_class.value, actor=actor) is None:
        raise NotPermitted("Only an answer of a person can be filed. This one is not.")
    if message.kind == Kind.UNCLEAR:
        _CERTAIN.run(tx, id=message.candidate_id)
        _follow(tx, message, actor)
    data = {"class": answer_class.value}
    audit.write(tx, message.organization_id, actor, "answer_classified", f"message:{message_id}", data)


def handle(tx: Transaction, message_id: UUID, *, actor: str) -> None:
    """Record that somebody has decided on a message. A repetition changes nothing."""
    organization_id = _HANDLE.one_or_none(tx, id=message_id, actor=actor)
    if organization_id is not None:
        audit.write(tx, organization_id, actor, "message_handled", f"message:{message_id}", {})


def _follow(tx: Transaction, message: _Message, actor: str) -> None:
    if message.enrollment_id is None or message.mailbox_id is None:
        return
    follow.apply(
        tx,
        follow.Message(
            id=message.id,
            organization_id=message.organization_id,
            mailbox_id=message.mailbox_id,
            kind=Kind.ANSWER,
            enrollment_id=message.enrollment_id,
            candidate_id=message.candidate_id,
            sender=message.sender,
            stranger=bool(message.stranger),
            received_at=message.received_at,
            why=f"{actor} says that it is an answer",
        ),
    )
