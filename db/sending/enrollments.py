"""Candidates' progress through a sequence: who is enrolled, which step comes next, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.core.ids import delivery_id, new_id
from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from domain.delay import parse_delay
from domain.errors import NotFound
from domain.send_window import SendWindow, business_calendar, next_permitted

_SQL = SqlFile(__name__)


def next_step(*, besides: str = "true", had: str = "true") -> str:
    """SQL for the next step of an enrollment ``e`` in a sequence ``s``. ``had``: which of their deliveries ``v`` of a step count."""
    return _SQL.fragment("next_step", besides=besides, had=had)


class Here(NamedTuple):
    """Where an enrollment is, and the step that comes next, if any: a row of ``AFTER``."""

    id: UUID
    organization_id: UUID
    status: str
    sequence_id: UUID
    mailbox_id: UUID
    sequence_status: str
    sending: Json | None
    organization_sending: Json | None
    time_zone: str
    mailbox_sending: Json | None
    step_id: UUID | None
    delay: str | None


class _First(NamedTuple):
    organization_id: UUID
    mailbox_id: UUID
    status: str
    sending: Json | None
    organization_sending: Json | None
    time_zone: str
    mailbox_sending: Json | None
    step_id: UUID
    delay: str


# Part of the statement that settles ``:after_step``, which then selects from ``here`` and passes the row to ``go_on``.
AFTER = _SQL.fragment("after", besides="x.id <> :after_step", had="true")
_STEP_AFTER = _SQL.statement("step_after", Here, after=AFTER)
_FIRST_STEP = _SQL.statement("first_step", _First)
_ENROLL = _SQL.statement("enroll", UUID)
# Postgres keeps the plan of a foreign key's check as long as the connection lives. One made for a table of a few people finds each
# person among all of their organization's.
_PLAN_ANEW = Statement("DISCARD PLANS")
_INSERT_FIRST = _SQL.statement("insert_first")
_INSERT_NEXT = _SQL.statement("insert_next")
_LOCK_LANE = Statement(
    "SELECT 1 FROM lanes WHERE mailbox_id = (SELECT mailbox_id FROM deliveries WHERE id = :id) FOR UPDATE"
)
_WAKE_LANE = _SQL.statement("wake_lane")


@dataclass(frozen=True, slots=True)
class FirstStep:
    """Where a sequence's new enrollments start."""

    organization_id: UUID
    sequence_id: UUID
    mailbox_id: UUID
    step_id: UUID
    due_at: datetime
    held: bool


def windows_of(*policies: Json | None) -> list[SendWindow]:
    """Turn stored sending policies into windows. A missing policy allows any time."""
    return [SendWindow.from_json(policy) for policy in policies if policy]


def due_after(start: datetime, delay: str, windows: Sequence[SendWindow], zone: str = "UTC") -> datetime:
    """Return when a step is due: add ``delay`` to ``start``, then take the next permitted instant.

    ``zone``: the organization's time zone, which defines days unless a window says otherwise.
    """
    calendar = business_calendar(windows, zone)
    return next_permitted(parse_delay(delay).after(start, calendar), windows, [])


def first_step(tx: Transaction, sequence_id: UUID, now: datetime) -> FirstStep:
    """Return a sequence's first step and when it is due for somebody who enrolls now. Raises ``NotFound``."""
    row = _FIRST_STEP.one_or_none(tx, id=sequence_id)
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


def at_once(tx: Transaction, sequence_id: UUID, step_id: UUID, now: datetime) -> FirstStep:
    """Return when a step is due for somebody who begins with it as soon as the windows allow, whatever its delay."""
    row = _FIRST_STEP.one(tx, id=sequence_id)
    windows = windows_of(row.sending, row.organization_sending, row.mailbox_sending)
    due_at = next_permitted(now, windows, [])
    return FirstStep(
        row.organization_id, sequence_id, row.mailbox_id, step_id, due_at, held=row.status != "active"
    )


def begin_with(tx: Transaction, enrollment_id: UUID, first: FirstStep) -> None:
    """Give an enrollment that has no email yet its first one."""
    _INSERT_NEXT.run(
        tx,
        id=delivery_id(enrollment_id, first.step_id),
        organization_id=first.organization_id,
        enrollment_id=enrollment_id,
        sequence_id=first.sequence_id,
        step_id=first.step_id,
        mailbox_id=first.mailbox_id,
        due_at=first.due_at,
        held=first.held,
        reason="sequence_not_active" if first.held else None,
    )


def starts(tx: Transaction, sequence_id: UUID, now: datetime, days: int) -> list[datetime]:
    """Return when people enroll who start on ``days`` business days, one after another: now, and at this time of day later."""
    if days <= 1:
        return [now] * days
    row = _FIRST_STEP.one(tx, id=sequence_id)
    windows = windows_of(row.sending, row.organization_sending, row.mailbox_sending)
    return [now, *(due_after(now, f"{day} business days", windows, row.time_zone) for day in range(1, days))]


def enroll_many(tx: Transaction, sequence_id: UUID, candidate_ids: Sequence[UUID], now: datetime) -> int:
    """Enroll candidates who are not in the sequence yet, each with a delivery of the first step; returns how many."""
    first = first_step(tx, sequence_id, now)
    enrolled = 0
    _PLAN_ANEW.run(tx)
    for start in range(0, len(candidate_ids), 1000):
        batch = candidate_ids[start : start + 1000]
        common = {"organization_id": first.organization_id, "sequence_id": sequence_id}
        new = _ENROLL.all(tx, **common, ids=[new_id() for _ in batch], candidate_ids=list(batch))
        _INSERT_FIRST.run(
            tx,
            **common,
            step_id=first.step_id,
            mailbox_id=first.mailbox_id,
            due_at=first.due_at,
            held=first.held,
            reason="sequence_not_active" if first.held else None,
            ids=[delivery_id(each, first.step_id) for each in new],
            enrollment_ids=new,
        )
        enrolled += len(new)
    if enrolled:
        wake_lane(tx, first.mailbox_id, first.due_at)
    return enrolled


def insert_next_step(tx: Transaction, enrollment_id: UUID, *, after_step: UUID, now: datetime) -> bool:
    """Insert the delivery of the step after ``after_step``, or finish the enrollment if there is none."""
    here = _STEP_AFTER.one(tx, enrollment_id=enrollment_id, after_step=after_step)
    return go_on(tx, here, now=now)


def go_on(tx: Transaction, here: Here, *, now: datetime) -> bool:
    """Insert the delivery of the next step if there is one and the person is active or paused. ``here``: a row from ``AFTER``.

    Only the transaction that settles the previous step calls this, so steps cannot get out of order.
    """
    if here.step_id is None or here.delay is None or here.status not in ("active", "paused"):
        return False
    windows = windows_of(here.sending, here.organization_sending, here.mailbox_sending)
    due_at = due_after(now, here.delay, windows, here.time_zone)
    held = here.status == "paused" or here.sequence_status != "active"
    _INSERT_NEXT.run(
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
    """Lock the delivery's lane. Everybody locks lanes, then deliveries, then enrollments; this order prevents deadlocks."""
    _LOCK_LANE.run(tx, id=delivery_id)


def wake_lane(tx: Transaction, mailbox_id: UUID, due_at: datetime) -> None:
    """Record that the lane has work at ``due_at``."""
    _WAKE_LANE.run(tx, mailbox_id=mailbox_id, due_at=due_at)
