"""What an edit of a sequence writes for the people in it (``db/sequences/following.py`` decides it)."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import text

from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.sending.moves import Move
from db.sequences.steps import MOVABLE, Rewritten, StepRow, known_steps, said_before
from domain.delivery import State

_LEAVE_OUT = Move(State.CLOSED, State.PENDING)  # MOVABLE ones are pending


def come_back(tx: Transaction, step_id: UUID) -> None:
    """A step that had been taken out is back: who was to go without it has not had it."""
    tx.execute(
        text(
            "DELETE FROM deliveries WHERE step_id = :id AND state = 'closed' AND reason = 'step_removed'"
            " AND draft_id IS NULL AND send_started_at IS NULL"
        ),
        {"id": step_id},
    )


def pass_by(tx: Transaction, sequence_id: UUID, step: StepRow) -> int:
    """Note who has been further already: a step that is added behind somebody is not for them. Returns how many."""
    return tx.execute(
        text(
            "UPDATE enrollments e SET passed = array_append(passed, CAST(:step AS uuid)) WHERE e.sequence_id = :id"
            " AND e.status IN ('active', 'paused', 'finished') AND NOT :step = ANY(e.passed)"
            " AND NOT EXISTS (SELECT FROM deliveries v WHERE v.enrollment_id = e.id AND v.step_id = :step)"
            " AND EXISTS (SELECT FROM deliveries d JOIN steps y ON y.id = d.step_id WHERE d.enrollment_id = e.id"
            f"   AND y.retired_at IS NULL AND y.position > :position AND NOT ({MOVABLE}))"
        ),
        {"id": sequence_id, "step": step.id, "position": step.position},
    ).rowcount


def note_known_words(tx: Transaction, sequence_id: UUID, edit: Rewritten) -> dict[UUID, int]:
    """Who has had a step's present words as another step (a split, a swap of ids) does not get them again."""
    changed = [each for each in edit.steps if each.was is None or each.reworded]
    known = known_steps(tx, sequence_id) if changed and _anybody(tx, sequence_id) else []
    noted: dict[UUID, int] = {}
    for step in changed:
        for other, version in said_before(known, step):
            noted[step.id] = (
                noted.get(step.id, 0)
                + tx.execute(
                    text(
                        "UPDATE enrollments e SET passed = array_append(passed, CAST(:step AS uuid)) WHERE e.sequence_id = :id"
                        " AND e.status IN ('active', 'paused', 'finished') AND NOT :step = ANY(e.passed)"
                        " AND EXISTS (SELECT FROM deliveries v WHERE v.enrollment_id = e.id AND v.step_id = :other"
                        "   AND v.state IN ('sending', 'sent', 'in_doubt', 'review')"
                        "   AND v.authority->>'step_version' = :version)"
                        " AND NOT EXISTS (SELECT FROM deliveries d WHERE d.enrollment_id = e.id AND d.step_id = :step"
                        f"   AND NOT ({MOVABLE}))"
                    ),
                    {"id": sequence_id, "step": step.id, "other": other, "version": str(version)},
                ).rowcount
            )
    return noted


def _anybody(tx: Transaction, sequence_id: UUID) -> bool:
    """Has an email of the sequence been sent, or may it have been?"""
    found: bool = tx.execute(
        text(
            "SELECT EXISTS (SELECT FROM deliveries WHERE sequence_id = :id"
            " AND state IN ('sending', 'sent', 'in_doubt', 'review'))"
        ),
        {"id": sequence_id},
    ).scalar_one()
    return found


def put_back(tx: Transaction, delivery_ids: Sequence[UUID]) -> None:
    """Take back emails that come later now: each is planned again when it is its turn."""
    tx.execute(
        text("DELETE FROM deliveries d WHERE d.id = ANY(:ids) AND " + MOVABLE), {"ids": list(delivery_ids)}
    )


def leave_out(tx: Transaction, rows: Sequence[Mapping[str, object]]) -> None:
    """Close what will not be sent. ``rows``: id, reason."""
    tx.execute(
        text(
            f"UPDATE deliveries d SET {_LEAVE_OUT.set}, outcome = 'skipped', reason = r.reason, held = false"
            f" FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id uuid, reason text) WHERE d.id = r.id AND {MOVABLE}"
        ),
        {"rows": dump_json(list(rows))},
    )


def move(tx: Transaction, rows: Sequence[Mapping[str, object]]) -> None:
    """Give emails another due time. ``rows``: id, due_at."""
    tx.execute(
        text(
            "UPDATE deliveries d SET due_at = r.due_at FROM jsonb_to_recordset(CAST(:rows AS jsonb))"
            f" AS r(id uuid, due_at timestamptz) WHERE d.id = r.id AND {MOVABLE}"
        ),
        {"rows": dump_json(list(rows))},
    )


def insert(tx: Transaction, sequence_id: UUID, rows: Sequence[Mapping[str, object]]) -> None:
    """Plan emails. ``rows``: the columns of deliveries."""
    tx.execute(
        text(
            "INSERT INTO deliveries (id, organization_id, enrollment_id, sequence_id, step_id, mailbox_id, due_at, held, reason)"
            " SELECT r.id, r.organization_id, r.enrollment_id, :sequence_id, r.step_id, r.mailbox_id, r.due_at, r.held, r.reason"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id uuid, organization_id uuid, enrollment_id uuid, step_id uuid,"
            "   mailbox_id uuid, due_at timestamptz, held boolean, reason text) ON CONFLICT DO NOTHING"
        ),
        {"sequence_id": sequence_id, "rows": dump_json(list(rows))},
    )


def finish(tx: Transaction, enrollment_ids: Sequence[UUID]) -> None:
    """These people have nothing left to get."""
    tx.execute(
        text(
            "UPDATE enrollments SET status = 'finished', reason = NULL, paused_at = NULL WHERE id = ANY(:ids)"
        ),
        {"ids": list(enrollment_ids)},
    )


def wake(tx: Transaction, sequence_id: UUID) -> None:
    """Tell the sequence's lanes when they next have work."""
    tx.execute(
        text(
            "UPDATE lanes SET next_due_at = (SELECT min(d.due_at) FROM deliveries d WHERE d.mailbox_id = lanes.mailbox_id"
            "   AND d.state = 'pending' AND NOT d.held)"
            " WHERE mailbox_id IN (SELECT mailbox_id FROM sequences WHERE id = :id"
            "   UNION SELECT mailbox_id FROM deliveries WHERE sequence_id = :id AND state = 'pending')"
        ),
        {"id": sequence_id},
    )
