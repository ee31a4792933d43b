"""Somebody says that an incoming message was not what we took it for."""

from collections.abc import Sequence
from uuid import UUID

import structlog

from actions import resume
from app.runtime import Runtime
from db.listening import overrules
from domain.errors import NotPermitted

log = structlog.get_logger()


def overrule(
    runtime: Runtime, organization_id: UUID, message_id: UUID, *, actor: str, reason: str
) -> int | None:
    """Take back what followed; returns in how many sequences the person goes on, where they stood. None: somebody had done it.

    The next emails are planned as after any pause, one after another. Where the sequence itself is paused, the person waits with it.
    Raises ``NotFound``, ``NotPermitted``, ``InvalidInput``.
    """
    with runtime.database.transaction() as tx:
        taken_back = overrules.overrule(tx, organization_id, message_id, actor=actor, reason=reason)
    if taken_back is None:
        return None
    _, reopened = taken_back
    resume_all(runtime, reopened, actor=actor)
    log.info("message_overruled", count=len(reopened))
    return len(reopened)


def resume_all(runtime: Runtime, reopened: Sequence[overrules.Reopened], *, actor: str) -> None:
    """Resume what can go on, each where it stood. Where a sequence itself is paused, the person waits with it."""
    for each in reopened:
        try:
            resume.resume_enrollment(runtime, each.id, actor=actor)
        except NotPermitted as error:
            # They stay paused, as others do there, until its owner resumes.
            log.info("not_resumed", enrollment_id=str(each.id), error=type(error).__name__)
