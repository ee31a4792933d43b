"""V1 of a hand-over: after it, no email of the sequence passes the gate at its former mailbox. A running sequence is paused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.events import pauses, problems
from db.sending import outcomes
from db.sending.moves import at_rest
from db.sequences import sequences
from db.withdrawing.withdrawals import Scope, close_lanes
from domain.delivery import State
from domain.errors import NotFound, NotPermitted
from domain.events import EventKind
from domain.hand_edits import Overtaken
from domain.handover import SENDER_CHANGED, Middle


class Colleague(NamedTuple):
    """A member who may take a sequence over."""

    id: UUID
    name: str
    email: str


class Ownership(NamedTuple):
    """A sequence, whose it is, and from where it sends. ``sender`` "": a sender address."""

    id: UUID
    organization_id: UUID
    name: str
    status: str
    version: int
    owner_id: UUID
    owner: str
    owner_active: bool
    mailbox_id: UUID
    uses_sender_address: bool
    address: str
    sender: str
    waiting: int


class Means(NamedTuple):
    """What a hand-over means for the people of a sequence.

    ``fresh``: who had no email yet. ``middle``: whose last one came from another mailbox than the new one; ``same``: from the same.
    ``writers``: the names of those who wrote to the middle, without whoever writes from the new mailbox.
    ``held``: of all these, who is paused, away or waits for something else than time. ``on_the_way``: emails that may be leaving.
    """

    fresh: int
    middle: int
    same: int
    writers: list[str]
    held: int
    on_the_way: int


@dataclass(frozen=True, slots=True)
class New:
    """Who owns the sequence from now on, and from where it sends."""

    owner_id: UUID
    mailbox_id: UUID
    uses_sender_address: bool
    middle: Middle
    introduction: str


_SQL = SqlFile(__name__)
_OWNERSHIP = _SQL.statement("of_sequence", Ownership)
_OF_MEMBER = _SQL.statement("of_member", Ownership)
_OF_MAILBOX = _SQL.statement("of_mailbox", Ownership)
_LANES = _SQL.statement("lanes", UUID)
_PAUSE, _HOLD_MIDDLE = _SQL.statement("pause"), _SQL.statement("hold_middle")
_BRING_ALONG, _LEFT_BEHIND = _SQL.statement("bring_along"), _SQL.statement("left_behind", UUID)
_MEANS, _NAMES = _SQL.statement("means", Means), _SQL.statement("names", str)
_MEMBER = _SQL.statement("member", Colleague)
_COLLEAGUES = _SQL.statement("colleagues", Colleague)
_ACTIVE = Statement(
    "SELECT active FROM members WHERE id = :id AND organization_id = :organization_id FOR UPDATE", bool
)


def ownership(tx: Transaction, sequence_id: UUID) -> Ownership:
    """Return whose a sequence is. Raises ``NotFound``."""
    found = _OWNERSHIP.one_or_none(tx, id=sequence_id)
    if found is None:
        raise NotFound("There is no such sequence.")
    return found


def of_member(tx: Transaction, organization_id: UUID, member_id: UUID, *, limit: int) -> list[Ownership]:
    """Return a member's sequences that are not archived, by name."""
    return _OF_MEMBER.all(tx, id=member_id, organization_id=organization_id, limit=limit)


def of_mailbox(
    tx: Transaction, organization_id: UUID, member_id: UUID, mailbox_id: UUID, *, limit: int
) -> list[Ownership]:
    """Return a member's sequences that send from a mailbox and are not archived, paused ones first."""
    return _OF_MAILBOX.all(tx, id=member_id, mailbox=mailbox_id, organization_id=organization_id, limit=limit)


def member(tx: Transaction, organization_id: UUID, member_id: UUID) -> Colleague:
    """Return an active member. Raises ``NotFound``."""
    found = _MEMBER.one_or_none(tx, id=member_id, organization_id=organization_id)
    if found is None:
        raise NotFound("Nobody active in your organization has this id.")
    return found


