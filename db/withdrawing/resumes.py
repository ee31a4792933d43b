"""Coming back from a pause: what waits, what still stands in the way, and the transaction that lets it go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.access import authority
from db.access.authority import GRANTS
from db.audit import audit
from db.core.session import Transaction
from db.sending import outcomes, waits
from db.sending.absences import absences_in
from db.sending.enrollments import due_after, windows_of
from db.sending.moves import at_rest
from db.sending.waits import grants_of
from db.sequences import draft_sequences
from domain.absence import reckoned
from domain.delivery import State
from domain.errors import NotFound
from domain.resume import LaneState, Neighbour, Planned, Road, Waiting
from domain.send_window import Absence, next_permitted

_MAX_NEIGHBOURS = 5000  # of other sequences, those due next


@dataclass(frozen=True, slots=True)
class Resumable:
    """A sequence (or one enrollment of it) that could come back. ``blockers``: why not yet, each with its way out.

    ``roads``: by sequence, its own and its neighbours'. ``zone``: the organization's, for people.
    """

    organization_id: UUID
    sequence_id: UUID
    sequence_name: str
    mailbox_id: UUID
    status: str
    blockers: Sequence[str]
    waiting: Sequence[Waiting]
    neighbours: Sequence[Neighbour]
    roads: Mapping[UUID, Road]
    lane: LaneState
    zone: str
    notes: Sequence[str]  # the sender is away, or today's limit is used up


def lanes_of(tx: Transaction, sequence_ids: Sequence[UUID]) -> None:
    """Lock their lanes, in order of ids as everywhere."""
    tx.execute(
        text(
            "SELECT 1 FROM lanes WHERE mailbox_id IN (SELECT mailbox_id FROM sequences WHERE id = ANY(:ids))"
            " ORDER BY mailbox_id FOR UPDATE"
        ),
        {"ids": list(sequence_ids)},
    )


def load(
    tx: Transaction,
    sequence_id: UUID,
    enrollment_id: UUID | None = None,
    *,
    lock: bool = False,
) -> Resumable:
    """Read what a resumption would do. ``lock``: hold the lane, so that what was read is what is done. Raises ``NotFound``."""
    mailbox_id = tx.execute(
        text("SELECT mailbox_id FROM sequences WHERE id = :id"), {"id": sequence_id}
    ).scalar_one_or_none()
    if mailbox_id is None:
        raise NotFound("There is no such sequence.")
    if lock:
        tx.execute(
            text("SELECT 1 FROM lanes WHERE mailbox_id = :id FOR UPDATE"),
            {"id": mailbox_id},
        )
    row = tx.execute(
        text(
            "SELECT s.*, b.settings, b.owner_id AS mailbox_owner_id,"
            " o.sending AS organization_sending, o.time_zone, l.daily_cap, l.zone, l.retry_after_until, clock_timestamp() AS now,"
            " CASE WHEN l.sent_on = (clock_timestamp() AT TIME ZONE l.zone)::date THEN l.sent_today ELSE 0 END AS sent_today,"
            f" {GRANTS} AS grants"
            " FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id LEFT JOIN members h ON h.id = b.owner_id"
            " JOIN members w ON w.id = s.owner_id JOIN organizations o ON o.id = s.organization_id"
            " JOIN lanes l ON l.mailbox_id = b.id WHERE s.id = :id"
        ),
        {"id": sequence_id},
    ).one()
    blockers = authority.blockers(tx, [sequence_id])[sequence_id]
    if row.status == "paused":
        blockers += draft_sequences.refused_texts(tx, sequence_id)
    waiting = tx.execute(
        text(
            "SELECT d.id, c.email, trim(c.first_name || ' ' || c.last_name) AS person, t.position,"
            " t.retired_at IS NOT NULL AS removed, d.due_at,"
            " coalesce(e.paused_at, s.paused_at, s.set_back_at, clock_timestamp()) AS paused_at,"
            " s.status = 'draft' AND coalesce(d.created_at >= s.set_back_at, true) AS never_ran, t.delay"
            " FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id"
            " JOIN steps t ON t.id = d.step_id JOIN sequences s ON s.id = d.sequence_id"
            " WHERE d.sequence_id = :id AND d.state = 'pending'"
            # Just paused, the pause may not have reached the deliveries yet; it counts all the same.
            "   AND (d.held OR s.status IN ('paused', 'draft') OR e.status = 'paused')"
            "   AND (CAST(:enrollment_id AS uuid) IS NULL AND e.status = 'active' OR e.id = :enrollment_id)"
            " ORDER BY d.due_at"
        ),
        {"id": sequence_id, "enrollment_id": enrollment_id},
    ).all()
    absent = reckoned(absences_in(row.settings), row.now)
    neighbours, roads = _neighbours(tx, row, absent)
    roads[sequence_id] = _road(row, row, absent)
    windows = windows_of(row.sending, row.organization_sending, (row.settings or {}).get("window"))
    return Resumable(
        row.organization_id,
        sequence_id,
        row.name,
        mailbox_id,
        row.status,
        blockers,
        [
            Waiting(
                each.id,
                sequence_id,
                each.email,
                each.person or each.email,
                each.position,
                # Enrolled in a draft: their time begins when it is activated.
                due_after(row.now, each.delay, windows) if each.never_ran else each.due_at,
                row.now if each.never_ran else each.paused_at,
                each.removed,
            )
            for each in waiting
        ],
        neighbours,
        roads,
        LaneState(row.now, row.zone, row.daily_cap, row.sent_today, row.retry_after_until),
        row.time_zone,
        list(waits.of_sequences(tx, [sequence_id], ("active", "paused")).values()),
    )


def _road(sequence: Any, mailbox: Any, absent: Sequence[Absence]) -> Road:
    window = (mailbox.settings or {}).get("window")
    windows = windows_of(sequence.sending, mailbox.organization_sending, window)
    grants = grants_of(sequence.grants, sequence.owner_id, mailbox.mailbox_owner_id)
    return Road(lambda moment: next_permitted(moment, windows, absent), sequence.owner_id, grants)


def _neighbours(
    tx: Transaction, mailbox: Any, absent: Sequence[Absence]
) -> tuple[list[Neighbour], dict[UUID, Road]]:
    rows = tx.execute(
        text(
            "SELECT d.id, d.sequence_id, d.due_at FROM deliveries d JOIN sequences s ON s.id = d.sequence_id"
            " JOIN enrollments e ON e.id = d.enrollment_id WHERE d.mailbox_id = :mailbox_id"
            " AND (d.state = 'pending' AND NOT d.held OR d.state IN ('queued', 'preparing', 'drafted'))"
            " AND s.status = 'active' AND e.status = 'active' ORDER BY d.due_at LIMIT :most"
        ),
        {"mailbox_id": mailbox.mailbox_id, "most": _MAX_NEIGHBOURS},
    ).all()
    sequences = tx.execute(
        text(
            f"SELECT s.id, s.owner_id, s.sending, {GRANTS} AS grants FROM sequences s"
            " JOIN mailboxes b ON b.id = s.mailbox_id JOIN lanes l ON l.mailbox_id = b.id WHERE s.id = ANY(:ids)"
        ),
        {"ids": list({row.sequence_id for row in rows})},
    ).all()
    roads = {each.id: _road(each, mailbox, absent) for each in sequences}
    return [Neighbour(row.id, row.sequence_id, row.due_at) for row in rows], roads


def same_cause(tx: Transaction, sequence_id: UUID, owner_id: UUID | None) -> list[UUID]:
    """Other sequences that one cause has paused together with this one (of one owner, or of all)."""
    return list(
        tx.execute(
            text(
                "SELECT x.id FROM sequences s JOIN sequences x ON x.organization_id = s.organization_id"
                " AND x.paused_cause = s.paused_cause AND x.id <> s.id AND x.status = 'paused'"
                " WHERE s.id = :id AND s.status = 'paused' AND (CAST(:owner_id AS uuid) IS NULL OR x.owner_id = :owner_id)"
                " ORDER BY lower(x.name), x.id LIMIT 200"
            ),
            {"id": sequence_id, "owner_id": owner_id},
        ).scalars()
    )


def let_go(
    tx: Transaction,
    resumable: Resumable,
    planned: Sequence[Planned],
    *,
    actor: str,
    enrollment_id: UUID | None,
) -> None:
    """Make the plan true: the pause ends and each delivery has its time. The lane is held since ``load(lock=True)``."""
    if enrollment_id is None:
        tx.execute(
            text(
                "UPDATE sequences SET status = 'active', paused_cause = NULL, paused_reason = NULL, paused_at = NULL,"
                " set_back_at = NULL, set_back_by = NULL, resumed_at = clock_timestamp()"
                " WHERE id = :id AND status IN ('paused', 'draft')"
            ),
            {"id": resumable.sequence_id},
        )
        tx.execute(
            text(
                "UPDATE pauses SET resumed_at = clock_timestamp() WHERE sequence_id = :id AND resumed_at IS NULL"
            ),
            {"id": resumable.sequence_id},
        )
    else:
        tx.execute(
            text(
                "UPDATE enrollments SET status = 'active', reason = NULL, paused_at = NULL"
                " WHERE id = :id AND status = 'paused'"
            ),
            {"id": enrollment_id},
        )
    going = [{"id": each.delivery_id, "due_at": each.send_at} for each in planned if each.send_at is not None]
    if going:
        tx.execute(
            text(
                "UPDATE deliveries SET held = false, reason = NULL, due_at = :due_at WHERE id = :id AND state = 'pending'"
            ),
            going,
        )
        tx.execute(
            text(
                "UPDATE lanes SET next_due_at = least(coalesce(next_due_at, :due_at), :due_at) WHERE mailbox_id = :id"
            ),
            {
                "id": resumable.mailbox_id,
                "due_at": min(each.send_at for each in planned if each.send_at is not None),
            },
        )
    for each in planned:
        if each.send_at is None:
            outcomes.close(
                tx,
                each.delivery_id,
                "skipped",
                each.reason,
                at_rest(State.PENDING),
                actor=actor,
                goes_on_from=resumable.lane.now,
            )
    subject = f"sequence:{resumable.sequence_id}" if enrollment_id is None else f"enrollment:{enrollment_id}"
    action = "sequence_resumed" if enrollment_id is None else "enrollment_resumed"
    if resumable.status == "draft":
        action = "sequence_activated"
    data = {"going": len(going), "skipped": len(planned) - len(going)}
    audit.write(tx, resumable.organization_id, actor, action, subject, data)


@dataclass(frozen=True, slots=True)
class EnrollmentStatus:
    """Where one person stands."""

    sequence_id: UUID
    status: str


def enrollment(tx: Transaction, enrollment_id: UUID) -> EnrollmentStatus | None:
    """One enrollment's sequence and status."""
    row = tx.execute(
        text("SELECT sequence_id, status FROM enrollments WHERE id = :id"),
        {"id": enrollment_id},
    ).one_or_none()
    return None if row is None else EnrollmentStatus(row.sequence_id, row.status)
