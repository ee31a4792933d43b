"""Resume in two steps: a preview of who would get what and when, then the resumption. Nothing resumes automatically."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import structlog

from app.runtime import Runtime
from db.core.session import Transaction
from db.withdrawing import reopens, resumes
from db.withdrawing.resumes import Resumable
from domain import resume
from domain.errors import NotFound, NotPermitted
from domain.resume import Planned

log = structlog.get_logger()

TOGETHER = 50  # sequences that are decided at once


@dataclass(frozen=True, slots=True)
class ResumePreview:
    """``blockers``: what prevents resuming (empty = nothing does). ``planned``: in order of time.

    ``summary``: how many emails when. ``notes``: what delays the next emails (an absence, a limit that is used up).
    ``by_hand``: a person paused it, for a reason that we do not know to be over.
    """

    sequence_name: str
    blockers: Sequence[str]
    planned: Sequence[Planned]
    summary: Sequence[str] = ()
    notes: Sequence[str] = ()
    by_hand: bool = False


def preview_resume(
    runtime: Runtime, sequence_id: UUID, *, skip_older_than: timedelta | None = None
) -> ResumePreview:
    """Show what resuming would do now, without changes. Raises ``NotFound``."""
    return preview_together(runtime, [sequence_id], skip_older_than=skip_older_than)[sequence_id]


def preview_together(
    runtime: Runtime, sequence_ids: Sequence[UUID], *, skip_older_than: timedelta | None = None
) -> dict[UUID, ResumePreview]:
    """Preview several that would be resumed together. Blocked ones take no sending time from the others."""
    with runtime.database.transaction() as tx:
        return previews_of(resumes.load_all(tx, sequence_ids), skip_older_than)


def preview_paused(
    tx: Transaction,
    organization_id: UUID,
    owner_id: UUID | None,
    *,
    chosen: Collection[UUID] | None = None,
    skip_older_than: timedelta | None = None,
) -> dict[UUID, ResumePreview]:
    """Preview the first ``TOGETHER`` paused sequences of an owner (None: of everybody), by name.

    Those ``chosen`` are planned as resumed together (None: all that nobody paused by hand), each of the others as resumed alone.
    """
    ids = resumes.paused(tx, organization_id, owner_id, most=TOGETHER)
    loaded = resumes.load_all(tx, ids)
    together = [
        each
        for each in loaded
        if (not each.by_hand if chosen is None else each.sequence_id in chosen) and not each.blockers
    ]
    found = previews_of(together, skip_older_than)
    for each in loaded:
        if each.sequence_id not in found:
            found |= previews_of([each], skip_older_than)
    return {each: found[each] for each in ids}


def resume_sequence(
    runtime: Runtime,
    sequence_id: UUID,
    *,
    actor: str,
    owner_id: UUID | None = None,
    skip_older_than: timedelta | None = None,
) -> ResumePreview:
    """Resume as previewed, but planned again under the lane's lock. Raises ``NotFound``, ``NotPermitted``."""
    done = resume_together(
        runtime, [sequence_id], actor=actor, owner_id=owner_id, skip_older_than=skip_older_than
    )
    return done[sequence_id]


def resume_together(
    runtime: Runtime,
    sequence_ids: Sequence[UUID],
    *,
    actor: str,
    owner_id: UUID | None = None,
    skip_older_than: timedelta | None = None,
) -> dict[UUID, ResumePreview]:
    """Resume several, all or none. Raises ``NotFound``, and ``NotPermitted`` naming the first that cannot.

    ``owner_id``: whose they have to be, also when it happens, for whoever has one since has to decide; None: anybody's.
    """
    with runtime.database.transaction() as tx:
        resumes.lanes_of(tx, sequence_ids)
        loaded = resumes.load_all(tx, sequence_ids)
        for each in loaded:
            if owner_id not in (None, each.owner_id):
                raise NotPermitted(
                    f"The sequence {each.sequence_name} was handed over meanwhile. Its owner decides."
                )
        return _resume(tx, loaded, None, actor, skip_older_than)


def resume_several(
    runtime: Runtime,
    sequence_ids: Sequence[UUID],
    *,
    actor: str,
    owner_id: UUID | None = None,
    skip_older_than: timedelta | None = None,
) -> dict[UUID, ResumePreview]:
    """Resume those of them that may; the others stay paused, and their ``blockers`` say why.

    What is no longer paused, or no longer ``owner_id``'s (None: anybody's), is left as it is, and out of the answer: a second
    request resumes nothing twice.
    """
    with runtime.database.transaction() as tx:
        resumes.lanes_of(tx, sequence_ids)
        loaded = resumes.load_all(tx, sequence_ids)
        paused = [each for each in loaded if each.status == "paused" and owner_id in (None, each.owner_id)]
        done = _resume(tx, [each for each in paused if not each.blockers], None, actor, skip_older_than)
        return done | previews_of([each for each in paused if each.blockers], skip_older_than)


