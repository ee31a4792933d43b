"""Building sequences: drafts and their settings. Their steps: ``commands/steps.py``."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from actions import building, step_previews
from commands.common import (
    AsJson,
    Organization,
    Yes,
    actor,
    command,
    confirm,
    errors,
    opened,
    print_json,
    report,
    say,
)
from commands.hours import OtherDays, by_day
from commands.names import SequenceName
from commands.withdrawals import find, sequence_app
from db.core import ids
from db.sequences import built
from db.views import lookups
from domain.approval import StepKind
from domain.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from app.runtime import Runtime
    from db.core.session import Transaction
    from db.sequences.built import Built

__all__ = ["sequence_app"]


@sequence_app.command("make")
@command
def make_sequence(
    name: str,
    owner: Annotated[str, typer.Option(help="The owner's address.")],
    send_from: Annotated[
        str | None, typer.Option("--from", help="A mailbox. Default: the first they may use.")
    ] = None,
    field: Annotated[
        list[str] | None, typer.Option(help="A field of people, besides those that everybody has.")
    ] = None,
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Make a draft. Example: onbehalf sequence make "Backend engineers" --owner rita@acme.example"""
    with opened() as runtime:
        owner_id = find(runtime, "member", owner, organization)
        sender = None if send_from is None else find(runtime, "mailbox", send_from, organization)
        with runtime.database.transaction() as tx:
            organization_id = built.organization_of_member(tx, owner_id)
        made, _ = building.make(
            runtime,
            organization_id,
            owner_id,
            building.Settings(name, sender, None, tuple(field or ())),
            key=str(ids.new_id()),
            actor=actor(),
        )
    report(f"Made the draft {name}.", {"id": made}, as_json=as_json)


@sequence_app.command("rename")
@command
def rename_sequence(
    name: SequenceName, new_name: str, organization: Organization = None, as_json: AsJson = False
) -> None:
    """Give a sequence another name. Example: onbehalf sequence rename "Backend" "Backend engineers" """
    with opened() as runtime:
        found = change_settings(
            runtime, name, organization, lambda was, _: replace(was, name=new_name), yes=True
        )
    report(f"{found.name} is {new_name} now.", {"id": found.id}, as_json=as_json)


