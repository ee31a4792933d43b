"""Tasks: steps that a person does by hand, listed, done or skipped."""

from typing import Annotated
from uuid import UUID

import typer

from actions import tasks
from commands.common import AsJson, Organization, actor, command, opened, report
from commands.names import completed
from commands.planned import list_due
from commands.tree import group
from db.views import tasks as lists
from domain import task as outcomes

task_app = group("task")

Task = Annotated[UUID, typer.Argument(metavar="TASK", help="Its id, as the list shows it.")]


@task_app.command("list")
@command
def list_tasks(
    organization: Organization = None,
    sequence: Annotated[
        str | None, typer.Option(help="Only this sequence.", autocompletion=completed("sequence"))
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tasks that are due, those that came due first. Example: onbehalf task list --sequence "Backend engineers" """
    list_due(
        lists.OPEN,
        lambda each: {
            "task_id": each.id,
            "since": each.due_at,
            "what": each.said.title,
            "note": each.said.note,
            "person": each.person,
            "sequence": each.sequence,
            "step": each.position,
            "owner": each.owner,
        },
        title="Tasks that are due (UTC)",
        organization=organization,
        sequence=sequence,
        as_json=as_json,
    )


@task_app.command("done")
@command
def finish(task: Task, as_json: AsJson = False) -> None:
    """Mark a task done; the next step counts from now. Example: onbehalf task done TASK"""
    _settle(task, outcomes.Outcome.DONE, as_json)


@task_app.command("skip")
@command
def skip(task: Task, as_json: AsJson = False) -> None:
    """Skip a task; the next step counts from now. Example: onbehalf task skip TASK"""
    _settle(task, outcomes.Outcome.SKIPPED, as_json)


def _settle(task: UUID, outcome: "outcomes.Outcome", as_json: bool) -> None:
    with opened() as runtime:
        changed = tasks.settle(runtime, task, outcome, actor=actor())
    word = outcome.value.capitalize()
    said = f"{word}. The next step counts from now." if changed else f"It was {outcome} before."
    report(said, {"id": task, "changed": changed}, as_json=as_json)
