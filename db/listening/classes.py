"""What a person says of an answer: one of five classes. Of what was unclear, that it is an answer, too."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.audit import audit
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.listening import follow, overrules
from db.listening.overrules import Reopened
from db.schema.listening_models import PROPOSES
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


DECIDED = "Somebody has decided on this message already."
_SQL = SqlFile(__name__)
_CLASSIFY, _MESSAGE = _SQL.statement("classify", UUID), _SQL.statement("message", _Message)
_CERTAIN = _SQL.statement("certain")
_NO_OPT_OUT = _SQL.statement("no_opt_out", UUID, proposes=PROPOSES)
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


def no_opt_out(tx: Transaction, message_id: UUID, *, no: bool, actor: str) -> Sequence[Reopened]:
    """Somebody says that what was proposed is no opt-out: it is a no or, without ``no``, an answer that waits to be filed.

    What follows from answers follows. Returns the sequences that were held and do not end by it: the caller resumes them. Raises
    ``NotFound``, ``NotPermitted``: it proposes none, or no longer.
    """
    before = _MESSAGE.one_or_none(tx, id=message_id)
    if before is None:
        raise NotFound("There is no such message.")
    close_lanes(tx, sorted(follow.lanes_of(tx, [before.candidate_id])))
    if _NO_OPT_OUT.one_or_none(tx, id=message_id, no=no, actor=actor) is None:
        raise NotPermitted(DECIDED)
    _follow(tx, before, actor)
    data: dict[str, object] = {"class": "no"} if no else {}
    action = "answer_classified" if no else "opt_out_declined"
    audit.write(tx, before.organization_id, actor, action, f"message:{message_id}", data)
    return overrules.held(tx, before.candidate_id)


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
