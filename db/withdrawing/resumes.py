"""Resume after a pause: what waits, what still blocks it, and the transaction that releases it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.access import authority
from db.access.authority import GRANTS
from db.audit import audit
from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.sending import outcomes, waits
from db.sending.absences import absences_in
from db.sending.enrollments import due_after, windows_of
from db.sending.moves import at_rest
from db.sending.waits import grants_of
from db.sequences import draft_sequences
from db.withdrawing import handing_over
from domain.absence import reckoned
from domain.delivery import State
from domain.errors import NotFound
from domain.events import EventKind
from domain.resume import LaneState, Neighbour, Planned, Road, Waiting
from domain.send_window import Absence, next_permitted

_MAX_NEIGHBOURS = 5000  # deliveries of other sequences, those due first


@dataclass(frozen=True, slots=True)
class Resumable:
    """A sequence, or one enrollment of it, that could resume. ``blockers``: why it cannot yet, each with a fix.

    ``by_hand``: a person paused it. ``roads``: by sequence, including neighbours. ``zone``: the organization's, for display.
    """

    organization_id: UUID
    sequence_id: UUID
    sequence_name: str
    owner_id: UUID
    mailbox_id: UUID
    status: str
    by_hand: bool
    blockers: Sequence[str]
    waiting: Sequence[Waiting]
    neighbours: Sequence[Neighbour]
    roads: Mapping[UUID, Road]
    lane: LaneState
    zone: str
    notes: Sequence[str]  # e.g. the sender is away, or today's limit is used up


@dataclass(frozen=True, slots=True)
class EnrollmentStatus:
    """The status of one enrollment."""

    sequence_id: UUID
    status: str


class _Sequence(NamedTuple):
    id: UUID
    organization_id: UUID
    owner_id: UUID
    mailbox_id: UUID
    name: str
    status: str
    paused_reason: str | None
    sending: Json | None
    settings: Json | None
    mailbox_owner_id: UUID | None
    organization_sending: Json | None
    time_zone: str
    daily_cap: int
    zone: str
    retry_after_until: datetime | None  # or until when it is held
    now: datetime
    sent_today: int
    grants: list[Json] | None


class _Waiting(NamedTuple):
    sequence_id: UUID
    id: UUID
    email: str
    person: str
    position: int
    removed: bool
    due_at: datetime
    paused_at: datetime
    never_ran: bool
    delay: str
    away_until: datetime | None
    unclear_until: datetime | None
    to_approve: bool


class _Neighbour(NamedTuple):
    id: UUID
    owner_id: UUID
    sending: Json | None
    grants: list[Json] | None


_SQL = SqlFile(__name__)
_LOCK_LANES = _SQL.statement("lock_lanes")
_SEQUENCES = _SQL.statement("sequences", _Sequence, grants=GRANTS)
_WAITING = _SQL.statement("waiting", _Waiting)
_NEIGHBOURS = _SQL.statement("neighbours", Neighbour)
_NEIGHBOURING_SEQUENCES = _SQL.statement("neighbouring_sequences", _Neighbour, grants=GRANTS)
_PAUSED = _SQL.statement("paused", UUID)
_SAME_CAUSE = _SQL.statement("same_cause", UUID)
_BEGIN_TASKS = _SQL.statement("begin_tasks")
_RESUME_SEQUENCE = _SQL.statement("resume_sequence")
_END_PAUSES = Statement(
    "UPDATE pauses SET resumed_at = clock_timestamp() WHERE sequence_id = :id AND resumed_at IS NULL"
)
_RESUME_ENROLLMENT = _SQL.statement("resume_enrollment")
_LET_GO = Statement(
    "UPDATE deliveries SET held = false, reason = NULL, due_at = :due_at WHERE id = :id AND state = 'pending'"
)
_WAKE_LANE = _SQL.statement("wake_lane")
_ENROLLMENT = Statement("SELECT sequence_id, status FROM enrollments WHERE id = :id", EnrollmentStatus)


def lanes_of(tx: Transaction, sequence_ids: Sequence[UUID]) -> None:
    """Lock the sequences' lanes, in id order as always."""
    _LOCK_LANES.run(tx, ids=list(sequence_ids))


def load(
    tx: Transaction,
    sequence_id: UUID,
    enrollment_id: UUID | None = None,
    *,
    lock: bool = False,
) -> Resumable:
    """Read what a resumption would do. ``lock``: hold the lane, so that nothing changes before it happens.

    Raises ``NotFound``.
    """
    if lock:
        lanes_of(tx, [sequence_id])
    return load_all(tx, [sequence_id], enrollment_id)[0]