def resume_enrollment(runtime: Runtime, enrollment_id: UUID, *, actor: str) -> ResumePreview:
    """Resume one person who is paused, or whom somebody stopped by hand. Raises ``NotFound``, ``NotPermitted``."""
    with runtime.database.transaction() as tx:
        row = resumes.enrollment(tx, enrollment_id)
        if row is None:
            raise NotFound("There is no such enrollment.")
        if row.status == "stopped":
            resumes.lanes_of(tx, [row.sequence_id])
            reopens.reopen(tx, enrollment_id)
            row = replace(row, status="paused")
        if row.status != "paused":
            raise NotPermitted(f"This person is {row.status} in the sequence, not paused.")
        loaded = resumes.load(tx, row.sequence_id, enrollment_id, lock=True)
        return _resume(tx, [loaded], enrollment_id, actor, None)[row.sequence_id]


def resume_people(
    runtime: Runtime, sequence_id: UUID, enrollment_ids: Sequence[UUID], *, actor: str
) -> list[ResumePreview]:
    """Resume several people of a sequence, all or none. Whoever is not paused in it any more is left as they are.

    Raises ``NotFound``, ``NotPermitted``.
    """
    done = []
    with runtime.database.transaction() as tx:
        resumes.lanes_of(tx, [sequence_id])
        for each in enrollment_ids:
            row = resumes.enrollment(tx, each)
            if row is not None and (row.sequence_id, row.status) == (sequence_id, "paused"):
                # One after the other: each finds those before it in the mailbox's turn.
                loaded = resumes.load(tx, sequence_id, each)
                done.append(_resume(tx, [loaded], each, actor, None)[sequence_id])
    return done


def previews_of_people(
    tx: Transaction, sequence_id: UUID, enrollment_ids: Sequence[UUID]
) -> list[ResumePreview]:
    """Preview each of them as resumed alone. Raises ``NotFound``."""
    return [previews_of([resumes.load(tx, sequence_id, each)])[sequence_id] for each in enrollment_ids]


def _resume(
    tx: Transaction,
    loaded: Sequence[Resumable],
    enrollment_id: UUID | None,
    actor: str,
    skip_older_than: timedelta | None,
) -> dict[UUID, ResumePreview]:
    wanted = "paused" if enrollment_id is None else "active"
    for each in loaded:
        if each.status != wanted:
            way_out = " Start it instead." if each.status == "draft" else ""
            raise NotPermitted(f"The sequence {each.sequence_name} is {each.status}, not {wanted}.{way_out}")
        if each.blockers:
            raise NotPermitted(f"{each.sequence_name} cannot be resumed yet. {' '.join(each.blockers)}")
    previews = previews_of(loaded, skip_older_than)
    for each in loaded:
        planned = previews[each.sequence_id].planned
        resumes.let_go(tx, each, planned, actor=actor, enrollment_id=enrollment_id)
        log.info("resumed", sequence_id=str(each.sequence_id), count=len(planned))
    return previews


def previews_of(
    loaded: Sequence[Resumable], skip_older_than: timedelta | None = None
) -> dict[UUID, ResumePreview]:
    """Return the plans for everybody who waits in these sequences, by sequence."""
    lanes: dict[UUID, list[Resumable]] = defaultdict(list)
    for each in loaded:
        lanes[each.mailbox_id].append(each)
    previews = {}
    for together in lanes.values():
        free = [each for each in together if not each.blockers]
        planned = _plan(free, skip_older_than)
        for each in together:
            # For a blocked one: what would leave if nothing prevented it.
            mine = planned if each in free else _plan([each], skip_older_than)
            ids = {item.delivery_id for item in each.waiting}
            own = [item for item in mine if item.delivery_id in ids]
            previews[each.sequence_id] = ResumePreview(
                each.sequence_name,
                each.blockers,
                own,
                resume.summary(own, each.lane.now, each.zone),
                each.notes,
                each.by_hand,
            )
    return previews


def _plan(together: Sequence[Resumable], skip_older_than: timedelta | None) -> list[Planned]:
    if not together:
        return []
    return resume.plan(
        [item for each in together for item in each.waiting],
        together[0].neighbours,
        lane=together[0].lane,
        roads={sequence: road for each in together for sequence, road in each.roads.items()},
        skip_older_than=skip_older_than,
    )
