"""The JSON API's sequences: made, written, changed while they run, previewed, duplicated and archived."""

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from actions import building, step_previews, steps, withdraw
from actions.building import Settings
from db.access import authority
from db.core.ids import new_id
from db.sequences import built, draft_sequences
from domain.edit_report import EditReport
from domain.hand_edits import MAX_STEPS, AddStep, ChangeStep, Edit, MoveStep, RemoveStep, words
from web.api_call import Call, Called
from web.api_models import REFUSALS, Withdrawal, answered, verdict_json
from web.api_sequence_models import (
    Changed,
    ChangedStep,
    Copy,
    Draft,
    Hours,
    Made,
    Meaning,
    Move,
    NewStep,
    Reason,
    Removal,
    Step,
    Test,
    Whole,
)
from web.rooms import waits_for_others, withdraws

router = APIRouter(prefix="/sequences/{sequence}", responses=REFUSALS)
maker = APIRouter(responses=REFUSALS)


@maker.post("/sequences", response_model=Made, status_code=201)
def make_sequence(call: Called, draft: Draft) -> Response:
    """Make a draft. Without an Idempotency-Key, each call makes one."""
    call.own("members", draft.owner_id)
    if draft.sender_id is not None:
        call.own("mailboxes", draft.sender_id)

    def work() -> object:
        settings = Settings(
            draft.name, draft.sender_id, _sending(draft.sending), draft.fields, draft.with_signature
        )
        made, _ = building.make(
            call.runtime,
            call.caller.organization_id,
            draft.owner_id,
            settings,
            key=call.once or str(new_id()),
            actor=call.caller.name,
        )
        return {"id": made}

    return call.do(work, 201)


@router.get("", response_model=Whole)
def show_sequence(call: Called, sequence: UUID) -> Whole:
    """A sequence with its steps, and what it lacks."""
    call.own("sequences", sequence)
    with call.runtime.database.transaction() as tx:
        found = built.built(tx, sequence)
        blockers = authority.blockers(tx, [sequence])[sequence]
        lacks = draft_sequences.lacking(tx, sequence, sender=blockers)
        return Whole(
            id=found.id,
            name=found.name,
            status=found.status,
            version=found.version,
            owner_id=found.owner_id,
            sender_id=found.mailbox_id,
            sending=None if found.sending is None else dict(found.sending),
            fields=found.fields,
            with_signature=found.with_signature,
            steps=[Step.model_validate(each._asdict()) for each in built.steps_of(tx, sequence)],
            lacks=[asdict(each) for each in lacks],
        )


@router.put("", response_model=Meaning)
def change_sequence(call: Called, sequence: UUID, changed: Changed) -> Response:
    """Change name, sender, hours and fields. A running sequence keeps its sender."""
    call.own("sequences", sequence)
    call.own("mailboxes", changed.sender_id)
    wanted = Settings(
        changed.name, changed.sender_id, _sending(changed.sending), changed.fields, changed.with_signature
    )

    def work() -> object:
        if changed.preview:
            return _meaning(building.preview_change(call.runtime, sequence, wanted, version=changed.version))
        return _meaning(
            building.change(call.runtime, sequence, wanted, version=changed.version, actor=call.caller.name)
        )

    return call.do(work)


@router.post("/steps", response_model=dict[str, Any], status_code=201)
def add_step(call: Called, sequence: UUID, step: NewStep) -> Response:
    """Add a step. Without an Idempotency-Key, each call adds one."""
    call.own("sequences", sequence)
    step_id = steps.new_step_id(sequence, call.once or str(new_id()))

    def work() -> object:
        said = words(step.delay, step.subject, step.body, step.kind)
        edit = AddStep(step_id, step.position or MAX_STEPS, said)
        return {"id": step_id, **_edit(call, sequence, edit, preview=step.preview, go_on=step.go_on)}

    return call.do(work, 201)


@router.put("/steps/{step}", response_model=Meaning)
def change_step(call: Called, sequence: UUID, step: UUID, changed: ChangedStep) -> Response:
    """Change a step's words or delay. Whoever has had the step does not get it again."""
    call.own("sequences", sequence)

    def work() -> object:
        said = words(changed.delay, changed.subject, changed.body, changed.kind)
        edit = ChangeStep(step, changed.version, said)
        return _edit(call, sequence, edit, preview=changed.preview)

    return call.do(work)


