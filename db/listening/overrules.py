"""A person decides about an incoming message: it was not what we took it for, or an opt-out that we proposed is one."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.session import Transaction
from db.core.statements import SqlFile
from db.listening.follow import PROPOSED, lanes_of
from db.schema.listening_models import CORRECTED, ENDS, PROPOSES
from db.sending.moves import Move
from db.withdrawing import suppressions
from db.withdrawing.withdrawals import close_lanes
from domain.delivery import State
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.listening.kinds import BounceClass, Kind

MAX_REASON = 500  # characters
# What ended the enrollment -> its reason (domain/listening/consequences.py).
_REASONS = {
    Kind.ANSWER: "answered",
    Kind.LEFT_COMPANY: "left_company",
    Kind.SENDER_WROTE: "sender_wrote",
    Kind.OPT_OUT: "opted_out",
    Kind.BOUNCE: "bounced",
}
_AGAIN = Move(State.PENDING, State.CLOSED)


class Message(NamedTuple):
    """A message on record. ``opt_out_words``: of an opt-out that was proposed, or None."""

    id: UUID
    kind: str
    bounce_class: str | None
    opt_out_words: str | None
    candidate_id: UUID
    enrollment_id: UUID | None
    delivery_id: UUID | None
    recorded_at: datetime
    handled_at: datetime | None
    overruled_at: datetime | None
    email: str

    @property
    def proposes(self) -> bool:
        """Does it wait for a decision on whether the person opts out?"""
        return self.kind == Kind.OPT_OUT and self.opt_out_words is not None and self.handled_at is None


class Reopened(NamedTuple):
    """An enrollment that can go on."""

    id: UUID
    sequence_id: UUID
    sequence_status: str


_SQL = SqlFile(__name__)
_MESSAGE = _SQL.statement("message", Message)
_OVERRULE, _HANDLE = _SQL.statement("overrule"), _SQL.statement("handle")
_NOT_AWAY, _NOT_UNCLEAR = _SQL.statement("not_away"), _SQL.statement("not_unclear")
_GO_ON = _SQL.statement("go_on")
_REOPENED = _SQL.statement(
    "reopened", Reopened, ends=ENDS, corrected=CORRECTED, pending=_AGAIN.set, closed=_AGAIN.where()
)
_HELD = _SQL.statement("held", Reopened, proposes=PROPOSES)


def message(tx: Transaction, organization_id: UUID, message_id: UUID) -> Message:
    """Return a message. Raises ``NotFound``."""
    found = _MESSAGE.one_or_none(tx, id=message_id, organization_id=organization_id)
    if found is None:
        raise NotFound("There is no such message.")
    return found


def overrule(
    tx: Transaction, organization_id: UUID, message_id: UUID, *, actor: str, reason: str
) -> tuple[UUID, Sequence[Reopened]] | None:
    """Take back what followed from a message; returns the person, and what can go on: the caller resumes it. None: it was before.

    An opt-out by link or address stands: only its lift on the suppression list ends it. Raises ``NotFound``, ``NotPermitted``,
    ``InvalidInput`` (no reason).
    """
    reason = checked_reason(reason)
    known = message(tx, organization_id, message_id)
    if known.overruled_at is not None:
        return None
    if known.kind == Kind.OPT_OUT and known.opt_out_words is None:
        raise NotPermitted(
            f"{known.email} has opted out, and that leaves no doubt. If they allow emails again, lift the suppression."
        )
    if known.kind == Kind.OPT_OUT and not known.proposes:
        raise NotPermitted("This opt-out was confirmed. If they allow emails again, lift the suppression.")
    close_lanes(tx, sorted(lanes_of(tx, [known.candidate_id])))
    if not _OVERRULE.run(tx, id=message_id, actor=actor, reason=reason):
        return None
    audit.write(
        tx,
        organization_id,
        actor,
        "message_overruled",
        f"candidate:{known.candidate_id}",
        {"message": str(message_id), "kind": known.kind, "reason": reason},
    )
    return known.candidate_id, _taken_back(tx, organization_id, known, actor, reason)


def _taken_back(
    tx: Transaction, organization_id: UUID, known: Message, actor: str, reason: str
) -> Sequence[Reopened]:
    kind = Kind(known.kind)
    if kind is Kind.AUTO_REPLY and _NOT_AWAY.run(tx, id=known.candidate_id, message_id=known.id):
        _GO_ON.run(tx, id=known.candidate_id, reason="person_away")
    if kind is Kind.UNCLEAR and _NOT_UNCLEAR.run(tx, id=known.candidate_id):
        _GO_ON.run(tx, id=known.candidate_id, reason="unclear_answer")
    if kind is Kind.OPT_OUT:
        return held(tx, known.candidate_id)
    if kind is Kind.BOUNCE and known.bounce_class == BounceClass.HARD:
        entry = suppressions.active_id(tx, organization_id, known.email)
        if entry is not None and suppressions.reason_of(tx, entry) == "bounced":
            suppressions.lift(tx, organization_id, entry, actor=actor, reason=reason)
    if kind not in _REASONS:
        return ()
    return _REOPENED.all(tx, candidate_id=known.candidate_id, reason=_REASONS[kind], since=known.recorded_at)


def held(tx: Transaction, candidate_id: UUID) -> Sequence[Reopened]:
    """Return the sequences of a person that wait until somebody decides on a proposed opt-out; none while another one is proposed."""
    return _HELD.all(tx, candidate_id=candidate_id, reason=PROPOSED)


def handle(tx: Transaction, message_id: UUID, *, actor: str) -> bool:
    """Record that somebody has decided. Returns False if somebody had."""
    return _HANDLE.run(tx, id=message_id, actor=actor) == 1


def checked_reason(reason: str) -> str:
    """Return a reason as it is kept. Raises ``InvalidInput``."""
    reason = " ".join(reason.split())
    if not reason:
        raise InvalidInput("A reason is missing", where="reason", fix="Write what the message really is.")
    if len(reason) > MAX_REASON:
        raise InvalidInput(
            f"The reason has {len(reason)} characters", where="reason", fix=f"Shorten it to {MAX_REASON}."
        )
    return reason
