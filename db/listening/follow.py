"""What follows from an incoming email, in the transaction that records it and under the lanes' locks."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, assert_never
from uuid import UUID

from db.audit import audit
from db.core.session import Transaction
from db.core.statements import SqlFile
from db.events import events
from db.listening import recalls
from db.sending import lanes
from db.withdrawing import people
from domain import moments
from domain.connection import REFUSED_BY
from domain.delivery import LIMIT_REACHED
from domain.event_payloads import SendingLimitReached
from domain.events import Payload
from domain.listening.consequences import Away, Ends, Later, Proposed, SenderWaits, Unclear, consequence
from domain.listening.kinds import Bounce, BounceClass, Kind
from domain.listening_payloads import (
    AddressBounced,
    AnswerUnclear,
    CandidateAnswered,
    CandidateAway,
    CandidateLeft,
    CandidateOptedOut,
    OptOutProposed,
    SenderWrote,
)

_BY = "onbehalf"
PROPOSED = "opt_out_proposed"  # of enrollments that wait for a person's decision


class _About(NamedTuple):
    enrollment_id: UUID
    sequence_id: UUID
    sequence: str
    stop_scope: str
    time_zone: str
    away_days: int
    email: str
    corrected: bool
    mailbox: str
    provider: str
    mailbox_owner: str | None
    now: datetime
    person: str


_SQL = SqlFile(__name__)
_ABOUT, _LANES = _SQL.statement("about", _About), _SQL.statement("lanes", UUID)
_AWAY, _UNCLEAR = _SQL.statement("away"), _SQL.statement("unclear")
_HEARD_BEFORE = _SQL.statement("heard_before", bool)
_SOFT_BEFORE, _PUT_OFF = _SQL.statement("soft_before", int), _SQL.statement("put_off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is decided by, of one incoming email. ``stranger``: the sender's address is not the candidate's."""

    id: UUID
    organization_id: UUID
    mailbox_id: UUID
    kind: Kind
    enrollment_id: UUID
    candidate_id: UUID
    sender: str
    stranger: bool
    received_at: datetime
    why: str
    bounce: Bounce | None = None
    return_on: date | None = None
    opt_out_words: str | None = None
    complained: bool = False


def lanes_of(tx: Transaction, candidate_ids: Collection[UUID]) -> list[UUID]:
    """Return the mailboxes whose lanes order what follows for these people: those that send to them in any sequence."""
    return _LANES.all(tx, ids=list(candidate_ids))


def apply(tx: Transaction, message: Message) -> None:
    """Do what follows. The caller holds the lanes of ``lanes_of``, and the message is on record."""
    about = _ABOUT.one(
        tx, enrollment_id=message.enrollment_id, mailbox_id=message.mailbox_id, message_id=message.id
    )
    follows = consequence(
        message.kind,
        now=about.now,
        received_at=message.received_at,
        zone=about.time_zone,
        away_days=about.away_days,
        bounce=message.bounce,
        return_on=message.return_on,
        opt_out_words=message.opt_out_words,
        complained=message.complained,
        soft_before=_SOFT_BEFORE.one(tx, enrollment_id=message.enrollment_id, id=message.id),
    )
    match follows:
        case Ends() if about.corrected and message.kind is Kind.BOUNCE:
            _suppress(tx, message, about, follows)  # the person has another address by now
        case Ends():
            _end(tx, message, about, follows)
        case Away():
            _AWAY.run(tx, id=message.candidate_id, until=follows.until, message_id=message.id)
            _audit(tx, message, "person_away", {"until": follows.until.isoformat()})
            until = moments.day(follows.until, about.time_zone, about.now)
            _record(
                tx, message, CandidateAway(**_heard(message, about), until=until, guessed=follows.guessed)
            )
        case Unclear():
            _UNCLEAR.run(tx, id=message.candidate_id, until=follows.until)
            _audit(
                tx, message, "person_held", {"reason": "unclear_answer", "until": follows.until.isoformat()}
            )
            until = moments.stated(follows.until, about.time_zone, about.now)
            _record(tx, message, AnswerUnclear(**_heard(message, about), reason=message.why, until=until))
        case Proposed():
            people.hold_person(tx, message.candidate_id, PROPOSED)
            _audit(tx, message, "person_held", {"reason": PROPOSED})
            _record(tx, message, OptOutProposed(**_heard(message, about), words=message.opt_out_words or ""))
        case Later():
            _PUT_OFF.run(tx, id=message.enrollment_id, until=follows.until)
            _audit(
                tx, message, "emails_put_off", {"reason": "soft_bounce", "until": follows.until.isoformat()}
            )
        case SenderWaits():
            _hold_lane(tx, message, about, follows.until)
        case None:
            pass
        case unknown:
            assert_never(unknown)


