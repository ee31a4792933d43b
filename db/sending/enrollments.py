"""Candidates on their way through a sequence: who is enrolled, and which step comes next, when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.core.ids import delivery_id, new_id
from db.core.session import Transaction
from db.core.statements import Statement
from domain.delay import parse_delay
from domain.errors import NotFound
from domain.send_window import SendWindow, business_calendar, next_permitted

# What comes next for an enrollment ``e`` of a sequence ``s``, whatever has been edited since their last email: the first step ``x``
# that they have not had and that was not added behind them.
NEXT = (
    "SELECT x.id, x.delay, x.position FROM steps x WHERE x.sequence_id = s.id AND x.retired_at IS NULL"
    " AND NOT x.id = ANY(e.passed) AND {besides} AND NOT EXISTS (SELECT FROM deliveries v WHERE v.enrollment_id = e.id"
    " AND v.step_id = x.id AND {had}) ORDER BY x.position LIMIT 1"
)
# What comes after ``:after_step``: a part of the statement that settles it. Where nothing does, whoever is still on the way has
# finished. ``go_on`` takes the row ``here``.
AFTER = (
    "here AS MATERIALIZED (SELECT e.id, e.organization_id, e.status, e.sequence_id, s.mailbox_id,"
    "   s.status AS sequence_status, s.sending, o.sending AS organization_sending, o.time_zone, b.settings->'window' AS mailbox_sending,"
    "   t.id AS step_id, t.delay FROM enrollments e JOIN sequences s ON s.id = e.sequence_id"
    "   JOIN organizations o ON o.id = e.organization_id JOIN mailboxes b ON b.id = s.mailbox_id"
    "   LEFT JOIN LATERAL (" + NEXT.format(besides="x.id <> :after_step", had="true") + ") t ON true"
    "   WHERE e.id = :enrollment_id FOR UPDATE OF e),"
    " finished AS (UPDATE enrollments SET status = 'finished', reason = NULL, paused_at = NULL"
    "   WHERE id = (SELECT id FROM here WHERE step_id IS NULL AND status IN ('active', 'paused')))"
)
_AFTER = Statement(f"WITH {AFTER} SELECT * FROM here")
_WAKE = "UPDATE lanes SET next_due_at = least(coalesce(next_due_at, :due_at), :due_at) WHERE mailbox_id = :mailbox_id"
_INSERT = Statement(
    "WITH added AS (INSERT INTO deliveries"
    "   (id, organization_id, enrollment_id, sequence_id, step_id, mailbox_id, due_at, held, reason)"
    "   VALUES (:id, :organization_id, :enrollment_id, :sequence_id, :step_id, :mailbox_id, :due_at, :held, :reason)"
    f"   ON CONFLICT DO NOTHING) {_WAKE} AND NOT :held"
)
_LOCK_LANE = Statement(
    "SELECT 1 FROM lanes WHERE mailbox_id = (SELECT mailbox_id FROM deliveries WHERE id = :id) FOR UPDATE"
)
_WAKE_LANE = Statement(_WAKE)


@dataclass(frozen=True, slots=True)
class FirstStep:
    """Where new enrollments of a sequence start."""

    organization_id: UUID
    sequence_id: UUID
    mailbox_id: UUID
    step_id: UUID
    due_at: datetime
    held: bool


def windows_of(*policies: dict[str, object] | None) -> list[SendWindow]:
    """Stored sending policies as windows; an absent one allows any time."""
    return [SendWindow.from_json(policy) for policy in policies if policy]


def due_after(start: datetime, delay: str, windows: Sequence[SendWindow], zone: str = "UTC") -> datetime:
    """When a step with ``delay`` is due, counted from ``start``: the delay first, then the next permitted instant.

    ``zone``: the organization's, whose days count where no window says otherwise.
    """
    calendar = business_calendar(windows, zone)
    return next_permitted(parse_delay(delay).after(start, calendar), windows, [])


def first_step(tx: Transaction, sequence_id: UUID, now: datetime) -> FirstStep:
    """The first step of a sequence and when it is due for somebody who enrolls now. Raises ``NotFound``."""
    row = tx.execute(
        text(
            "SELECT s.organization_id, s.mailbox_id, s.status, s.sending, o.sending AS organization_sending, o.time_zone,"
            " b.settings->'window' AS mailbox_sending, t.id AS step_id, t.delay"
            " FROM sequences s JOIN organizations o ON o.id = s.organization_id JOIN mailboxes b ON b.id = s.mailbox_id"
            " JOIN steps t ON t.sequence_id = s.id AND t.retired_at IS NULL"
            " WHERE s.id = :id ORDER BY t.position LIMIT 1"
        ),
        {"id": sequence_id},
    ).one_or_none()
    if row is None:
        raise NotFound("This sequence does not exist or has no steps.")
    windows = windows_of(row.sending, row.organization_sending, row.mailbox_sending)
    return FirstStep(
        row.organization_id,
        sequence_id,
        row.mailbox_id,
        row.step_id,
        due_after(now, row.delay, windows, row.time_zone),
        held=row.status != "active",
    )


def enroll_many(tx: Transaction, sequence_id: UUID, candidate_ids: Sequence[UUID], now: datetime) -> int:
    """Enroll candidates who are not in the sequence yet, each with its first step's delivery; returns how many."""
    first = first_step(tx, sequence_id, now)
    enrolled = 0
    for start in range(0, len(candidate_ids), 5000):
        batch = candidate_ids[start : start + 5000]
        common = {"organization_id": first.organization_id, "sequence_id": sequence_id}
        new = (
            tx.execute(
                text(
                    "INSERT INTO enrollments (id, organization_id, sequence_id, candidate_id)"
                    " SELECT r.id, :organization_id, :sequence_id, r.candidate_id"
                    " FROM unnest(CAST(:ids AS uuid[]), CAST(:candidate_ids AS uuid[])) AS r(id, candidate_id)"
                    " ON CONFLICT DO NOTHING RETURNING id"
                ),
                {**common, "ids": [new_id() for _ in batch], "candidate_ids": list(batch)},
            )
            .scalars()
            .all()
        )
        tx.execute(
            text(
                "INSERT INTO deliveries (id, organization_id, enrollment_id, sequence_id, step_id, mailbox_id, due_at, held, reason)"
                " SELECT r.id, :organization_id, r.enrollment_id, :sequence_id, :step_id, :mailbox_id, :due_at, :held, :reason"
                " FROM unnest(CAST(:ids AS uuid[]), CAST(:enrollment_ids AS uuid[])) AS r(id, enrollment_id)"
            ),
            {
                **common,
                "step_id": first.step_id,
                "mailbox_id": first.mailbox_id,
                "due_at": first.due_at,
                "held": first.held,
                "reason": "sequence_not_active" if first.held else None,
                "ids": [delivery_id(each, first.step_id) for each in new],
                "enrollment_ids": new,
            },
        )
        enrolled += len(new)
    if enrolled:
        wake_lane(tx, first.mailbox_id, first.due_at)
    return enrolled