@sequence_app.command("change-sender")
@command
def change_sender(
    name: SequenceName,
    send_from: Annotated[str, typer.Argument(metavar="MAILBOX")],
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Send a sequence that is not running from another mailbox. Example: onbehalf sequence change-sender "Backend" hans@acme.example"""
    with opened() as runtime:
        sender = find(runtime, "mailbox", send_from, organization)
        found = change_settings(
            runtime, name, organization, lambda was, _: replace(was, sender=sender), yes=True
        )
    report(f"{found.name} sends from {send_from} now.", {"id": found.id}, as_json=as_json)


@sequence_app.command("hours")
@command
def set_hours(
    name: SequenceName,
    opens: Annotated[str, typer.Option("--from", help="Local time, like 09:00.")] = "00:00",
    closes: Annotated[str, typer.Option("--to", help="Local time; 00:00 is the end of the day.")] = "00:00",
    days: Annotated[str | None, typer.Option(help="Like mon,tue,wed. Without: every day.")] = None,
    zone: Annotated[str | None, typer.Option(help="Like Europe/Berlin. Without: the organization's.")] = None,
    holiday: Annotated[list[str] | None, typer.Option(help="A date without emails.")] = None,
    on: OtherDays = None,
    as_organization: Annotated[
        bool, typer.Option("--as-organization", help="No hours of its own: the organization's.")
    ] = False,
    organization: Organization = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """When emails of a sequence may leave. Example: onbehalf sequence hours "Backend" --days mon,tue --from 09:00 --to 17:00"""
    if as_organization and (days or zone or holiday or on or opens != closes):
        raise InvalidInput("These hours contradict --as-organization", fix="Give one of them.")
    hours = {
        **({"days": days.replace(" ", "").split(",")} if days else {}),
        "from": opens,
        "to": closes,
        "holidays": list(holiday or ()),
        "by_day": by_day(on or []),
    }
    with opened() as runtime:
        found = change_settings(
            runtime,
            name,
            organization,
            lambda was, of: replace(
                was, sending=None if as_organization else {**hours, "zone": zone or of.time_zone}
            ),
            yes=yes,
        )
    said = "the hours of its organization" if as_organization else "its own hours"
    report(f"{found.name} has {said} now.", {"id": found.id}, as_json=as_json)


@sequence_app.command("fields")
@command
def set_fields(
    name: SequenceName,
    fields: Annotated[list[str] | None, typer.Argument(metavar="[FIELD]...")] = None,
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Which fields its texts may use, besides those that everybody has. Example: onbehalf sequence fields "Backend" role city"""
    wanted = tuple(fields or ())
    with opened() as runtime:
        found = change_settings(
            runtime, name, organization, lambda was, _: replace(was, fields=wanted), yes=True
        )
    report(f"Fields of {found.name}: {', '.join(wanted) or 'none'}.", {"id": found.id}, as_json=as_json)


def change_settings(
    runtime: "Runtime",
    name: str,
    organization: str | None,
    change: "Callable[[building.Settings, Built], building.Settings]",
    *,
    yes: bool,
) -> "Built":
    """Change its settings, and return the sequence as it was. Without ``yes``, ask if that means anything to people in it."""
    sequence_id = find(runtime, "sequence", name, organization)
    with runtime.database.transaction() as tx:
        found = built.built(tx, sequence_id)
    wanted = change(building.Settings(found.name, found.mailbox_id, found.sending, found.fields), found)
    if found.people and not yes:
        meant = building.preview_change(runtime, sequence_id, wanted, version=found.version)
        for sentence in meant.sentences(continue_by=""):
            say(sentence, to=errors)
        confirm("Save this?", yes=yes)
    building.change(runtime, sequence_id, wanted, version=found.version, actor=actor())
    return found


@sequence_app.command("duplicate")
@command
def duplicate_sequence(
    name: SequenceName,
    owner: Annotated[str | None, typer.Option(help="The copy's owner. Default: the same.")] = None,
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Make a draft with the same steps and nobody in it. Example: onbehalf sequence duplicate "Backend engineers" """
    with opened() as runtime:
        sequence_id = find(runtime, "sequence", name, organization)
        with runtime.database.transaction() as tx:
            owner_id = built.built(tx, sequence_id).owner_id
        if owner is not None:
            owner_id = find(runtime, "member", owner, organization)
        made, _ = building.duplicate(
            runtime, sequence_id, owner_id=owner_id, key=str(ids.new_id()), actor=actor()
        )
        with runtime.database.transaction() as tx:
            copy = built.built(tx, made).name
    report(f"Made the draft {copy}.", {"id": made}, as_json=as_json)


@sequence_app.command("preview")
@command
def preview_step(
    name: SequenceName,
    step: Annotated[int, typer.Option(help="The step's number.", min=1)] = 1,
    person: Annotated[
        str | None, typer.Option(help="An enrollment. Default: the owner, as a sample.")
    ] = None,
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """A step as one person would get it, and why they get nothing now. Example: onbehalf sequence preview "Backend engineers" --step 2"""
    with opened() as runtime:
        sequence_id = find(runtime, "sequence", name, organization)
        with runtime.database.transaction() as tx:
            found = step_previews.preview(
                tx,
                sequence_id,
                step,
                enrollment_id=None if person is None else enrollment_in(tx, sequence_id, person),
                member_id=built.built(tx, sequence_id).owner_id,
            )
    values = {
        "kind": found.kind,
        "from": found.sender,
        "to": found.recipient,
        "subject": found.subject,
        "text": found.text,
        "missing": list(found.gaps),
        "error": found.error,
        "reasons": list(found.reasons),
    }
    if as_json:
        print_json(values)
        return
    if found.kind is StepKind.TASK:
        say(f"Task: {found.subject}\n\n{found.text}".rstrip())
    else:
        say(f"From: {found.sender}\nTo: {found.recipient}\nSubject: {found.subject}\n\n{found.text}")
    for each in (*(f"Missing: {field}" for field in found.gaps), found.error, *found.reasons):
        if each:
            say(each, "yellow")


def enrollment_in(tx: "Transaction", sequence_id: UUID, text: str) -> UUID:
    """The person's enrollment in this sequence. Raises ``NotFound``."""
    for each in lookups.enrollments_of(tx, text):
        situation = lookups.situation(tx, each)
        if situation is not None and situation.sequence_id == sequence_id:
            return each
    raise NotFound(f"{text} is not in this sequence.")
