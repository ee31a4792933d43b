"""Resume, in two steps: see who would get what and when; then agree. Nothing resumes by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog

from db import resumes
from db.session import Transaction
from domain import resume
from domain.errors import NotFound, NotPermitted
from domain.resume import Planned
from domain.send_window import next_permitted
from workers.runtime import Runtime

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ResumePreview:
    """``blockers``: what stands in the way (empty = it can be resumed). ``planned``: in order of time."""

    sequence_name: str
    blockers: Sequence[str]
    planned: Sequence[Planned]


def preview_resume(
    runtime: Runtime, sequence_id: UUID, *, skip_older_than: timedelta | None = None
) -> ResumePreview:
    """Show what resuming would do now. Changes nothing. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        return preview_of(resumes.load(tx, sequence_id), skip_older_than)


def resume_sequence(
    runtime: Runtime,
    sequence_id: UUID,
    *,
    actor: str,
    skip_older_than: timedelta | None = None,
) -> ResumePreview:
    """Resume as previewed, planned afresh under the lane's lock. Raises ``NotFound``, ``NotPermitted``."""
    with runtime.database.transaction() as tx:
        return _resume(tx, sequence_id, None, actor, skip_older_than)


def resume_enrollment(runtime: Runtime, enrollment_id: UUID, *, actor: str) -> ResumePreview:
    """Resume one person. Raises ``NotFound``, ``NotPermitted``."""
    with runtime.database.transaction() as tx:
        row = resumes.enrollment(tx, enrollment_id)
        if row is None:
            raise NotFound("There is no such enrollment.")
        if row.status != "paused":
            raise NotPermitted(f"This person's way through the sequence is {row.status}, not paused.")
        return _resume(tx, row.sequence_id, enrollment_id, actor, None)


def _resume(
    tx: Transaction,
    sequence_id: UUID,
    enrollment_id: UUID | None,
    actor: str,
    skip_older_than: timedelta | None,
) -> ResumePreview:
    resumable = resumes.load(tx, sequence_id, enrollment_id, lock=True)
    preview = preview_of(resumable, skip_older_than)
    wanted = "paused" if enrollment_id is None else "active"
    if resumable.status != wanted:
        way_out = " Activate it instead." if resumable.status == "draft" else ""
        raise NotPermitted(
            f"The sequence {resumable.sequence_name} is {resumable.status}, not {wanted}.{way_out}"
        )
    if preview.blockers:
        raise NotPermitted(f"{resumable.sequence_name} cannot be resumed yet. {' '.join(preview.blockers)}")
    resumes.let_go(tx, resumable, preview.planned, actor=actor, enrollment_id=enrollment_id)
    log.info("resumed", sequence_id=str(sequence_id), count=len(preview.planned))
    return preview


def preview_of(resumable: resumes.Resumable, skip_older_than: timedelta | None = None) -> ResumePreview:
    """What would become of everybody who waits."""
    planned = resume.plan(
        resumable.waiting,
        now=resumable.now,
        permitted=lambda moment: next_permitted(moment, resumable.windows, []),
        daily_cap=resumable.daily_cap,
        sent_today=resumable.sent_today,
        zone=resumable.zone,
        skip_older_than=skip_older_than,
    )
    return ResumePreview(resumable.sequence_name, resumable.blockers, planned)
