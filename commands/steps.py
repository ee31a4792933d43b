"""Writing the steps of sequences, also while they run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from actions import step_previews, steps
from commands.building import enrollment_in
from commands.common import AsJson, Organization, Yes, actor, command, confirm, errors, opened, report, say
from commands.connections import report_verdict
from commands.tree import group
from commands.withdrawals import find
from db.core import ids
from db.sequences import built
from domain import hand_edits
from domain.approval import StepKind
from domain.errors import InvalidInput

if TYPE_CHECKING:
    from app.runtime import Runtime
    from db.sequences.built import BuiltStep
    from domain.edit_report import EditReport
    from domain.hand_edits import Edit

step_app = group("step")

Delay = Annotated[
    str,
    typer.Option(help="After the step before: PT4H, P3D, '3 business days' or '1 business day at 09:00'."),
]
Subject = Annotated[str | None, typer.Option(help="Begins a new thread. Default: the same thread.")]
Kind = Annotated[
    StepKind | None,
    typer.Option(
        help="automatic; approval: each email waits until somebody approves it; or task: somebody does it. Default: as it is."
    ),
]
Body = Annotated[Path, typer.Option("--text", help="A file with the text.", exists=True, dir_okay=False)]
GoOn = Annotated[bool, typer.Option("--continue", help="People who had finished get the new step.")]


@step_app.command("add")
@command
def add_step(
    name: str,
    text: Body,
    delay: Delay = "P3D",
    subject: Subject = None,
    kind: Kind = None,
    position: Annotated[int | None, typer.Option(help="From 1. Default: the end.", min=1)] = None,
    go_on: GoOn = False,
    organization: Organization = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Add a step. Example: onbehalf step add "Backend engineers" --text follow-up.txt --delay '3 business days'"""
    with opened() as runtime:
        sequence_id = find(runtime, "sequence", name, organization)
        said = hand_edits.words(delay, subject, text.read_text(encoding="utf-8"), kind)
        edit = hand_edits.AddStep(
            steps.new_step_id(sequence_id, str(ids.new_id())), position or hand_edits.MAX_STEPS, said
        )
        done = _edit(runtime, sequence_id, edit, yes=yes, go_on=go_on)
    _say(done, as_json)


@step_app.command("change")
@command
def change_step(
    name: str,
    step: Annotated[int, typer.Argument(min=1)],
    text: Annotated[
        Path | None,
        typer.Option(help="A file with the text. Default: unchanged.", exists=True, dir_okay=False),
    ] = None,
    delay: Annotated[str | None, typer.Option(help="Default: unchanged.")] = None,
    subject: Annotated[str | None, typer.Option(help="Default: unchanged. Empty: the same thread.")] = None,
    kind: Kind = None,
    organization: Organization = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Change a step's text, subject, delay or kind. Example: onbehalf step change "Backend engineers" 2 --delay P5D"""
    with opened() as runtime:
        sequence_id = find(runtime, "sequence", name, organization)
        was = _step(runtime, sequence_id, step)
        said = hand_edits.words(
            was.delay if delay is None else delay,
            was.subject if subject is None else (subject or None),
            was.body if text is None else text.read_text(encoding="utf-8"),
            kind,
        )
        done = _edit(runtime, sequence_id, hand_edits.ChangeStep(was.id, was.version, said), yes=yes)
    _say(done, as_json)


@step_app.command("move")
@command
def move_step(
    name: str,
    step: Annotated[int, typer.Argument(min=1)],
    to: Annotated[int, typer.Argument(min=1)],
    organization: Organization = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Move a step to another place. Example: onbehalf step move "Backend engineers" 3 2"""
    with opened() as runtime:
        sequence_id = find(runtime, "sequence", name, organization)
        was = _step(runtime, sequence_id, step)
        done = _edit(runtime, sequence_id, hand_edits.MoveStep(was.id, step, to), yes=yes)
    _say(done, as_json)


@step_app.command("remove")
@command
def remove_step(
    name: str,
    step: Annotated[int, typer.Argument(min=1)],
    organization: Organization = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Remove a step; whoever waits for it continues without. Example: onbehalf step remove "Backend engineers" 3"""
    with opened() as runtime:
        sequence_id = find(runtime, "sequence", name, organization)
        was = _step(runtime, sequence_id, step)
        done = _edit(runtime, sequence_id, hand_edits.RemoveStep(was.id, was.version), yes=yes)
    _say(done, as_json)


@step_app.command("test")
@command
def send_step(
    name: str,
    step: Annotated[int, typer.Argument(min=1)],
    to: Annotated[str, typer.Option(help="The member who gets it: an address.")],
    person: Annotated[
        str | None,
        typer.Option(help="As this person would get it: an address. Without: with the member's own name."),
    ] = None,
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Send a step to a member, from the sequence's mailbox. Example: onbehalf step test "Backend engineers" 1 --to rita@acme.example"""
    with opened() as runtime:
        sequence_id = find(runtime, "sequence", name, organization)
        written = _step(runtime, sequence_id, step)
        with runtime.database.transaction() as tx:
            enrollment_id = None if person is None else enrollment_in(tx, sequence_id, person)
        member_id = find(runtime, "member", to, organization)
        verdict = step_previews.send_to_myself(
            runtime,
            sequence_id,
            written.id,
            enrollment_id=enrollment_id,
            member_id=member_id,
            actor=actor(),
        )
    report_verdict(verdict, as_json=as_json)


def _step(runtime: "Runtime", sequence_id: UUID, position: int) -> "BuiltStep":
    with runtime.database.transaction() as tx:
        written = built.steps_of(tx, sequence_id)
    if position > len(written):
        raise InvalidInput(
            f"There is no step {position}", where="step", fix=f"The sequence has {len(written)} steps."
        )
    return written[position - 1]


def _edit(
    runtime: "Runtime", sequence_id: UUID, edit: "Edit", *, yes: bool, go_on: bool = False
) -> "EditReport":
    """Say what the edit means, ask if people are in the sequence, and make it."""
    with runtime.database.transaction() as tx:
        people = built.built(tx, sequence_id).people
    if people and not yes:
        for sentence in steps.preview(runtime, sequence_id, edit, go_on=go_on).sentences(
            continue_by="Add --continue"
        ):
            say(sentence, to=errors)
        confirm("Save this edit?", yes=yes)
    return steps.edit(runtime, sequence_id, edit, actor=actor(), go_on=go_on)


def _say(done: "EditReport", as_json: bool) -> None:
    sentences = done.sentences(continue_by="Add --continue")
    said = " ".join(["Saved.", *sentences]) if done else "Nothing to change."
    report(said, {"changed": bool(done), "sentences": sentences}, as_json=as_json)
