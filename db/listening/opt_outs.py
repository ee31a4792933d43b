"""A person opts out by the link of an email: what they are shown, and the first half (V1) of the withdrawal."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.session import Transaction
from db.core.statements import SqlFile
from db.events import events
from db.listening import follow, overrules
from db.withdrawing import people, suppressions
from db.withdrawing.withdrawals import Scope, close_lanes
from domain.errors import NotFound, NotPermitted
from domain.listening.kinds import Kind
from domain.listening_payloads import CandidateOptedOut
from domain.opt_out import OptOut

BY = "the recipient"
REASON = "opted_out"


@dataclass(frozen=True, slots=True)
class Person:
    """The person whom a link names. ``organization``, ``sender``: as the person knows them. ``zone``: the organization's."""

    candidate_id: UUID
    email: str
    organization: str
    sender: str
    person: str
    zone: str


@dataclass(frozen=True, slots=True)
class Stand:
    """What there is to stop, or was. ``stopped_at`` None: nothing is stopped. ``in_doubt``: when emails set out that may have left."""

    stopped_at: datetime | None
    emails: int
    sent: int
    in_doubt: list[datetime]


class _About(NamedTuple):
    enrollment_id: UUID
    sequence_id: UUID
    sequence: str
    mailbox_id: UUID
    mailbox: str


_SQL = SqlFile(__name__)
_KNOWN, _STAND = _SQL.statement("known", Person), _SQL.statement("stand", Stand)
_ABOUT = _SQL.statement("about", _About)


def person_of(tx: Transaction, opt_out: OptOut) -> Person:
    """Return whom the link names. Raises ``NotFound``: they are erased."""
    found = _KNOWN.one_or_none(
        tx,
        organization_id=opt_out.organization_id,
        candidate_id=opt_out.candidate_id,
        delivery_id=opt_out.delivery_id,
    )
    if found is None:
        raise NotFound("There is no such person.")
    return found


def stand(tx: Transaction, opt_out: OptOut, person: Person) -> Stand:
    """Return what is planned for the person and, once they have opted out, what that stopped."""
    return _STAND.one(
        tx,
        organization_id=opt_out.organization_id,
        candidate_id=person.candidate_id,
        email=person.email,
    )


def opt_out_by_words(tx: Transaction, organization_id: UUID, message_id: UUID, *, actor: str) -> Scope:
    """A person has decided that a message is an opt-out. Raises ``NotFound``, ``NotPermitted``: it proposes none, or no longer."""
    known = overrules.message(tx, organization_id, message_id)
    if known.overruled_at is not None or known.kind != Kind.OPT_OUT or known.opt_out_words is None:
        raise NotPermitted("This message is not an opt-out that waits for a decision.")
    overrules.handle(tx, message_id, actor=actor)
    # Where the email is deleted by now, any id will do: it only says which sequence hears of it.
    opt_out = OptOut(organization_id, known.candidate_id, known.delivery_id or message_id)
    return opt_out_by_link(tx, opt_out, actor=actor)


def opt_out_by_link(tx: Transaction, opt_out: OptOut, *, actor: str = BY) -> Scope:
    """Suppress the person and end all their enrollments. A repetition changes nothing. Raises ``NotFound``."""
    now = close_lanes(tx, sorted(follow.lanes_of(tx, [opt_out.candidate_id])))
    person = person_of(tx, opt_out)
    organization_id = opt_out.organization_id
    new = people.put_all_on_list(tx, organization_id, person.candidate_id, "opt_out", actor=actor)
    entry = suppressions.active_id(tx, organization_id, person.email)
    ended = people.end_person(tx, person.candidate_id, None, REASON)
    if new:
        data = {"reason": REASON, "enrollments": len(ended)}
        audit.write(
            tx, organization_id, actor, "candidate_suppressed", f"candidate:{person.candidate_id}", data
        )
        _record(tx, opt_out, person, len(ended), f"opt-out:{entry}", actor)
    return Scope(
        organization_id, now, candidate_ids=[person.candidate_id], cause=f"suppressed:{entry}", cancels=REASON
    )


def _record(tx: Transaction, opt_out: OptOut, person: Person, ended: int, cause: str, actor: str) -> None:
    about = _ABOUT.one_or_none(tx, candidate_id=person.candidate_id, delivery_id=opt_out.delivery_id)
    if about is None:
        return  # in no sequence, so nobody is waiting to hear of it
    payload = CandidateOptedOut(
        mailbox=about.mailbox,
        mailbox_id=about.mailbox_id,
        sequence_id=about.sequence_id,
        sequence=about.sequence,
        enrollment_id=about.enrollment_id,
        candidate_id=person.candidate_id,
        person=person.person,
        others=max(0, ended - 1) or None,
    )
    events.record(tx, opt_out.organization_id, payload, cause, actor)
