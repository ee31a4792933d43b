"""Edit the steps of a sequence by hand, also while it runs: a preview of who gets what first, then the edit."""

import uuid
from uuid import UUID

import structlog

from app.runtime import Runtime
from db.audit import audit
from db.core.session import Transaction
from db.sequences import built, draft_sequences, imports, steps
from domain.edit_report import EditReport
from domain.errors import NotPermitted
from domain.hand_edits import AddStep, ChangeStep, Edit, MoveStep, RemoveStep, apply

log = structlog.get_logger()

_ACTIONS = {
    AddStep: "step_added",
    ChangeStep: "step_changed",
    MoveStep: "step_moved",
    RemoveStep: "step_removed",
}


def new_step_id(sequence_id: UUID, key: str) -> UUID:
    """Return a new step's id: the same for the same form, so that a repeated request adds nothing more."""
    return uuid.uuid5(sequence_id, key[:200])


def edit(runtime: Runtime, sequence_id: UUID, wanted: Edit, *, actor: str, go_on: bool = False) -> EditReport:
    """Edit one step; returns what that means for the people in the sequence, falsy if it was so already.

    ``go_on``: people who had finished get the steps added since. Raises ``NotFound``, ``InvalidInput``, ``Overtaken``, and
    ``NotPermitted`` (archived; or a running sequence could not send what would be left of it).
    """
    with runtime.database.transaction() as tx:
        report = _edit(tx, sequence_id, wanted, go_on=go_on, actor=actor)
    if report:
        log.info(_ACTIONS[type(wanted)], sequence_id=str(sequence_id), step_id=str(wanted.id))
    return report


def preview(runtime: Runtime, sequence_id: UUID, wanted: Edit, *, go_on: bool = False) -> EditReport:
    """Return what the edit would do, and change nothing. Raises what ``edit`` raises."""
    with runtime.database.transaction() as tx:
        report = _edit(tx, sequence_id, wanted, go_on=go_on, actor="preview")
        tx.rollback()
    return report


def _edit(tx: Transaction, sequence_id: UUID, wanted: Edit, *, go_on: bool, actor: str) -> EditReport:
    sequence = built.built(tx, sequence_id)
    if sequence.status == "archived":
        raise NotPermitted(f"{sequence.name} is archived. Duplicate it to write a new one.")
    imports.lock_lanes_of_sequence(tx, sequence_id)
    sequence = built.built(tx, sequence_id)  # as of now, under the locks
    known = steps.known_steps(tx, sequence_id)
    edited = steps.rewrite_named(tx, sequence.organization_id, sequence_id, known, apply(known, wanted))
    if not edited.changed and not go_on:
        return EditReport()
    report = imports.follow_edit(tx, sequence_id, edited, go_on=go_on)
    if not report:
        return report
    check_running(tx, sequence_id, sequence.status)
    data = {"step": str(wanted.id), "version": steps.version_of(tx, wanted.id)}
    audit.write(tx, sequence.organization_id, actor, _ACTIONS[type(wanted)], f"sequence:{sequence_id}", data)
    return report


def check_running(tx: Transaction, sequence_id: UUID, status: str) -> None:
    """Raise ``NotPermitted`` if a sequence that has started could not send what it has become."""
    if status == "draft":
        return
    found = [each.what for each in draft_sequences.lacking(tx, sequence_id, sender=()) if each.blocks]
    if found:
        raise NotPermitted(
            f"People are in this sequence, so it has to stay complete. {' '.join(found)} Or set it back to draft first."
        )