@router.post("/steps/{step}/move", response_model=Meaning)
def move_step(call: Called, sequence: UUID, step: UUID, move: Move) -> Response:
    """Move a step to another place."""
    call.own("sequences", sequence)
    edit = MoveStep(step, move.was, move.to)
    return call.do(lambda: _edit(call, sequence, edit, preview=move.preview))


@router.post("/steps/{step}/remove", response_model=Meaning)
def remove_step(call: Called, sequence: UUID, step: UUID, removal: Removal) -> Response:
    """Remove a step. Whoever waits for it continues without."""
    call.own("sequences", sequence)
    edit = RemoveStep(step, removal.version)
    return call.do(lambda: _edit(call, sequence, edit, preview=removal.preview))


@router.get("/preview", response_model=dict[str, Any])
def preview_step(
    call: Called,
    sequence: UUID,
    member_id: UUID,
    position: Annotated[int, Query(ge=1, le=MAX_STEPS)] = 1,
    enrollment_id: UUID | None = None,
    candidate_id: UUID | None = None,
) -> dict[str, Any]:
    """A step as one person would get it, in the sequence or not (``candidate_id``), or, without one, as if the member were the person. Missing fields stand in ⟦ ⟧."""
    call.own("sequences", sequence)
    call.own("members", member_id)
    if candidate_id is not None:
        call.own("candidates", candidate_id)
    with call.runtime.database.transaction() as tx:
        found = step_previews.preview(
            tx,
            sequence,
            position,
            enrollment_id=enrollment_id,
            candidate_id=candidate_id,
            member_id=member_id,
        )
        return {
            **asdict(found),
            "person": None if found.person is None else found.person._asdict(),
            "way": [each._asdict() for each in found.way],
        }


@router.post("/steps/{step}/test", response_model=dict[str, Any])
@waits_for_others
def send_test(call: Called, sequence: UUID, step: UUID, test: Test) -> Response:
    """Send a step to a member, from the sequence's mailbox."""
    call.own("sequences", sequence)
    call.own("members", test.member_id)
    return call.do(
        lambda: verdict_json(
            step_previews.send_to_myself(
                call.runtime,
                sequence,
                step,
                enrollment_id=test.enrollment_id,
                member_id=test.member_id,
                actor=call.caller.name,
            )
        )
    )


@router.post("/duplicate", response_model=Made, status_code=201)
def duplicate_sequence(call: Called, sequence: UUID, copy: Copy) -> Response:
    """Make a draft with the same steps and nobody in it. Without an Idempotency-Key, each call makes one."""
    call.own("sequences", sequence)
    call.own("members", copy.owner_id)

    def work() -> object:
        made, _ = building.duplicate(
            call.runtime,
            sequence,
            owner_id=copy.owner_id,
            key=call.once or str(new_id()),
            actor=call.caller.name,
        )
        return {"id": made}

    return call.do(work, 201)


@router.post("/archive", response_model=Withdrawal)
@withdraws
def archive_sequence(call: Called, sequence: UUID, because: Reason) -> Response:
    """End a sequence for good; answers when none of its emails can leave any more. Nothing is deleted."""
    call.own("sequences", sequence)
    return call.do(
        lambda: answered(
            withdraw.archive_sequence(call.runtime, sequence, actor=call.caller.name, reason=because.reason)
        )
    )


def _edit(call: Call, sequence: UUID, edit: Edit, *, preview: bool, go_on: bool = False) -> dict[str, object]:
    if preview:
        return _meaning(steps.preview(call.runtime, sequence, edit, go_on=go_on))
    return _meaning(steps.edit(call.runtime, sequence, edit, actor=call.caller.name, go_on=go_on))


def _meaning(report: EditReport) -> dict[str, object]:
    return {"changed": bool(report), "sentences": report.sentences(continue_by="Set go_on")}


def _sending(hours: Hours | None) -> dict[str, Any] | None:
    return None if hours is None else hours.model_dump(by_alias=True)