def load_all(
    tx: Transaction, sequence_ids: Sequence[UUID], enrollment_id: UUID | None = None
) -> list[Resumable]:
    """Read what resuming them would do, in this order; what they share is read once. The caller locks. Raises ``NotFound``."""
    ids = list(dict.fromkeys(sequence_ids))
    rows = {each.id: each for each in _SEQUENCES.all(tx, ids=ids)}
    if len(rows) < len(ids):
        raise NotFound("There is no such sequence.")
    blockers = authority.blockers(tx, ids)
    paused = [each for each in ids if rows[each].status == "paused"]
    for key, refused in draft_sequences.refused_texts(tx, paused).items():
        blockers[key] += refused
    notes = waits.of_sequences(tx, ids, ("active", "paused"))
    waiting: dict[UUID, list[_Waiting]] = {each: [] for each in ids}
    for item in _WAITING.all(tx, ids=ids, enrollment_id=enrollment_id):
        waiting[item.sequence_id].append(item)
    lanes: dict[UUID, tuple[list[Neighbour], dict[UUID, Road]]] = {}
    return [
        _load(tx, rows[each], waiting[each], blockers[each], [notes[each]] if each in notes else [], lanes)
        for each in ids
    ]


def _load(
    tx: Transaction,
    row: _Sequence,
    waiting: Sequence[_Waiting],
    blockers: list[str],
    notes: Sequence[str],
    lanes: dict[UUID, tuple[list[Neighbour], dict[UUID, Road]]],
) -> Resumable:
    sequence_id = row.id
    absent = reckoned(absences_in(row.settings), row.now)
    if any(each.to_approve for each in waiting):
        notes = [*notes, "Steps that need your approval wait for it when they are due."]
    if row.mailbox_id not in lanes:
        lanes[row.mailbox_id] = _neighbours(tx, row, absent)
    neighbours, roads = lanes[row.mailbox_id]
    windows = windows_of(row.sending, row.organization_sending, (row.settings or {}).get("window"))
    return Resumable(
        row.organization_id,
        sequence_id,
        row.name,
        row.owner_id,
        row.mailbox_id,
        row.status,
        row.paused_reason == EventKind.SEQUENCE_PAUSED,
        blockers,
        [
            Waiting(
                each.id,
                sequence_id,
                each.email,
                each.person or each.email,
                each.position,
                # For people enrolled in a draft, time starts when it is activated.
                due_after(row.now, each.delay, windows) if each.never_ran else each.due_at,
                row.now if each.never_ran else each.paused_at,
                each.removed,
                each.away_until,
                each.unclear_until,
            )
            for each in waiting
        ],
        neighbours,
        {**roads, sequence_id: _road(row, row, absent)},
        LaneState(row.now, row.zone, row.daily_cap, row.sent_today, row.retry_after_until),
        row.time_zone,
        notes,
    )


def _road(sequence: _Sequence | _Neighbour, mailbox: _Sequence, absent: Sequence[Absence]) -> Road:
    window = (mailbox.settings or {}).get("window")
    windows = windows_of(sequence.sending, mailbox.organization_sending, window)
    grants = grants_of(sequence.grants, sequence.owner_id, mailbox.mailbox_owner_id)
    return Road(lambda moment: next_permitted(moment, windows, absent), sequence.owner_id, grants)


def _neighbours(
    tx: Transaction, mailbox: _Sequence, absent: Sequence[Absence]
) -> tuple[list[Neighbour], dict[UUID, Road]]:
    neighbours = _NEIGHBOURS.all(tx, mailbox_id=mailbox.mailbox_id, most=_MAX_NEIGHBOURS)
    sequences = _NEIGHBOURING_SEQUENCES.all(tx, ids=list({each.sequence_id for each in neighbours}))
    roads = {each.id: _road(each, mailbox, absent) for each in sequences}
    return neighbours, roads


def same_cause(tx: Transaction, sequence_id: UUID, owner_id: UUID | None) -> list[UUID]:
    """Return other sequences (of one owner, or of all) that the same cause has paused."""
    return _SAME_CAUSE.all(tx, id=sequence_id, owner_id=owner_id)


def paused(tx: Transaction, organization_id: UUID, owner_id: UUID | None, *, most: int) -> list[UUID]:
    """Return up to ``most`` paused sequences (of one owner, or of all), by name."""
    return _PAUSED.all(tx, organization_id=organization_id, owner_id=owner_id, most=most)


def let_go(
    tx: Transaction,
    resumable: Resumable,
    planned: Sequence[Planned],
    *,
    actor: str,
    enrollment_id: UUID | None,
) -> None:
    """Carry out the plan: end the pause and give each delivery its time. The caller holds the lane from ``load(lock=True)``."""
    handing_over.bring_along(tx, resumable.sequence_id)
    if enrollment_id is None:
        _BEGIN_TASKS.run(tx, id=resumable.sequence_id)
        _RESUME_SEQUENCE.run(tx, id=resumable.sequence_id)
        _END_PAUSES.run(tx, id=resumable.sequence_id)
    else:
        _RESUME_ENROLLMENT.run(tx, id=enrollment_id)
    going = [{"id": each.delivery_id, "due_at": each.send_at} for each in planned if each.send_at is not None]
    if going:
        _LET_GO.run_each(tx, going)
        first = min(each.send_at for each in planned if each.send_at is not None)
        _WAKE_LANE.run(tx, id=resumable.mailbox_id, due_at=first)
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


def enrollment(tx: Transaction, enrollment_id: UUID) -> EnrollmentStatus | None:
    """Return an enrollment's sequence and status, or None."""
    return _ENROLLMENT.one_or_none(tx, id=enrollment_id)