def _end(tx: Transaction, message: Message, about: _About, ends: Ends) -> None:
    everywhere = ends.everywhere or about.stop_scope == "organization"
    ended = people.end_person(
        tx, message.candidate_id, None if everywhere else message.enrollment_id, ends.reason
    )
    _suppress(tx, message, about, ends)
    for each in ended:
        audit.write(
            tx,
            message.organization_id,
            _BY,
            "enrollment_stopped",
            f"enrollment:{each}",
            {"reason": ends.reason, "message": str(message.id)},
        )
    recalls.recall(
        tx,
        message.organization_id,
        message.candidate_id,
        message.enrollment_id,
        everywhere=everywhere,
        cancels=ends.reason,
    )
    if message.enrollment_id not in ended and _heard_before(tx, message):
        return  # what goes on in a conversation is read there
    others = len([each for each in ended if each != message.enrollment_id])
    _record(tx, message, _ended(message, about, others or None))


def _suppress(tx: Transaction, message: Message, about: _About, ends: Ends) -> None:
    if ends.suppresses is None:
        return
    # Whoever wants no emails wants none at any address. One that does not exist says nothing about the others.
    every = message.kind is not Kind.BOUNCE
    for address in people.addresses_of(tx, message.candidate_id) if every else [about.email]:
        people.put_on_list(
            tx,
            message.organization_id,
            address,
            ends.suppresses,
            candidate_id=message.candidate_id,
            actor=_BY,
        )


def _ended(message: Message, about: _About, others: int | None) -> Payload:
    heard = {**_heard(message, about), "others": others}
    match message.kind:
        case Kind.ANSWER:
            return CandidateAnswered(**heard, from_address=message.sender if message.stranger else None)
        case Kind.LEFT_COMPANY:
            return CandidateLeft(**heard)
        case Kind.SENDER_WROTE:
            return SenderWrote(**heard, actor=about.mailbox_owner or about.mailbox)
        case Kind.OPT_OUT:
            return CandidateOptedOut(**heard)
        case Kind.BOUNCE if message.bounce is not None:
            return AddressBounced(
                **heard,
                address=message.bounce.recipient or about.email,
                status=message.bounce.status or None,
                gave_up=message.bounce.kind is BounceClass.SOFT,
            )
        case _:
            raise ValueError(f"{message.kind} ends nothing")


def _hold_lane(tx: Transaction, message: Message, about: _About, until: datetime) -> None:
    """As for a refusal of the sender while we send: one notice for each incident."""
    since = lanes.limited_since(tx, message.mailbox_id)
    lanes.hold(tx, message.mailbox_id, until, LIMIT_REACHED)
    payload = SendingLimitReached(
        mailbox=about.mailbox,
        mailbox_id=message.mailbox_id,
        provider=REFUSED_BY[about.provider],
        until=moments.stated(until, about.time_zone, about.now),
        unexplained=True,
    )
    events.record(
        tx, message.organization_id, payload, f"limit:{message.mailbox_id}:{since.isoformat()}", _BY
    )


def _audit(tx: Transaction, message: Message, action: str, data: dict[str, object]) -> None:
    audit.write(
        tx,
        message.organization_id,
        _BY,
        action,
        f"candidate:{message.candidate_id}",
        {**data, "message": str(message.id)},
    )


def _heard(message: Message, about: _About) -> dict[str, Any]:
    return {
        "mailbox": about.mailbox,
        "mailbox_id": message.mailbox_id,
        "sequence_id": about.sequence_id,
        "sequence": about.sequence,
        "enrollment_id": about.enrollment_id,
        "candidate_id": message.candidate_id,
        "person": about.person,
        "message_id": message.id,
    }


def _record(tx: Transaction, message: Message, payload: Payload) -> None:
    events.record(tx, message.organization_id, payload, f"incoming:{message.id}", _BY)


def _heard_before(tx: Transaction, message: Message) -> bool:
    return _HEARD_BEFORE.one(
        tx,
        candidate_id=message.candidate_id,
        enrollment_id=message.enrollment_id,
        kind=message.kind.value,
        id=message.id,
    )
