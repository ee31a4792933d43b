"""Needs attention: people who wait for a field, and emails that failed. Those that may have left: ``onbehalf review``."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from actions import addresses, attention
from commands.common import (
    AsJson,
    Organization,
    Yes,
    actor,
    command,
    confirm,
    opened,
    print_json,
    report,
    show,
)
from commands.tree import group
from commands.withdrawals import find
from db.views import attention as lists
from db.views import lookups

if TYPE_CHECKING:
    from db.views.attention import Group

attention_app = group("attention")

Field = Annotated[str, typer.Argument(metavar="FIELD", help="The empty field, as the list shows it.")]
Cause = Annotated[str, typer.Argument(metavar="CAUSE", help="Why they failed, as the list shows it.")]


@attention_app.command("list")
@command
def list_waiting(organization: Organization = None, as_json: AsJson = False) -> None:
    """Messages that nobody can tell, people by the field that is empty, and emails by why they failed. Example: onbehalf attention list"""
    with opened() as runtime, runtime.database.transaction() as tx:
        organization_id = (
            lookups.by_name(tx, "organization", organization)
            if organization
            else lookups.only_organization(tx)
        )
        messages = lists.unsure(tx, organization_id, None)
        blocked, failed = lists.blocked(tx, organization_id, None), lists.failed(tx, organization_id, None)
    if as_json:
        print_json(
            {
                "messages": [asdict(each) for each in messages],
                "blocked": [asdict(each) for each in blocked],
                "failed": [asdict(each) for each in failed],
            }
        )
        return
    show(
        [
            {"person": each.person, "kind": each.kind, "says": each.words or each.why, "message": each.id}
            for each in messages
        ],
        as_json=False,
        title="Opt-out or not? Decide with inbox decide",
    )
    show(_rows(blocked, "field"), as_json=False, title="A field is empty")
    show(_rows(failed, "cause"), as_json=False, title="Failed")


def _rows(groups: "list[Group]", cause: str) -> list[dict[str, object]]:
    return [
        {
            "sequence": each.sequence,
            cause: each.cause,
            "people": each.count,
            "for_example": each.people[0].email,
            "id": each.people[0].id,
        }
        for each in groups
    ]


@attention_app.command("fill-in")
@command
def fill_in(
    name: str,
    field: Field,
    value: Annotated[
        str, typer.Argument(help="For everybody who waits for it. One person: `candidate set`.")
    ],
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Fill in a field for everybody who waits for it. Example: onbehalf attention fill-in "Backend engineers" city Berlin"""
    with opened() as runtime:
        sequence_id = find(runtime, "sequence", name, organization)
        count = attention.fill_in(runtime, sequence_id, field, {}, value, actor=actor())
    _said(count, "people continue", as_json)


@attention_app.command("stop")
@command
def stop_blocked(
    name: str, field: Field, organization: Organization = None, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Stop the sequence for everybody who waits for a field. Example: onbehalf attention stop "Backend engineers" city"""
    with opened() as runtime:
        sequence_id = find(runtime, "sequence", name, organization)
        confirm(f"Stop {name!r} for everybody who has no {field}?", yes=yes)
        count = attention.stop_blocked(runtime, sequence_id, field, actor=actor())
    _said(count, "people get no more emails of it", as_json)


@attention_app.command("retry")
@command
def retry_failed(name: str, cause: Cause, organization: Organization = None, as_json: AsJson = False) -> None:
    """Send failed emails again, each after all checks. Example: onbehalf attention retry "Backend engineers" recipient_rejected"""
    with opened() as runtime:
        sequence_id = find(runtime, "sequence", name, organization)
        count = attention.retry_failed(runtime, sequence_id, cause, actor=actor())
    _said(count, "emails are sent again", as_json)


@attention_app.command("leave-out")
@command
def leave_out(
    name: str, cause: Cause, organization: Organization = None, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Leave failed emails unsent, for good. Example: onbehalf attention leave-out "Backend engineers" recipient_rejected"""
    with opened() as runtime:
        sequence_id = find(runtime, "sequence", name, organization)
        confirm("Leave them unsent?", yes=yes)
        count = attention.leave_out_failed(runtime, sequence_id, cause, actor=actor())
    _said(count, "emails stay unsent", as_json)


@attention_app.command("correct-address")
@command
def correct_address(delivery: UUID, address: str, as_json: AsJson = False) -> None:
    """Correct an address that was refused, and send the email again. Example: onbehalf attention correct-address ID jo@example.org"""
    with opened() as runtime:
        addresses.correct_refused(runtime, delivery, address, actor=actor())
    report("It goes out again.", {"id": delivery}, as_json=as_json)


def _said(count: int, what: str, as_json: bool) -> None:
    report(f"{count} {what}.", {"count": count}, as_json=as_json)
