"""Where a sequence differs from its organization: what an answer to it ends, and the line in its emails that leads to the opt-out page."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from actions import answer_settings as actions
from db.listening import answer_settings
from domain.answer_settings import AnswerSettings, StopScope
from domain.errors import InvalidInput
from domain.hand_edits import Overtaken
from domain.opt_out import LINE, MAX_LINE
from web.forms import Filled, PageForm, Typed, again
from web.pages import go, page
from web.protection import Runtimed, SignedIn, transaction_of
from web.sequences import Line, line_of

router = APIRouter(prefix="/sequences/{sequence:uuid}/answers")

_PLACES = {"stop": "stop", "opt_out_line": "line"}


class SequenceAnswersForm(PageForm):
    """``stop``: empty for the organization's; ``words``: organization, own or none; ``line``: the own ones.

    ``version``: of what the form was filled from.
    """

    stop: str = ""
    words: str = "organization"
    line: str = ""
    version: str = ""


@router.get("")
def show(request: Request, sequence: UUID) -> Response:
    """Show the settings."""
    return _shown(request, sequence, Filled())


def _shown(request: Request, sequence: UUID, filled: Filled, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, session):
        line = line_of(request, sequence)
        whole = answer_settings.of_organization(tx, session.member.organization_id)
        return page(
            request,
            "sequence_answers.html",
            line=line,
            settings=answer_settings.of_sequence(tx, line.id),
            organization_stop=whole.stop_scope,
            organization_line=LINE if whole.opt_out_line is None else whole.opt_out_line,
            longest=MAX_LINE,
            filled=filled,
            status=status,
        )


@router.post("")
def save(
    request: Request, line: Line, session: SignedIn, runtime: Runtimed, form: Typed[SequenceAnswersForm]
) -> Response:
    """Save the settings. They count from the next message and the next email on."""
    try:
        actions.set_sequence(runtime, line.id, _wanted(form), actor=session.member.name, version=form.version)
    except Overtaken as error:
        return _shown(request, line.id, again(form.typed() | {"version": ""}, error, {}), status=409)
    except InvalidInput as error:
        return _shown(request, line.id, again(form.typed(), error, _PLACES), status=422)
    return go(request, f"/sequences/{line.id}", "Saved.")


def _wanted(form: SequenceAnswersForm) -> AnswerSettings:
    if form.stop not in {"", *(each.value for each in StopScope)}:
        raise InvalidInput("Nothing is chosen", where="stop", fix="Choose what an answer ends.")
    line = {"organization": None, "none": ""}.get(form.words, form.line)
    if form.words == "own" and not form.line.strip():
        raise InvalidInput("The line is empty", where="opt_out_line", fix="Write it, or choose no line.")
    return AnswerSettings(StopScope(form.stop) if form.stop else None, None, line)