def insert_next_step(tx: Transaction, enrollment_id: UUID, *, after_step: UUID, now: datetime) -> bool:
    """Insert the delivery of the step after ``after_step``; without one the enrollment is finished."""
    here = _AFTER.one_or_none(tx, enrollment_id=enrollment_id, after_step=after_step)
    return go_on(tx, here, now=now)


def go_on(tx: Transaction, here: Any, *, now: datetime) -> bool:
    """Insert the delivery of the next step, if there is one and the person is on the way. ``here``: what ``AFTER`` found.

    Called by the transaction that records the step before as settled and by nothing else: order is structural.
    """
    if here.step_id is None or here.status not in ("active", "paused"):
        return False
    windows = windows_of(here.sending, here.organization_sending, here.mailbox_sending)
    due_at = due_after(now, here.delay, windows, here.time_zone)
    held = here.status == "paused" or here.sequence_status != "active"
    _INSERT.run(
        tx,
        id=delivery_id(here.id, here.step_id),
        organization_id=here.organization_id,
        enrollment_id=here.id,
        sequence_id=here.sequence_id,
        step_id=here.step_id,
        mailbox_id=here.mailbox_id,
        due_at=due_at,
        held=held,
        reason="paused_before_this_step" if held else None,
    )
    return True


def lock_lane_of(tx: Transaction, delivery_id: UUID) -> None:
    """Lanes before deliveries before enrollments, everywhere: that order is what keeps concurrent writers from deadlocks."""
    _LOCK_LANE.run(tx, id=delivery_id)


def wake_lane(tx: Transaction, mailbox_id: UUID, due_at: datetime) -> None:
    """Tell the lane that it has work at ``due_at``."""
    _WAKE_LANE.run(tx, mailbox_id=mailbox_id, due_at=due_at)
