"""Decisions that only a person can make: fill in a missing field, retry failed emails, leave people out."""

from collections.abc import Mapping
from uuid import UUID

import structlog

from actions import resume, withdraw
from app.runtime import Runtime
from db.sequences import decisions
from db.withdrawing import resumes
from domain.errors import InvalidInput, NotPermitted

log = structlog.get_logger()

_MAX_VALUE = 500  # characters


def fill_in(
    runtime: Runtime, sequence_id: UUID, field: str, values: Mapping[UUID, str], for_all: str, *, actor: str
) -> int:
    """Set ``field`` for people who wait for it, by enrollment, and let them continue; returns how many.

    ``for_all``: the value for everybody without one of their own. Without a value, people keep waiting. Raises ``InvalidInput``.
    """
    wanted = {key: " ".join(value.split()) for key, value in values.items()}
    for_all = " ".join(for_all.split())
    if long := [value for value in (*wanted.values(), for_all) if len(value) > _MAX_VALUE]:
        raise InvalidInput(f"A value has {len(long[0])} characters", fix=f"Keep it under {_MAX_VALUE}.")
    if not any((*wanted.values(), for_all)):
        raise InvalidInput("Nothing is filled in", fix="Fill in at least one value.")
    with runtime.database.transaction() as tx:
        given = {}
        for enrollment_id, candidate_id in decisions.blocked_by(tx, sequence_id, field).items():
            if value := wanted.get(enrollment_id) or for_all:
                decisions.fill_in(tx, candidate_id, field, value, actor=actor)
                given[enrollment_id] = value
        running = resumes.load(tx, sequence_id).status == "active"
    for enrollment_id in given:
        let_go(runtime, enrollment_id, running=running, actor=actor)
    log.info("people_filled_in", sequence_id=str(sequence_id), count=len(given))
    return len(given)


def let_go(runtime: Runtime, enrollment_id: UUID, *, running: bool, actor: str) -> None:
    """Let a person continue who waited for something that is there now. ``running``: is their sequence?"""
    if running:
        try:
            resume.resume_enrollment(runtime, enrollment_id, actor=actor)
            return
        except (
            NotPermitted
        ) as error:  # paused, or without permission, since a moment ago: they wait like the others
            log.info("enrollment_waits", enrollment_id=str(enrollment_id), error=type(error).__name__)
    with runtime.database.transaction() as tx:
        decisions.unblock(tx, enrollment_id, actor=actor)


def stop_blocked(runtime: Runtime, sequence_id: UUID, field: str, *, actor: str) -> int:
    """Stop the sequence for everybody who waits for ``field``; returns how many."""
    with runtime.database.transaction() as tx:
        people = decisions.blocked_by(tx, sequence_id, field)
    for enrollment_id in people:
        withdraw.stop_enrollment(runtime, enrollment_id, actor=actor, reason="left_out_by_hand")
    return len(people)


def retry_failed(runtime: Runtime, sequence_id: UUID, reason: str, *, actor: str) -> int:
    """Retry all failed emails with the same cause, each through every check; returns how many."""
    with runtime.database.transaction() as tx:
        found = decisions.failed_for(tx, sequence_id, reason)
        retried = sum(decisions.retry(tx, each, actor=actor) for each in found)
    log.info("failed_retried", sequence_id=str(sequence_id), count=retried)
    return retried


def leave_out_failed(runtime: Runtime, sequence_id: UUID, reason: str, *, actor: str) -> int:
    """Leave out the failed emails with the same cause, so that nobody is asked about them; returns how many."""
    with runtime.database.transaction() as tx:
        return sum(
            decisions.leave_out(tx, each, actor=actor)
            for each in decisions.failed_for(tx, sequence_id, reason)
        )
