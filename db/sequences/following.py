"""People follow an edit of their sequence: they never get a step twice, and they still get the rest, in order.

The caller holds the sequence's lanes, so nothing passes the gate and no step is settled during the edit. We replan only
emails that have certainly not begun (``MOVABLE``). An email that is queued, being prepared, sent or in doubt stays as it is;
settling it finds what comes next (``db/sending/enrollments.py``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.core.ids import delivery_id
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.sending.enrollments import due_after, next_step
from db.sequences import edit_counts, follow_writes
from db.sequences.steps import MOVABLE, Rewritten
from domain.approval import StepKind
from domain.edit_report import EditReport, Moved, NewStep, Rekinded, Removed, Reworded, Times
from domain.send_window import SendWindow


@dataclass(frozen=True, slots=True)
class Plan:
    """What due times depend on: now, and the sending windows before and after the edit."""

    now: datetime
    before: Sequence[SendWindow]
    after: Sequence[SendWindow]


class _Waiting(NamedTuple):
    id: UUID
    enrollment_id: UUID
    mailbox_id: UUID
    organization_id: UUID
    step_id: UUID
    due_at: datetime
    held: bool
    reason: str | None
    removed: bool
    had: bool
    next_id: UUID | None
    next_delay: str  # empty if there is no next step
    since: datetime


class _Sequence(NamedTuple):
    mailbox_id: UUID
    status: str


class _Finished(NamedTuple):
    enrollment_id: UUID
    organization_id: UUID
    next_id: UUID
    next_delay: str
    since: datetime


_SQL = SqlFile(__name__)
_WAITING = _SQL.statement("waiting", _Waiting, next_step=next_step(had="v.id <> d.id"), movable=MOVABLE)
_SEQUENCE = Statement("SELECT mailbox_id, status FROM sequences WHERE id = :id", _Sequence)
_FINISHED = _SQL.statement("finished", _Finished, next_step=next_step())
_REACTIVATE = Statement("UPDATE enrollments SET status = 'active' WHERE id = ANY(:ids)")


def follow(tx: Transaction, sequence_id: UUID, edit: Rewritten, plan: Plan, *, go_on: bool) -> EditReport:
    """Replan everybody in the sequence. ``go_on``: people who had finished get the steps added since."""
    added = [each for each in edit.steps if each.was is None]
    for step in added:
        follow_writes.come_back(tx, step.id)
    behind = {step.id: follow_writes.pass_by(tx, sequence_id, step) for step in added}
    knew = follow_writes.note_known_words(tx, sequence_id, edit)
    waited = {each.id: edit_counts.waiting_for(tx, each.id) for each in edit.removed}
    rows = _WAITING.all(tx, id=sequence_id)
    changes = _decide(rows, edit, plan)
    follow_writes.put_back(tx, changes.put_back)
    follow_writes.leave_out(tx, changes.left_out)
    follow_writes.move(tx, changes.moves)
    follow_writes.insert(tx, sequence_id, changes.inserts)
    follow_writes.finish(tx, changes.done)
    kinds = [
        Rekinded(each.position, each.words.kind, edit_counts.to_get(tx, each.id))
        for each in edit.steps
        if each.kind_before is not None and each.words.kind is not None
    ]
    follow_writes.let_go(
        tx,
        [
            each.id
            for each in edit.steps
            if each.kind_before is not None and each.words.kind != StepKind.APPROVAL
        ],
    )
    gone_on = _continue(tx, sequence_id, plan) if go_on else 0
    follow_writes.wake(tx, sequence_id)
    return EditReport(
        changed=edit.changed or bool(changes.moves) or gone_on > 0,
        new=[
            NewStep(
                each.position,
                edit_counts.to_get(tx, each.id),
                behind[each.id],
                knew.get(each.id, 0),
                0 if go_on else edit_counts.through(tx, each.id),
            )
            for each in added
        ],
        reworded=[
            Reworded(
                each.position,
                edit_counts.to_get(tx, each.id),
                edit_counts.have_had(tx, each.id),
                knew.get(each.id, 0),
            )
            for each in edit.steps
            if each.reworded
        ],
        rekinded=kinds,
        removed=[Removed(each.position, *waited[each.id]) for each in edit.removed],
        moved=_moved(edit),
        times=changes.times,
        kept_time=edit_counts.under_way(
            tx, [each.id for each in edit.steps if each.delay_before != each.words.delay]
        ),
        goes_on=gone_on,
        done=len(changes.done),
    )


@dataclass(frozen=True, slots=True)
class _Changes:
    moves: Sequence[dict[str, object]]  # id, due_at
    put_back: Sequence[UUID]  # another step comes first, and this one later
    left_out: Sequence[dict[str, object]]  # id, reason
    inserts: Sequence[dict[str, object]]
    done: Sequence[UUID]  # enrollments
    times: Times | None


def _decide(rows: Sequence[_Waiting], edit: Rewritten, plan: Plan) -> _Changes:
    delays = {each.id: each.delay_before for each in edit.steps}
    moves: list[dict[str, object]] = []
    put_back: list[UUID] = []
    left_out: list[dict[str, object]] = []
    inserts: list[dict[str, object]] = []
    done: list[UUID] = []
    before: list[datetime] = []
    after: list[datetime] = []
    for row in rows:
        gone = row.removed or row.had
        if row.next_id is None and row.held and row.removed:
            continue  # resuming the sequence leaves it out
        if row.next_id == row.step_id:
            due = _moved_due(row, delays.get(row.step_id, row.next_delay), plan)
            if due != row.due_at:
                moves.append({"id": str(row.id), "due_at": due.isoformat()})
        else:
            if gone:
                left_out.append(
                    {"id": str(row.id), "reason": "step_removed" if row.removed else "had_these_words"}
                )
            else:
                put_back.append(row.id)
            if row.next_id is None:
                done.append(row.enrollment_id)
                continue
            due = _due(row, row.next_delay, plan)
            inserts.append(_insert(row, row.next_id, row.mailbox_id, due, row.held, row.reason))
        if due != row.due_at:
            before.append(row.due_at)
            after.append(due)
    times = Times(len(before), (min(before), max(before)), (min(after), max(after))) if before else None
    return _Changes(moves, put_back, left_out, inserts, done, times)


def _due(row: _Waiting, delay: str, plan: Plan) -> datetime:
    """Count from their last email, but never before now. A held email needs no floor: resuming plans it again."""
    due = due_after(row.since, delay, plan.after)
    return due if row.held else max(due, plan.now)


def _moved_due(row: _Waiting, delay_before: str, plan: Plan) -> datetime:
    """Move a step's due time as its delay or windows changed.

    A longer delay never makes it earlier, a shorter one never later.
    """
    then, now = (
        due_after(row.since, delay_before, plan.before),
        due_after(row.since, row.next_delay, plan.after),
    )
    planned = row.due_at
    if then == now:
        return planned
    due = max(now, planned) if now > then else min(now, planned)
    return due if row.held else max(due, min(plan.now, planned))


def _insert(
    row: _Waiting | _Finished,
    step_id: UUID,
    mailbox_id: UUID,
    due: datetime,
    held: bool,
    reason: str | None,
) -> dict[str, object]:
    return {
        "id": str(delivery_id(row.enrollment_id, step_id)),
        "organization_id": str(row.organization_id),
        "enrollment_id": str(row.enrollment_id),
        "step_id": str(step_id),
        "mailbox_id": str(mailbox_id),
        "due_at": due.isoformat(),
        "held": held,
        "reason": reason if held else None,
    }


def _moved(edit: Rewritten) -> list[Moved]:
    """Return the steps that swapped places, not those that shifted because of steps added or removed before them."""
    order = [each.was.position for each in edit.steps if each.was is not None]
    settled = _longest_rising(order)
    return [
        Moved(each.position, each.was.position)
        for each in edit.steps
        if each.was is not None and each.was.position not in settled
    ]


def _longest_rising(numbers: Sequence[int]) -> set[int]:
    chains: list[list[int]] = []
    for number in numbers:
        chains.append([*_longest(chain for chain in chains if chain[-1] < number), number])
    return set(_longest(chains))


def _longest(chains: Iterable[list[int]]) -> list[int]:
    best: list[int] = []
    for chain in chains:
        if len(chain) > len(best):
            best = chain
    return best


def _continue(tx: Transaction, sequence_id: UUID, plan: Plan) -> int:
    """Continue finished enrollments with the steps added since; returns how many."""
    sequence = _SEQUENCE.one(tx, id=sequence_id)
    held = sequence.status != "active"
    rows = _FINISHED.all(tx, id=sequence_id)
    inserts = [
        _insert(
            row,
            row.next_id,
            sequence.mailbox_id,
            max(due_after(row.since, row.next_delay, plan.after), plan.now),
            held,
            "sequence_not_active",
        )
        for row in rows
    ]
    _REACTIVATE.run(tx, ids=[row.enrollment_id for row in rows])
    follow_writes.insert(tx, sequence_id, inserts)
    return len(rows)