def colleagues(tx: Transaction, organization_id: UUID, *, besides: UUID, limit: int) -> list[Colleague]:
    """Return active members by name, without one."""
    return _COLLEAGUES.all(tx, organization_id=organization_id, besides=besides, limit=limit)


def means(tx: Transaction, sequence_id: UUID, owner_id: UUID, mailbox_id: UUID) -> Means:
    """Return what it means for the people that this member sends the sequence from this mailbox."""
    return _MEANS.one(tx, id=sequence_id, owner=owner_id, mailbox=mailbox_id)


def in_the_middle(tx: Transaction, sequence_id: UUID, mailbox_id: UUID, *, limit: int) -> list[str]:
    """Return the names of people whose last email came from another mailbox than this."""
    return _NAMES.all(tx, id=sequence_id, mailbox=mailbox_id, limit=limit)


def lock(tx: Transaction, sequence_ids: Sequence[UUID], mailbox_id: UUID | None) -> datetime:
    """Lock every lane of the sequences and the new one, in id order, and raise their epochs. Returns the time under the locks.

    Raises ``Overtaken`` if a sequence got another sender meanwhile, whose lane is not locked.
    """
    lanes = _LANES.all(tx, ids=list(sequence_ids), also=mailbox_id)
    closed_at = close_lanes(tx, lanes)
    if not set(_LANES.all(tx, ids=list(sequence_ids), also=mailbox_id)) <= set(lanes):
        raise Overtaken(
            "Somebody changed the sender at the same moment. Nothing was handed over. Look again."
        )
    return closed_at


def hand_over(
    tx: Transaction,
    sequence_id: UUID,
    new: New,
    *,
    closed_at: datetime,
    version: int | None,
    cause: str,
    actor: str,
) -> Scope:
    """Hand a sequence over, within the locks of ``lock``. ``version``: of the sequence that was decided on, None: any.

    Raises ``NotPermitted``, ``Overtaken``.
    """
    before = ownership(tx, sequence_id)
    if before.status == "archived":
        raise NotPermitted(f"{before.name} is archived. Duplicate it instead.")
    if version is not None and before.version != version:
        raise Overtaken(f"Somebody has changed {before.name} since you opened it. Nothing was handed over.")
    if not _ACTIVE.one_or_none(tx, id=new.owner_id, organization_id=before.organization_id):
        raise NotPermitted(f"Whoever takes {before.name} over has left.")
    moves = new.mailbox_id != before.mailbox_id
    if moves and (reason := sequences.why_not(tx, sequence_id, new.owner_id, new.mailbox_id)) is not None:
        raise NotPermitted(f"{reason}. Choose another sender.")
    if before.status != "draft":
        kind = EventKind.SEQUENCE_HANDED_OVER.value
        _PAUSE.run(tx, id=sequence_id, cause=cause, reason=kind)
        pauses.hold_pending(tx, sequence_id, f"paused: {kind}")
    sequences.hand_over(
        tx,
        sequence_id,
        owner_id=new.owner_id,
        mailbox_id=new.mailbox_id,
        uses_sender_address=new.uses_sender_address,
        actor=actor,
        introduction=new.introduction if moves else "",
    )
    bring_along(tx, sequence_id)
    if new.middle is Middle.WAIT:
        _HOLD_MIDDLE.run(tx, id=sequence_id, mailbox=new.mailbox_id)
    return Scope(before.organization_id, closed_at, sequence_id=sequence_id, cause=cause)


def bring_along(tx: Transaction, sequence_id: UUID) -> None:
    """Let what still waits at a former mailbox leave from the sequence's, or a person decide where it may have left already."""
    _BRING_ALONG.run(tx, id=sequence_id)
    for delivery_id in _LEFT_BEHIND.all(tx, id=sequence_id):
        if outcomes.to_review(tx, delivery_id, SENDER_CHANGED, at_rest(State.PENDING)) is not None:
            problems.notify_of_review(tx, delivery_id)
