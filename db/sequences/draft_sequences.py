"""Setting a sequence back to draft, and what keeps a draft from being activated."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.audit import audit
from db.core.session import Transaction
from db.events import events
from db.withdrawing.withdrawals import Scope, close_lanes
from domain import merge
from domain.errors import NotFound, NotPermitted
from domain.events import EventKind

HELD = "sequence_not_active"  # why the emails of a draft wait


def set_back(tx: Transaction, sequence_id: UUID, *, actor: str, reason: str, by_file: bool = False) -> Scope:
    """V1: from here nothing of the sequence passes the gate. What a person sets back, no file starts again.

    Raises ``NotFound``, ``NotPermitted`` (an archived sequence).
    """
    sequence = tx.execute(
        text("SELECT organization_id, mailbox_id, name FROM sequences WHERE id = :id"), {"id": sequence_id}
    ).one_or_none()
    if sequence is None:
        raise NotFound("There is no such sequence.")
    now = close_lanes(tx, [sequence.mailbox_id])
    scope = Scope(sequence.organization_id, now, sequence_id=sequence_id)
    version = tx.execute(
        text(
            "UPDATE sequences SET status = 'draft', set_back_at = coalesce(paused_at, clock_timestamp()), set_back_by = :by,"
            " paused_cause = NULL, paused_reason = NULL, paused_at = NULL, version = version + 1"
            " WHERE id = :id AND status IN ('active', 'paused') RETURNING version"
        ),
        {"id": sequence_id, "by": None if by_file else actor},
    ).scalar_one_or_none()
    if version is None:
        status = tx.execute(
            text("SELECT status FROM sequences WHERE id = :id"), {"id": sequence_id}
        ).scalar_one()
        if status == "draft":
            return scope
        raise NotPermitted(f"{sequence.name} is {status}; only a running or paused sequence can be set back.")
    tx.execute(
        text(
            "UPDATE deliveries SET held = true, reason = :reason WHERE sequence_id = :id AND state = 'pending'"
            " AND NOT held"
        ),
        {"id": sequence_id, "reason": HELD},
    )
    tx.execute(
        text(
            "UPDATE pauses SET resumed_at = clock_timestamp() WHERE sequence_id = :id AND resumed_at IS NULL"
        ),
        {"id": sequence_id},
    )
    audit.write(
        tx,
        sequence.organization_id,
        actor,
        "sequence_set_back",
        f"sequence:{sequence_id}",
        {"reason": reason, "by_file": by_file},
    )
    payload = {
        "sequence_id": str(sequence_id),
        "sequence": sequence.name,
        "actor": actor,
        "recipient": str(events.recipient_for(tx, sequence_id)),
    }
    cause = f"sequence_set_back:{sequence_id}:{version}"
    events.record(tx, sequence.organization_id, EventKind.SEQUENCE_SET_BACK, cause, actor, payload)
    return scope


def incomplete(tx: Transaction, sequence_id: UUID) -> list[str]:
    """What is missing in the sequence itself, each with its way out; whether it may send is asked elsewhere (``db/withdrawing/resumes.py``)."""
    written = _steps(tx, sequence_id)
    if not written:
        return ["It has no steps: add at least one."]
    missing = []
    if not (written[0].subject or "").strip():
        missing.append("Step 1 has no subject: only later steps can answer in the same thread.")
    missing += [
        f"Step {number} has no text: write one."
        for number, step in enumerate(written, start=1)
        if not step.body.strip()
    ]
    return missing + refused_texts(tx, sequence_id)


def refused_texts(tx: Transaction, sequence_id: UUID) -> list[str]:
    """What in the steps' texts can be sent to nobody, each with the right spelling."""
    fields = tx.execute(text("SELECT fields FROM sequences WHERE id = :id"), {"id": sequence_id}).scalar_one()
    allowed = merge.STANDARD_FIELDS | set(fields)
    return [
        f"Step {number}: {each.what}. {each.fix}".strip()
        for number, step in enumerate(_steps(tx, sequence_id), start=1)
        for template in (step.subject or "", step.body)
        for each in merge.check(template, allowed)
    ]


def _steps(tx: Transaction, sequence_id: UUID) -> Sequence[Any]:
    return tx.execute(
        text(
            "SELECT subject, body FROM steps WHERE sequence_id = :id AND retired_at IS NULL ORDER BY position"
        ),
        {"id": sequence_id},
    ).all()
