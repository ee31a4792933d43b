"""An edit of a sequence that people are in: kept, shown with who gets what, and saved once somebody says so."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from actions import building, steps
from actions.building import Settings
from app.runtime import Runtime
from db.access import page_results
from db.sequences import built
from domain.approval import StepKind
from domain.edit_report import EditReport
from domain.errors import NotFound
from domain.hand_edits import AddStep, ChangeStep, Edit, MoveStep, RemoveStep, words
from domain.step_edits import Words
from web.forms import REFUSED, PageForm, Typed, id_of
from web.pages import go, page, zone_of
from web.protection import Runtimed, SignedIn, transaction_of
from web.sequences import Line, line_of

router = APIRouter(prefix="/sequences")


class SaveForm(PageForm):
    """``go_on``: people who had finished get new steps."""

    go_on: str = ""


@router.get("/{sequence:uuid}/changes/{edit:uuid}")
def show_changes(request: Request, sequence: UUID, runtime: Runtimed, edit: UUID) -> Response:
    """Show who gets what if this edit is saved. Changes nothing."""
    with transaction_of(request):
        line, content = line_of(request, sequence), _load(request, edit)
    return _changes(request, line, runtime, content)


def _changes(
    request: Request,
    line: Line,
    runtime: Runtime,
    content: Mapping[str, Any],
    error: str = "",
    *,
    status: int = 200,
) -> Response:
    report = EditReport()
    try:
        report = _do(runtime, line.id, content, actor=None)
    except REFUSED as refused:
        error, status = error or str(refused), 409
    with transaction_of(request) as (tx, session):
        position = {str(each.id): each.position for each in built.steps_of(tx, line.id)}
        return page(
            request,
            "changes.html",
            status=status,
            line=line,
            report=report,
            error=error,
            content=content,
            position=position.get(str(content.get("id", ""))),
            finished=max((each.finished for each in report.new), default=0),
            sentences=report.sentences(continue_by="Tick the box below", zone=zone_of(tx, session)),
        )


@router.post("/{sequence:uuid}/changes/{edit:uuid}")
def save_changes(
    request: Request, line: Line, runtime: Runtimed, session: SignedIn, edit: UUID, form: Typed[SaveForm]
) -> Response:
    """Save the edit. A repeated request answers the same."""
    content = _load(request, edit)
    try:
        _do(runtime, line.id, content, actor=session.member.name, go_on=form.go_on == "yes")
    except REFUSED as error:
        return _changes(request, line, runtime, content, str(error), status=409)
    return go(request, f"/sequences/{line.id}", "Saved.")


def ask(request: Request, sequence_id: UUID, content: Mapping[str, object]) -> Response:
    """Keep the edit, and lead to the page that shows what it means. ``content``: of ``kept``, or settings."""
    with transaction_of(request) as (tx, session):
        kept_id = page_results.put(tx, session.member.organization_id, session.member.id, content)
    return go(request, f"/sequences/{sequence_id}/changes/{kept_id}")


def _load(request: Request, edit: UUID) -> Mapping[str, Any]:
    with transaction_of(request) as (tx, session):
        content = page_results.load(tx, edit, session.member.id)
    if content is None or "kind" not in content:
        raise NotFound("This edit was not kept. Open the step and make it again.")
    return content


def kept(edit: Edit) -> dict[str, object]:
    """Return the edit as JSON."""
    found: dict[str, object] = {"kind": type(edit).__name__, "id": str(edit.id)}
    for name in ("position", "version", "was", "to"):
        if hasattr(edit, name):
            found[name] = getattr(edit, name)
    if isinstance(edit, AddStep | ChangeStep):
        said = edit.words
        found["words"] = {"delay": said.delay, "subject": said.subject, "body": said.body, "kind": said.kind}
    return found


def _do(
    runtime: Runtimed,
    sequence_id: UUID,
    content: Mapping[str, Any],
    *,
    actor: str | None,
    go_on: bool = False,
) -> EditReport:
    """Make the kept edit or, with ``actor`` None, only say what it means."""
    if content["kind"] == "settings":
        wanted = Settings(
            content["name"],
            id_of(content["sender"]),
            content["sending"],
            tuple(content["fields"]),
            content.get("with_signature"),
        )
        version = content["version"]
        if actor is None:
            return building.preview_change(runtime, sequence_id, wanted, version=version)
        return building.change(runtime, sequence_id, wanted, version=version, actor=actor)
    edit = _edit_of(content)
    if actor is None:
        return steps.preview(runtime, sequence_id, edit, go_on=go_on)
    return steps.edit(runtime, sequence_id, edit, actor=actor, go_on=go_on)


def _words_of(kept_words: Mapping[str, Any]) -> Words:
    kind = kept_words.get("kind")
    return words(
        kept_words["delay"],
        kept_words["subject"],
        kept_words["body"],
        None if kind is None else StepKind(kind),
    )


def _edit_of(content: Mapping[str, Any]) -> Edit:
    step_id = UUID(content["id"])
    match content["kind"]:
        case "AddStep":
            return AddStep(step_id, content["position"], _words_of(content["words"]))
        case "ChangeStep":
            return ChangeStep(step_id, content["version"], _words_of(content["words"]))
        case "MoveStep":
            return MoveStep(step_id, content["was"], content["to"])
        case _:
            return RemoveStep(step_id, content["version"])
