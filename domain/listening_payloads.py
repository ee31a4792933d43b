"""What the events of listening carry: who wrote, in which sequence, and the message that says so."""

from dataclasses import dataclass
from uuid import UUID

from domain.event_payloads import OfMailbox
from domain.events import EventKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard(OfMailbox):
    """About one person in one sequence. ``mailbox``: in which the message arrived. ``sequence``: its name.

    ``message_id``: of the incoming message, None where a link or an operator said it. ``others``: how many other sequences of the
    organization it ends, or holds, for this person.
    """

    sequence_id: UUID
    sequence: str
    enrollment_id: UUID
    candidate_id: UUID
    person: str
    message_id: UUID | None = None
    others: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateAnswered(Heard):
    """``from_address``: None where it is the one that we wrote to."""

    kind = EventKind.CANDIDATE_ANSWERED
    from_address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateAway(Heard):
    """``until``: the first day on which they get emails again, in words. ``guessed``: the message names no day."""

    kind = EventKind.CANDIDATE_AWAY
    until: str
    guessed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateLeft(Heard):
    """They no longer work there."""

    kind = EventKind.CANDIDATE_LEFT


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressBounced(Heard):
    """``address``: that does not take emails. ``status``: RFC 3463. ``gave_up``: it may work again, and we tried for a day."""

    kind = EventKind.ADDRESS_BOUNCED
    address: str
    status: str | None = None
    gave_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateOptedOut(Heard):
    """They want no more emails, by the link or the address that every email has for it, or a person decided so."""

    kind = EventKind.CANDIDATE_OPTED_OUT


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutProposed(Heard):
    """``words``: theirs."""

    kind = EventKind.OPT_OUT_PROPOSED
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerUnclear(Heard):
    """``reason``: why, in a sentence. ``until``: when their emails go on unless somebody decides, in words."""

    kind = EventKind.ANSWER_UNCLEAR
    reason: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderWrote(Heard):
    """``actor``: the mailbox owner."""

    kind = EventKind.SENDER_WROTE
    actor: str
