"""What follows from incoming mail: the settings, and decisions that people take about messages."""

from dataclasses import asdict, replace
from typing import Annotated
from uuid import UUID

import typer

from actions import answer_settings as actions
from actions import messages, opt_outs
from actions import overrule as overruling
from commands.common import AsJson, Organization, actor, command, opened, print_json, report, say, show
from commands.names import OrganizationName, SequenceName
from commands.tree import group
from commands.withdrawals import find, finish, say_answer, say_no
from db.listening import answer_settings, decisions
from domain.answer_settings import AnswerSettings, StopScope
from domain.errors import InvalidInput
from domain.listening.kinds import Decision
from domain.opt_out import LINE

inbox_app = group("inbox")

sequence_app = group("sequence")

organization_app = group("organization")

Line = Annotated[
    str | None,
    typer.Option(
        "--opt-out-line",
        help="The words in emails that lead to the opt-out page. Empty: only headers lead there.",
    ),
]
Because = Annotated[str, typer.Option("--because", help="Why; it is kept in the audit trail.")]


@organization_app.command("answers")
@command
def organization_answers(
    organization: OrganizationName,
    stop: Annotated[
        StopScope | None, typer.Option("--stop", help="What an answer ends for its author.")
    ] = None,
    away_days: Annotated[
        int | None, typer.Option("--away-days", help="Business days to wait if no day of return is named.")
    ] = None,
    opt_out_line: Line = None,
    our_line: Annotated[bool, typer.Option("--our-line", help="Use our own words again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show or set what answers end, and how emails offer to opt out. Example: onbehalf organization answers Acme --stop organization"""
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        with runtime.database.transaction() as tx:
            present = answer_settings.of_organization(tx, organization_id)
        line = None if our_line else present.opt_out_line if opt_out_line is None else opt_out_line
        wanted = AnswerSettings(stop or present.stop_scope, present.away_days, line)
        if away_days is not None:
            wanted = replace(wanted, away_days=away_days)
        settings = actions.set_organization(runtime, organization_id, wanted, actor=actor())
    _say_settings(settings, as_json=as_json)


@sequence_app.command("answers")
@command
def sequence_answers(
    name: SequenceName,
    stop: Annotated[
        StopScope | None, typer.Option("--stop", help="What an answer ends for its author.")
    ] = None,
    opt_out_line: Line = None,
    as_organization: Annotated[
        bool, typer.Option("--as-organization", help="Do as the organization does, in everything.")
    ] = False,
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Show or set where a sequence differs from its organization. Example: onbehalf sequence answers "Backend engineers" --stop sequence"""
    if as_organization and (stop is not None or opt_out_line is not None):
        raise InvalidInput(
            "Both are given: something of its own, and --as-organization", fix="Give one of them."
        )
    with opened() as runtime:
        sequence_id = find(runtime, "sequence", name, organization)
        with runtime.database.transaction() as tx:
            present = AnswerSettings() if as_organization else answer_settings.of_sequence(tx, sequence_id)
        line = present.opt_out_line if opt_out_line is None else opt_out_line
        wanted = AnswerSettings(stop or present.stop_scope, None, line)
        settings = actions.set_sequence(runtime, sequence_id, wanted, actor=actor())
    _say_settings(settings, as_json=as_json)


def _say_settings(settings: AnswerSettings, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(settings))
        return
    ends = {
        StopScope.SEQUENCE: "the sequence",
        StopScope.ORGANIZATION: "all sequences",
        None: "as the organization says",
    }
    say(f"An answer ends: {ends[settings.stop_scope]}.")
    if settings.away_days is not None:
        say(f"Away without a day of return: {settings.away_days} business days.")
    line = settings.opt_out_line
    default = LINE if settings.away_days is not None else "as the organization says"
    say(
        f"Opt-out line: {default if line is None else line or 'none; only the headers of emails lead there'}."
    )


@inbox_app.command("list")
@command
def list_messages(
    organization: OrganizationName,
    waiting: Annotated[bool, typer.Option("--open", help="Only what waits for a decision.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """What came in and concerns somebody, newest first. Example: onbehalf inbox list Acme --open"""
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        with runtime.database.transaction() as tx:
            found = decisions.recent(tx, organization_id, only_open=waiting, limit=limit)
    rows = [{**asdict(each), "id": each.id} for each in found]
    show(rows, as_json=as_json, hide=["candidate_id", "words"])


@inbox_app.command("overrule")
@command
def overrule(
    organization: OrganizationName, message: UUID, because: Because, as_json: AsJson = False
) -> None:
    """Take back what followed from a message. Example: onbehalf inbox overrule Acme 01a2… --because "a colleague wrote" """
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        goes_on = overruling.overrule(runtime, organization_id, message, actor=actor(), reason=because)
    sentence = (
        "Somebody already overruled it."
        if goes_on is None
        else f"Overruled. The person continues in {goes_on} sequence{'' if goes_on == 1 else 's'}."
    )
    report(sentence, {"overruled": goes_on is not None, "sequences": goes_on or 0}, as_json=as_json)


@inbox_app.command("confirm")
@command
def confirm_opt_out(organization: OrganizationName, message: UUID, as_json: AsJson = False) -> None:
    """A message is the opt-out that we took it for. Example: onbehalf inbox confirm Acme 01a2…"""
    say_no(
        as_json,
        lambda runtime: opt_outs.confirm(
            runtime, find(runtime, "organization", organization), message, actor=actor()
        ),
    )


@inbox_app.command("decide")
@command
def decide(
    organization: OrganizationName,
    message: UUID,
    decision: Annotated[Decision, typer.Argument(help="What it is.")],
    as_json: AsJson = False,
) -> None:
    """Say what a proposed opt-out or an unclear message is. Example: onbehalf inbox decide Acme 01a2… no"""
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        answer = messages.decide(runtime, organization_id, message, decision, actor=actor())
    if answer is not None:
        finish(answer, say_answer, as_json=as_json)
        return
    report("Decided.", {"message": message, "decision": decision}, as_json=as_json)
