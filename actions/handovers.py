"""Hand a sequence over: ask somebody, or do it at once where nobody has to be asked; and all sequences of somebody who left.

A hand-over is a withdrawal: once it returns, nothing of the sequence leaves from its former mailbox. A running sequence is paused,
and whoever has it now resumes it, with a preview.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from actions.withdraw import carry_out
from app.runtime import Runtime
from db.core.ids import new_id
from db.core.session import Transaction
from db.sequences import built, candidates, handover_requests, sequences
from db.sequences.built import SenderChoice
from db.sequences.handover_requests import HandoverRequest
from db.withdrawing import handing_over
from db.withdrawing.handing_over import Colleague, Means, New, Ownership
from db.withdrawing.withdrawals import Scope
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.handover import (
    MAX_TOGETHER,
    TakeOver,
    checked_introduction,
    checked_words,
    default_introduction,
)
from domain.withdrawal import Action, WithdrawalResult

log = structlog.get_logger()

_NAMED = 5  # people in a preview


@dataclass(frozen=True, slots=True)
class Preview:
    """What a hand-over would do. ``senders``: what the new owner may choose from. ``mailbox_id``: the chosen one, or the present one.

    ``names``: of the first people in the middle. ``introduction``: our words, for them. ``problem``: why it cannot be so, or "".
    """

    sequence: Ownership
    owner: Colleague
    senders: Sequence[SenderChoice]
    mailbox_id: UUID
    address: str
    means: Means
    names: Sequence[str]
    introduction: str
    problem: str

    @property
    def others(self) -> list[SenderChoice]:
        """What may be chosen: not the present sender, if its owner stays."""
        stays = self.owner.id == self.sequence.owner_id
        return [each for each in self.senders if not (stays and each.id == self.sequence.mailbox_id)]

    @property
    def moves(self) -> bool:
        """Does it send from another mailbox then?"""
        return self.mailbox_id != self.sequence.mailbox_id


def preview(tx: Transaction, sequence_id: UUID, owner_id: UUID, mailbox_id: UUID | None) -> Preview:
    """Say what handing a sequence to a member would do. ``mailbox_id`` None: its present one. Raises ``NotFound``."""
    present = handing_over.ownership(tx, sequence_id)
    owner = handing_over.member(tx, present.organization_id, owner_id)
    choices = built.senders(tx, present.organization_id, owner_id, sequence_id)
    chosen = mailbox_id or present.mailbox_id
    choice = next((each for each in choices if each.id == chosen), None)
    problem = ""
    if choice is None and chosen != present.mailbox_id:
        problem = "This sequence may not send from that mailbox. Choose another sender."
    elif chosen == present.mailbox_id:
        reason = sequences.why_not(tx, sequence_id, owner_id, chosen)
        if reason is not None:
            problem = f"{reason}. The sequence stays paused until it has another sender."
    means = handing_over.means(tx, sequence_id, owner_id, chosen)
    return Preview(
        present,
        owner,
        choices,
        chosen,
        present.address if choice is None else choice.address,
        means,
        handing_over.in_the_middle(tx, sequence_id, chosen, limit=_NAMED),
        default_introduction(means.writers, elsewhere=means.middle > 0),
        problem,
    )


def needs_an_answer(present: Ownership, owner_id: UUID, by: UUID | None) -> bool:
    """Does the new owner have to accept? Not if they do it themselves, stay the owner, or the present owner has left."""
    return present.owner_active and owner_id not in (present.owner_id, by)


def ask(
    runtime: Runtime, sequence_id: UUID, owner_id: UUID, *, words: str, by: UUID | None, actor: str
) -> UUID:
    """Ask a member to take a sequence over; returns the request, or the same one that is open. ``by``: None: a program or operator.

    Raises ``NotFound``, ``NotPermitted``, ``InvalidInput``.
    """
    words = checked_words(words)
    with runtime.database.transaction() as tx:
        present = handing_over.ownership(tx, sequence_id)
        owner = handing_over.member(tx, present.organization_id, owner_id)
        if present.status == "archived":
            raise NotPermitted(f"{present.name} is archived. Duplicate it instead.")
        if owner.id == present.owner_id:
            raise InvalidInput(
                f"{present.name} is {owner.name}'s already", where="to", fix="Choose somebody else."
            )
        asked = handover_requests.ask(
            tx,
            present.organization_id,
            sequence_id,
            present.name,
            owner_id,
            words=words,
            asked_by_id=by,
            actor=actor,
        )
        if asked is not None:
            log.info("handover_asked", sequence_id=str(sequence_id))
            return asked
        known = handover_requests.open_of(tx, sequence_id)
        if known is None:
            raise NotPermitted("Somebody answered a request for it just now. Look again.")
        if known.to_owner_id != owner_id:
            raise NotPermitted(f"{known.to_owner} is asked already. Cancel that first.")
        return known.id


def accept(
    runtime: Runtime, request_id: UUID, wanted: TakeOver, *, owner_id: UUID, actor: str
) -> WithdrawalResult:
    """Take a sequence over as one was asked. Raises ``NotFound``, ``NotPermitted``, ``InvalidInput``."""
    request = _request(runtime, request_id, owner_id)

    def close(tx: Transaction) -> list[Scope]:
        # Answered before the hand-over, which cancels what is still open. The hand-over locks the lanes first.
        closed_at = handing_over.lock(tx, [request.sequence_id], wanted.mailbox_id)
        if not handover_requests.settle(tx, request, "accepted", actor=actor):
            raise NotPermitted(f"This request for {request.sequence} is answered already.")
        new = checked_new(tx, request.sequence_id, owner_id, wanted)
        cause = f"handover:{request_id}"
        return [
            handing_over.hand_over(
                tx, request.sequence_id, new, closed_at=closed_at, version=None, cause=cause, actor=actor
            )
        ]

    return carry_out(runtime, actor, Action.HAND_OVER_SEQUENCE, request.sequence_id, close)


def decline(runtime: Runtime, request_id: UUID, *, owner_id: UUID, actor: str) -> None:
    """Do not take it over. Raises ``NotFound``, ``NotPermitted``."""
    _settle(runtime, _request(runtime, request_id, owner_id), "declined", actor)


def cancel(runtime: Runtime, request_id: UUID, *, actor: str) -> None:
    """Ask no more. The caller has checked whose the sequence is. Raises ``NotFound``, ``NotPermitted``."""
    with runtime.database.transaction() as tx:
        request = handover_requests.load(tx, request_id)
    _settle(runtime, request, "cancelled", actor)


def hand_over(
    runtime: Runtime,
    sequence_id: UUID,
    owner_id: UUID,
    wanted: TakeOver,
    *,
    version: int | None = None,
    by: UUID | None,
    actor: str,
) -> WithdrawalResult:
    """Hand a sequence over at once: to oneself, to another sender, or in place of an owner who has left.

    ``version``: of the sequence that was decided on. ``by``: who does it, None: a program or operator. Raises ``NotFound``,
    ``NotPermitted``, ``InvalidInput``, ``Overtaken``.
    """

    def close(tx: Transaction) -> list[Scope]:
        closed_at = handing_over.lock(tx, [sequence_id], wanted.mailbox_id)
        present = handing_over.ownership(tx, sequence_id)
        if needs_an_answer(present, owner_id, by):
            raise NotPermitted(
                f"{present.owner} is active, so whoever takes {present.name} over has to accept."
            )
        new = checked_new(tx, sequence_id, owner_id, wanted)
        if (new.owner_id, new.mailbox_id) == (present.owner_id, present.mailbox_id):
            raise NotPermitted(f"{present.name} has this owner and sender already. Nothing was changed.")
        return [
            handing_over.hand_over(
                tx,
                sequence_id,
                new,
                closed_at=closed_at,
                version=version,
                cause=f"handover:{new_id()}",
                actor=actor,
            )
        ]

    return carry_out(runtime, actor, Action.HAND_OVER_SEQUENCE, sequence_id, close)


def hand_over_all(
    runtime: Runtime, member_id: UUID, owner_id: UUID, wanted: TakeOver, *, actor: str
) -> WithdrawalResult:
    """Hand over all sequences of a member who has left, all or none, and the people whom they brought in.

    Raises ``NotFound``, ``NotPermitted``, ``InvalidInput``.
    """

    def close(tx: Transaction) -> list[Scope]:
        organization_id = built.organization_of_member(tx, member_id)
        found = handing_over.of_member(tx, organization_id, member_id, limit=MAX_TOGETHER)
        closed_at = handing_over.lock(tx, [each.id for each in found], wanted.mailbox_id)
        found = [
            now
            for each in found
            if (now := handing_over.ownership(tx, each.id)).owner_id == member_id and now.status != "archived"
        ]
        if not found:
            raise NotPermitted("No sequence of theirs is left to hand over.")
        if any(each.owner_active for each in found):
            raise NotPermitted(
                f"{found[0].owner} is active. Hand over one sequence at a time, or end their access."
            )
        candidates.pass_on(tx, member_id, to=owner_id)
        cause = f"handover:{new_id()}"
        return [
            handing_over.hand_over(
                tx,
                each.id,
                checked_new(tx, each.id, owner_id, wanted),
                closed_at=closed_at,
                version=None,
                cause=cause,
                actor=actor,
            )
            for each in found
        ]

    return carry_out(runtime, actor, Action.HAND_OVER_MEMBER, member_id, close)


def checked_new(tx: Transaction, sequence_id: UUID, owner_id: UUID, wanted: TakeOver) -> New:
    """Return what is wanted, checked within the locks. Raises ``NotFound``, ``NotPermitted``, ``InvalidInput``."""
    present = handing_over.ownership(tx, sequence_id)
    owner = handing_over.member(tx, present.organization_id, owner_id)
    words = wanted.introduction
    if words is None:
        means = handing_over.means(tx, sequence_id, owner_id, wanted.mailbox_id or present.mailbox_id)
        words = default_introduction(means.writers, elsewhere=means.middle > 0)
    introduction = checked_introduction(words)
    if wanted.mailbox_id in (None, present.mailbox_id):
        return New(owner.id, present.mailbox_id, present.uses_sender_address, wanted.middle, introduction)
    choices = built.senders(tx, present.organization_id, owner_id, sequence_id)
    choice = next((each for each in choices if each.id == wanted.mailbox_id), None)
    if choice is None:
        raise NotPermitted(
            f"{owner.name} may not send {present.name} from that mailbox. Choose another sender."
        )
    return New(owner.id, choice.id, choice.shared, wanted.middle, introduction)


def _request(runtime: Runtime, request_id: UUID, owner_id: UUID) -> HandoverRequest:
    with runtime.database.transaction() as tx:
        request = handover_requests.load(tx, request_id)
    if request.to_owner_id != owner_id:
        raise NotFound("There is no such request.")
    return request


def _settle(runtime: Runtime, request: HandoverRequest, status: str, actor: str) -> None:
    with runtime.database.transaction() as tx:
        if not handover_requests.settle(tx, request, status, actor=actor):
            raise NotPermitted(f"This request for {request.sequence} is answered already.")
    log.info("handover_answered", sequence_id=str(request.sequence_id), status=status)
