"""The JSON API's answers and opt-outs: what an answer ends, how long people away wait, and the line in emails."""

from dataclasses import asdict
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from actions import answer_settings as actions
from db.listening import answer_settings
from domain.answer_settings import MOST_AWAY_DAYS, AnswerSettings, StopScope
from domain.opt_out import MAX_LINE
from web.api_call import Called
from web.api_models import REFUSALS, Asked

router = APIRouter(responses=REFUSALS)


class OfSequence(Asked):
    """``stop_scope`` null: as the organization has it. ``opt_out_line``: null: as the organization has it; "": only headers."""

    stop_scope: StopScope | None = None
    opt_out_line: str | None = Field(default=None, max_length=MAX_LINE)


class OfOrganization(Asked):
    """``away_days``: business days, if no day of return is named. ``opt_out_line``: null: our words; "": only headers."""

    stop_scope: StopScope
    away_days: int = Field(ge=1, le=MOST_AWAY_DAYS)
    opt_out_line: str | None = Field(default=None, max_length=MAX_LINE)


@router.get("/organization/answers", response_model=OfOrganization)
def show_of_organization(call: Called) -> dict[str, object]:
    """What an answer ends, and how emails offer to opt out."""
    with call.runtime.database.transaction() as tx:
        return asdict(answer_settings.of_organization(tx, call.caller.organization_id))


@router.post("/organization/answers", response_model=OfOrganization)
def set_of_organization(call: Called, wanted: OfOrganization) -> Response:
    """Set all three. They count from the next message and the next email on."""
    chosen = AnswerSettings(wanted.stop_scope, wanted.away_days, wanted.opt_out_line)
    return call.do(
        lambda: asdict(
            actions.set_organization(
                call.runtime, call.caller.organization_id, chosen, actor=call.caller.name
            )
        )
    )


@router.get("/sequences/{sequence}/answers", response_model=OfSequence)
def show_of_sequence(call: Called, sequence: UUID) -> dict[str, object]:
    """Where a sequence differs from its organization."""
    call.own("sequences", sequence)
    with call.runtime.database.transaction() as tx:
        found = answer_settings.of_sequence(tx, sequence)
    return {"stop_scope": found.stop_scope, "opt_out_line": found.opt_out_line}


@router.post("/sequences/{sequence}/answers", response_model=OfSequence)
def set_of_sequence(call: Called, sequence: UUID, wanted: OfSequence) -> Response:
    """Set where a sequence differs from its organization."""
    call.own("sequences", sequence)
    chosen = AnswerSettings(wanted.stop_scope, None, wanted.opt_out_line)

    def work() -> object:
        found = actions.set_sequence(call.runtime, sequence, chosen, actor=call.caller.name)
        return {"stop_scope": found.stop_scope, "opt_out_line": found.opt_out_line}

    return call.do(work)
