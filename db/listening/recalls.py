"""A person's end by what they wrote, as a withdrawal: what had passed the gate is recalled and named (P3).

A withdrawal that somebody asks for waits for these emails and answers within 45 s. Nobody waits here: the errands begin after a
moment in which a healthy send ends by itself, and the result can be read as any other.
"""

from uuid import UUID

from db.core.session import Transaction, database_now
from db.events import errands, outbox
from db.withdrawing import drain, withdrawal_results
from db.withdrawing.withdrawals import Scope
from domain.connection import TRACEABLE
from domain.errands import ErrandKind
from domain.jobs import RunErrand
from domain.withdrawal import RECALL_AFTER, RETURNS_WITHIN, Action, WithdrawalResult

_BY = "onbehalf"


def recall(
    tx: Transaction,
    organization_id: UUID,
    candidate_id: UUID,
    enrollment_id: UUID,
    *,
    everywhere: bool,
    cancels: str,
) -> None:
    """Recall what is past the gate, and record a result that names it. Nothing is: nothing is recorded. The lanes are held."""
    scope = Scope(
        organization_id,
        database_now(tx),
        enrollment_id=None if everywhere else enrollment_id,
        candidate_ids=[candidate_id] if everywhere else None,
        cancels=cancels,
    )
    found = drain.in_flight(tx, scope)
    if not found:
        return
    for each in found:
        if each.provider in TRACEABLE:
            errand = errands.ask(
                tx,
                organization_id,
                ErrandKind.RECALL_DRAFT,
                each.delivery_id,
                actor=_BY,
                begin_within=RETURNS_WITHIN,
            )
            outbox.put(tx, RunErrand(errand), after=RECALL_AFTER)
    kept = withdrawal_results.begin(tx, scope, Action.END_ENROLLMENT, enrollment_id, actor=_BY)
    counts = drain.count(tx, scope)
    doubts = [each.delivery_id for each in found]
    answer = WithdrawalResult(kept, counts.stopped, counts.already_sent, doubts, counts.last_left_at, 0.0)
    withdrawal_results.finish(tx, answer, [])
