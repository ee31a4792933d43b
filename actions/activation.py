"""Activate a draft in two steps: a preview of what is incomplete and who would get what first, then the activation."""

from dataclasses import replace
from uuid import UUID

import structlog

from actions.resume import ResumePreview, previews_of
from app.runtime import Runtime
from db.core.session import Transaction
from db.sequences import draft_sequences
from db.withdrawing import resumes
from domain.errors import NotPermitted

log = structlog.get_logger()

_INSTEAD = {
    "paused": "is paused, not a draft: resume it",
    "archived": "is archived: make a new sequence",
}


def preview_activation(runtime: Runtime, sequence_id: UUID) -> ResumePreview:
    """Show what activating would do now, without changes. Raises ``NotFound``, ``NotPermitted`` (not a draft)."""
    with runtime.database.transaction() as tx:
        return preview_of(tx, resumes.load(tx, sequence_id))


def activate_sequence(runtime: Runtime, sequence_id: UUID, *, actor: str) -> ResumePreview:
    """Activate as previewed, but planned again under the lane's lock. Leaves a running sequence as it is.

    Raises ``NotFound``, and ``NotPermitted`` with all blockers.
    """
    with runtime.database.transaction() as tx:
        preview = activate(tx, sequence_id, actor=actor)
    if preview.blockers:
        raise NotPermitted(f"{preview.sequence_name} cannot be activated yet. {' '.join(preview.blockers)}")
    return preview


def activate(tx: Transaction, sequence_id: UUID, *, actor: str) -> ResumePreview:
    """Activate within a transaction. Does nothing if there are ``blockers``. Raises ``NotFound``, ``NotPermitted``."""
    resumable = resumes.load(tx, sequence_id, lock=True)
    preview = preview_of(tx, resumable)
    if preview.blockers or resumable.status == "active":
        return preview
    resumes.let_go(tx, resumable, preview.planned, actor=actor, enrollment_id=None)
    log.info("sequence_activated", sequence_id=str(sequence_id), count=len(preview.planned))
    return preview


def preview_of(tx: Transaction, resumable: resumes.Resumable) -> ResumePreview:
    """Return what activating would do now. Raises ``NotPermitted`` (not a draft)."""
    if resumable.status == "active":
        return ResumePreview(resumable.sequence_name, [], [])
    if resumable.status in _INSTEAD:
        raise NotPermitted(f"{resumable.sequence_name} {_INSTEAD[resumable.status]}.")
    found = draft_sequences.lacking(tx, resumable.sequence_id, sender=resumable.blockers)
    blockers = [each.what for each in found if each.blocks]
    return replace(previews_of([resumable])[resumable.sequence_id], blockers=blockers)
