"""Give several sequences of one owner another sender at once, by the rules of one: for instance after a permission has ended."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from actions.handovers import checked_new
from actions.withdraw import carry_out
from app.runtime import Runtime
from db.core.ids import new_id
from db.core.session import Transaction
from db.sequences import built, sequences
from db.sequences.built import SenderChoice
from db.withdrawing import handing_over
from db.withdrawing.handing_over import Ownership
from db.withdrawing.withdrawals import Scope
from domain.errors import InvalidInput, NotPermitted
from domain.hand_edits import Overtaken
from domain.handover import MAX_TOGETHER, TakeOver, default_introduction
from domain.withdrawal import Action, WithdrawalResult


@dataclass(frozen=True, slots=True)
class Preview:
    """What it would do. ``found``: all that send from the former mailbox; ``problems``: why some of the chosen ones may not.

    Of the chosen ones: ``fresh`` had no email yet, ``middle`` had one from another mailbox, ``same`` from the new one, ``held`` wait
    for something else than time. ``introduction``: our words for the middle.
    """

    found: Sequence[Ownership]
    senders: Sequence[SenderChoice]
    mailbox_id: UUID | None
    problems: Mapping[UUID, str]
    fresh: int
    middle: int
    same: int
    held: int
    on_the_way: int
    introduction: str


def preview(
    tx: Transaction,
    member_id: UUID,
    former_id: UUID,
    mailbox_id: UUID | None,
    chosen: Collection[UUID] | None = None,
) -> Preview:
    """Say what sending them from another mailbox would do. ``chosen`` None: all. ``mailbox_id`` None: the first that may be."""
    organization_id = built.organization_of_member(tx, member_id)
    found = handing_over.of_mailbox(tx, organization_id, member_id, former_id, limit=MAX_TOGETHER)
    wanted = [each for each in found if chosen is None or each.id in chosen]
    senders = [each for each in built.senders(tx, organization_id, member_id) if each.id != former_id]
    new = mailbox_id or (senders[0].id if senders else None)
    meant = [] if new is None else [handing_over.means(tx, each.id, member_id, new) for each in wanted]
    middle = sum(each.middle for each in meant)
    problems = {}
    for each in wanted:
        reason = None if new is None else sequences.why_not(tx, each.id, member_id, new)
        if reason is not None:
            problems[each.id] = reason
    return Preview(
        found,
        senders,
        new,
        problems,
        sum(each.fresh for each in meant),
        middle,
        sum(each.same for each in meant),
        sum(each.held for each in meant),
        sum(each.on_the_way for each in meant),
        default_introduction({name for each in meant for name in each.writers}, elsewhere=middle > 0),
    )


def change(
    runtime: Runtime,
    member_id: UUID,
    former_id: UUID,
    chosen: Mapping[UUID, int | None],
    wanted: TakeOver,
    *,
    actor: str,
) -> WithdrawalResult:
    """Let the member's ``chosen`` sequences send from another mailbox than ``former_id``: all, or none.

    ``chosen``: each with the version that was decided on, None: any. Nothing leaves from the former mailbox once it returns; running
    ones are paused. Raises ``NotFound``, ``NotPermitted``, ``InvalidInput``, ``Overtaken``.
    """
    if not chosen or len(chosen) > MAX_TOGETHER:
        raise InvalidInput(
            "No sequence is chosen" if not chosen else "These are too many",
            where="sequence",
            fix=f"Choose 1 to {MAX_TOGETHER}.",
        )
    if wanted.mailbox_id in (None, former_id):
        raise InvalidInput("No other sender is chosen", where="sender", fix="Choose one.")

    def close(tx: Transaction) -> list[Scope]:
        closed_at = handing_over.lock(tx, list(chosen), wanted.mailbox_id)
        cause, scopes = f"handover:{new_id()}", []
        for sequence_id, version in chosen.items():
            now = handing_over.ownership(tx, sequence_id)
            if now.owner_id != member_id:
                raise NotPermitted(f"{now.name} has another owner. Nothing was changed.")
            if now.mailbox_id != former_id:
                raise Overtaken(f"{now.name} sends from another mailbox already. Nothing was changed.")
            new = checked_new(tx, sequence_id, member_id, wanted)
            scopes.append(
                handing_over.hand_over(
                    tx, sequence_id, new, closed_at=closed_at, version=version, cause=cause, actor=actor
                )
            )
        return scopes

    return carry_out(runtime, actor, Action.CHANGE_SENDERS, member_id, close)
