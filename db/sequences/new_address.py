"""A person has another address: emails that left keep the one they went to, and what came back begins anew under the new one.

An email that came back for good reached nobody. Where it was the first of its sequence, the sequence begins anew, as a run of its
own with emails and receipts of its own: no email leaves twice. Where emails had reached the person before, the sequence goes on with
the step after it, because an answer to those counts as ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from db.audit import audit
from db.core.crypto import KeyRing
from db.core.ids import new_id
from db.core.session import Transaction, database_now
from db.core.statements import SqlFile, Statement
from db.listening.follow import lanes_of
from db.sending import enrollments
from db.sending.moves import Move
from db.sequences import corrections, decisions
from db.views.attention import FAILED
from db.withdrawing import suppressions
from db.withdrawing.withdrawals import close_lanes
from domain.delivery import State
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.notice import ABOUT_THE_ADDRESS

REASON = "address_corrected"  # of a run that ended, because another one began


class Goes(StrEnum):
    """How a sequence goes on: with the email that did not arrive, with the one after it, or as it was planned."""

    AGAIN = "again"
    NEXT = "next"
    ON = "on"


@dataclass(frozen=True, slots=True)
class Place:
    """A sequence that goes on. ``step``: with which. ``at``: when, at the earliest; None: after somebody starts or resumes it, or
    as planned.
    """

    enrollment_id: UUID
    sequence: str
    goes: Goes
    step: int | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a correction does."""

    name: str
    email: str
    address: str
    places: Sequence[Place]


class _Person(NamedTuple):
    organization_id: UUID
    email: str
    name: str
    closed: bool
    said_no: bool
    other_id: UUID | None
    on_its_way: bool
    in_review: bool
    written_to: bool


class _Place(NamedTuple):
    id: UUID
    sequence_id: UUID
    sequence: str
    sequence_status: str
    status: str
    reason: str | None
    came_back: bool
    nothing_reached: bool
    again_id: UUID | None
    again_position: int | None
    refused_id: UUID | None
    refused_position: int | None
    next_id: UUID | None
    next_position: int | None

    @property
    def goes(self) -> Goes | None:
        """How it goes on; None: nothing is left of it."""
        ended = self.status == "finished" or (self.status, self.reason) == ("stopped", "bounced")
        if self.refused_id or (ended and self.nothing_reached and self.again_id):
            return Goes.AGAIN
        if ended and self.next_id:
            return Goes.NEXT
        return Goes.ON if self.status in ("active", "paused") else None

    @property
    def step(self) -> int | None:
        """With which step."""
        if self.goes is Goes.AGAIN:
            return self.refused_position or self.again_position
        return self.next_position if self.goes is Goes.NEXT else None


_SQL = SqlFile(__name__)
_AGAIN = Move(State.PENDING, State.CLOSED)
_PERSON = _SQL.statement("person", _Person)
_PLACES = _SQL.statement("places", _Place, failed=FAILED, closed=_AGAIN.where("d."))
_LOCK = Statement("SELECT 1 FROM candidates WHERE id = :id FOR UPDATE")
_CORRECT = Statement("UPDATE candidates SET email = :address WHERE id = :id")
_REMEMBER = _SQL.statement("remember")
_BEGIN_ANEW = _SQL.statement("begin_anew", reason=REASON)
_REOPEN = _SQL.statement("reopen", reason=REASON, pending=_AGAIN.set, closed=_AGAIN.where("d."))


def foresee(
    tx: Transaction, keys: KeyRing, candidate_id: UUID, address: str, *, was: str | None = None
) -> Foreseen:
    """Return what ``correct`` would do. Changes nothing. Raises as ``correct``."""
    person, rows = _checked(tx, keys, candidate_id, address, was)
    now = database_now(tx)
    return Foreseen(person.name, person.email, address, [_place(tx, each, now) for each in rows if each.goes])


