"""Answers and opt-outs: what an answer ends, how long people away wait, and the line in emails; for owners and admins."""

from fastapi import APIRouter, Request, Response

from actions import answer_settings as actions
from db.listening import answer_settings
from domain.answer_settings import MOST_AWAY_DAYS, AnswerSettings, StopScope
from domain.errors import InvalidInput
from domain.hand_edits import Overtaken
from domain.opt_out import LINE, MAX_LINE
from web.forms import Filled, PageForm, Typed, again
from web.pages import go, page
from web.protection import Administrator, Runtimed, administrator, transaction_of

router = APIRouter(prefix="/settings/answers")

_PLACES = {"stop": "stop", "away_days": "away_days", "opt_out_line": "line"}


class AnswersForm(PageForm):
    """``words``: ours, own or none; ``line``: the own ones; ``version``: of what the form was filled from."""

    stop: str = ""
    away_days: str = ""
    words: str = "ours"
    line: str = ""
    version: str = ""


@router.get("")
def show(request: Request) -> Response:
    """Show the settings."""
    return _shown(request, Filled())


def _shown(request: Request, filled: Filled, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, _):
        settings = answer_settings.of_organization(tx, administrator(request).member.organization_id)
        return page(
            request,
            "answers.html",
            settings=settings,
            ours=LINE,
            longest=MAX_LINE,
            most_days=MOST_AWAY_DAYS,
            filled=filled,
            status=status,
        )


@router.post("")
def save(request: Request, session: Administrator, runtime: Runtimed, form: Typed[AnswersForm]) -> Response:
    """Save the settings. They count from the next message and the next email on."""
    member = session.member
    try:
        actions.set_organization(
            runtime, member.organization_id, _wanted(form), actor=member.name, version=form.version
        )
    except Overtaken as error:
        return _shown(request, again(form.typed() | {"version": ""}, error, {}), status=409)
    except InvalidInput as error:
        return _shown(request, again(form.typed(), error, _PLACES), status=422)
    return go(request, "/settings/answers", "Saved.")


def _wanted(form: AnswersForm) -> AnswerSettings:
    if form.stop not in {each.value for each in StopScope}:
        raise InvalidInput("Nothing is chosen", where="stop", fix="Choose what an answer ends.")
    if not (form.away_days.isascii() and form.away_days.isdigit() and len(form.away_days) <= 4):
        raise InvalidInput(
            "That is no number of days", where="away_days", fix=f"Give 1 to {MOST_AWAY_DAYS} business days."
        )
    line = {"ours": None, "none": ""}.get(form.words, form.line)
    if line is not None and form.words == "own" and not line.strip():
        raise InvalidInput("The line is empty", where="opt_out_line", fix="Write it, or choose no line.")
    return AnswerSettings(StopScope(form.stop), int(form.away_days), line)
