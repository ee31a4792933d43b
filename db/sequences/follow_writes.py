"""The writes for people in an edited sequence (``db/sequences/following.py`` decides them)."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.sending.moves import Move
from db.sequences.steps import MOVABLE, Rewritten, StepRow, known_steps, said_before
from domain.approval import WAITS
from domain.delivery import State

_LEFT_OUT = Move(State.CLOSED, State.PENDING)  # MOVABLE deliveries are pending


_SQL = SqlFile(__name__)
_PUT_BACK = Statement(f"DELETE FROM deliveries d WHERE d.id = ANY(:ids) AND {MOVABLE}")
_COME_BACK = Statement(
    "DELETE FROM deliveries WHERE step_id = :id AND state = 'closed' AND reason = 'step_removed'"
    " AND draft_id IS NULL AND send_started_at IS NULL"
)
_PASS_BY = _SQL.statement("pass_by", movable=MOVABLE)
_NOTE_KNOWN_WORDS = _SQL.statement("note_known_words", movable=MOVABLE)
_IS_ANYBODYS = Statement(
    "SELECT EXISTS (SELECT FROM deliveries WHERE sequence_id = :id"
    " AND state IN ('sending', 'sent', 'in_doubt', 'review'))",
    bool,
)
_LEAVE_OUT = Statement(
    f"UPDATE deliveries d SET {_LEFT_OUT.set}, outcome = 'skipped', reason = r.reason, held = false"
    f" FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id uuid, reason text) WHERE d.id = r.id AND {MOVABLE}"
)
_MOVE = Statement(
    "UPDATE deliveries d SET due_at = r.due_at FROM jsonb_to_recordset(CAST(:rows AS jsonb))"
    f" AS r(id uuid, due_at timestamptz) WHERE d.id = r.id AND {MOVABLE}"
)
_INSERT = _SQL.statement("insert")
_LET_GO = _SQL.statement("let_go")
_FINISH = Statement(
    "UPDATE enrollments SET status = 'finished', reason = NULL, paused_at = NULL WHERE id = ANY(:ids)"
)
_WAKE = _SQL.statement("wake")


def come_back(tx: Transaction, step_id: UUID) -> None:
    """A removed step is back: delete the record of it being left out, so that people can still get it."""
    _COME_BACK.run(tx, id=step_id)


def pass_by(tx: Transaction, sequence_id: UUID, step: StepRow) -> int:
    """Mark the people who are past an added step: it is not for them. Returns how many."""
    return _PASS_BY.run(tx, id=sequence_id, step=step.id, position=step.position)


def note_known_words(tx: Transaction, sequence_id: UUID, edit: Rewritten) -> dict[UUID, int]:
    """Mark a step as passed for people who already got its text as another step (a split, swapped ids)."""
    changed = [each for each in edit.steps if each.was is None or each.reworded]
    known = known_steps(tx, sequence_id) if changed and _anybody(tx, sequence_id) else []
    noted: dict[UUID, int] = {}
    for step in changed:
        for other, version in said_before(known, step):
            noted[step.id] = noted.get(step.id, 0) + _NOTE_KNOWN_WORDS.run(
                tx, id=sequence_id, step=step.id, other=other, version=str(version)
            )
    return noted


def _anybody(tx: Transaction, sequence_id: UUID) -> bool:
    """Has any email of the sequence been sent, or may it have been?"""
    return _IS_ANYBODYS.one(tx, id=sequence_id)


def put_back(tx: Transaction, delivery_ids: Sequence[UUID]) -> None:
    """Delete emails that now come later. Each is planned again in its turn."""
    _PUT_BACK.run(tx, ids=list(delivery_ids))


def leave_out(tx: Transaction, rows: Sequence[Mapping[str, object]]) -> None:
    """Close emails that will not be sent. ``rows``: id, reason."""
    _LEAVE_OUT.run(tx, rows=dump_json(list(rows)))


def move(tx: Transaction, rows: Sequence[Mapping[str, object]]) -> None:
    """Change the emails' due times. ``rows``: id, due_at."""
    _MOVE.run(tx, rows=dump_json(list(rows)))


def insert(tx: Transaction, sequence_id: UUID, rows: Sequence[Mapping[str, object]]) -> None:
    """Add planned emails. ``rows``: the columns of deliveries."""
    _INSERT.run(tx, sequence_id=sequence_id, rows=dump_json(list(rows)))


def let_go(tx: Transaction, step_ids: Sequence[UUID]) -> None:
    """Emails of steps that need no approval any more wait for their time, or for their sequence."""
    if step_ids:
        _LET_GO.run(tx, ids=list(step_ids), reason=WAITS)


def finish(tx: Transaction, enrollment_ids: Sequence[UUID]) -> None:
    """Finish these enrollments; nothing is left to send."""
    _FINISH.run(tx, ids=list(enrollment_ids))


def wake(tx: Transaction, sequence_id: UUID) -> None:
    """Recompute when the sequence's lanes next have work."""
    _WAKE.run(tx, id=sequence_id)