def correct(
    tx: Transaction,
    keys: KeyRing,
    candidate_id: UUID,
    address: str,
    *,
    actor: str,
    was: str | None = None,
    refused: UUID | None = None,
) -> Foreseen:
    """Give the person another address; the caller resumes what goes on with ``Goes.NEXT``. ``was``: the address that was corrected, so
    that two people who correct it at once notice each other; None: whatever it was. ``keys``: recognise an address that was erased
    from the suppression list. ``refused``: the email that has to wait for this correction still.

    Raises ``NotFound``; ``InvalidInput``: it is the same address, or another person's; ``NotPermitted``: one of both gets no more
    emails, an email is on its way, or emails have left and none came back.
    """
    # An email passes the gate under its lane's lock: from here on, none does with the old address.
    close_lanes(tx, sorted(lanes_of(tx, [candidate_id])))
    _LOCK.run(tx, id=candidate_id)
    if refused is not None and refused not in {each.refused_id for each in _places(tx, candidate_id)}:
        raise NotPermitted(corrections.SETTLED)
    person, rows = _checked(tx, keys, candidate_id, address, was)
    now = database_now(tx)
    places = [_place(tx, each, now) for each in rows if each.goes]
    _REMEMBER.run(tx, id=candidate_id, address=person.email)
    try:
        _CORRECT.run(tx, id=candidate_id, address=address)
    except IntegrityError as error:
        raise _taken(address) from error
    for each in rows:
        _go_on(tx, each, now, actor)
    data: dict[str, object] = {"sequences": len(places)}
    audit.write(
        tx, person.organization_id, actor, "candidate_address_corrected", f"candidate:{candidate_id}", data
    )
    return Foreseen(person.name, person.email, address, places)


def _checked(
    tx: Transaction, keys: KeyRing, candidate_id: UUID, address: str, was: str | None
) -> tuple[_Person, Sequence[_Place]]:
    person = _PERSON.one_or_none(tx, id=candidate_id, address=address)
    if person is None:
        raise NotFound("There is no such person.")
    if was is not None and person.email != was.strip().lower():
        raise InvalidInput(
            f"Somebody corrected it to {person.email} meanwhile",
            where="address",
            fix="Check it, and save again.",
        )
    if person.said_no:
        raise NotPermitted(f"{person.email} gets no more emails, under any address.")
    if person.email == address:
        raise InvalidInput(f"{address} is the address they have", where="address", fix="Enter another one.")
    if person.closed or suppressions.recognised(tx, keys, person.organization_id, [address]):
        raise NotPermitted(f"{address} gets no more emails.")
    if person.other_id is not None:
        raise _taken(address)
    if person.on_its_way:
        raise NotPermitted(
            f"An email to {person.email} is on its way. Correct the address in a minute, when it has left."
        )
    if person.in_review:
        raise NotPermitted(
            f"We could not learn whether an email to {person.email} left. Settle it first, on Needs attention."
        )
    rows = _places(tx, candidate_id)
    if person.written_to and not any(each.came_back or each.refused_id for each in rows):
        raise NotPermitted(
            f"Emails to {person.email} have left, and none came back. Add {address} as a separate person."
        )
    return person, rows


def _places(tx: Transaction, candidate_id: UUID) -> Sequence[_Place]:
    return _PLACES.all(tx, id=candidate_id, about_the_address=sorted(ABOUT_THE_ADDRESS))


def _taken(address: str) -> InvalidInput:
    return InvalidInput(
        f"{address} is the address of another person in your organization",
        where="address",
        fix="Enroll that person, or enter another address.",
    )


def _place(tx: Transaction, row: _Place, now: datetime) -> Place:
    goes = row.goes
    assert goes is not None
    at = None
    if row.sequence_status == "active" and goes is Goes.AGAIN and row.again_id is not None:
        at = enrollments.at_once(tx, row.sequence_id, row.again_id, now).due_at
    return Place(row.id, row.sequence, goes, row.step, at)


def _go_on(tx: Transaction, row: _Place, now: datetime, actor: str) -> None:
    if row.refused_id is not None:
        decisions.retry(tx, row.refused_id, actor=actor)
    elif row.goes is Goes.AGAIN and row.again_id is not None:
        anew = new_id()
        _BEGIN_ANEW.run(tx, id=row.id, new_id=anew)
        enrollments.begin_with(tx, anew, enrollments.at_once(tx, row.sequence_id, row.again_id, now))
    elif row.goes is Goes.NEXT:
        _REOPEN.run(tx, delivery_id=row.next_id)
