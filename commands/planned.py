"""The outbox, and what can be decided about one planned email or one person's field."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from actions import person_fields, planned, withdraw
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
from commands.names import completed
from commands.tree import group
from commands.withdrawals import Because, find, say_no
from db.access import authority
from db.core.session import Transaction
from db.views import lookups, outbox
from db.views.outbox import Wanted
from domain.changes import Cancel, Change, Earlier, NotBefore, Skip
from domain.errors import InvalidInput
from domain.waiting import waits_for

candidate_app = group("candidate")

email_app = group("email")

Delivery = Annotated[UUID, typer.Argument(metavar="DELIVERY", help="Its id, as the outbox shows it.")]


def within(tx: Transaction, organization: str | None, sequence: str | None) -> tuple[UUID, UUID | None]:
    """Return the ids behind the names: of the organization, or of the only one there is, and of the sequence. Raises ``NotFound``."""
    organization_id = (
        lookups.by_name(tx, "organization", organization) if organization else lookups.only_organization(tx)
    )
    return organization_id, (
        lookups.by_name(tx, "sequence", sequence, organization=organization) if sequence else None
    )


@command
def show_outbox(
    organization: Organization = None,
    sequence: Annotated[
        str | None, typer.Option(help="Only this sequence.", autocompletion=completed("sequence"))
    ] = None,
    mailbox: Annotated[
        str | None, typer.Option(help="Only from this address.", autocompletion=completed("mailbox"))
    ] = None,
    held: Annotated[bool, typer.Option("--held", help="Those that wait for a decision.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10000)] = 50,
    as_json: AsJson = False,
) -> None:
    """Planned emails, the first ones first, each with what it waits for. Example: onbehalf outbox --organization Acme"""
    with opened() as runtime, runtime.database.transaction() as tx:
        organization_id, sequence_id = within(tx, organization, sequence)
        mailbox_id = lookups.by_name(tx, "mailbox", mailbox, organization=organization) if mailbox else None
        rows = outbox.planned(tx, Wanted(organization_id, None, held, mailbox_id, sequence_id), limit=limit)
        stops = authority.blockers(tx, list({each.sequence_id for each in rows}))
    lines = []
    for each in rows:
        waits = waits_for(each, " ".join(stops.get(each.sequence_id, [])))
        lines.append(
            {
                "delivery_id": each.id,
                "due_at": each.due_at,
                "person": each.person,
                "sequence": each.sequence,
                "step": each.position,
                "sender": each.sender,
                "waits_for": waits.word,
                "because": waits.sentence,
            }
        )
    show(lines, as_json=as_json, title="Outbox (UTC)")


def _change(delivery: UUID, change: Change, done: str, *, yes: bool, as_json: bool) -> None:
    with opened() as runtime:
        with runtime.database.transaction() as tx:
            found = planned.foresee(tx, delivery, change)
        if not as_json and found.times:
            rows = [
                {"step": each.position, "planned": each.now, "then": each.then or "does not leave"}
                for each in found.times
            ]
            show(rows, as_json=False, title="What moves (UTC)")
        if found.refused is None:
            confirm(f"Change the email to {found.email.person}?", yes=yes)
        changed = planned.change(runtime, delivery, change, actor=actor())
    report(
        done if changed else "This was done before.",
        {"id": delivery, "changed": changed},
        as_json=as_json,
    )


@email_app.command("skip")
@command
def skip(delivery: Delivery, yes: Yes = False, as_json: AsJson = False) -> None:
    """Leave a step out for one person; the next one counts from now. Example: onbehalf email skip DELIVERY"""
    _change(delivery, Skip(), "Skipped.", yes=yes, as_json=as_json)


@email_app.command("cancel")
@command
def cancel(delivery: Delivery, yes: Yes = False, as_json: AsJson = False) -> None:
    """Do not send one email; later ones keep their times. Example: onbehalf email cancel DELIVERY"""
    _change(delivery, Cancel(), "Cancelled.", yes=yes, as_json=as_json)


@email_app.command("earlier")
@command
def earlier(delivery: Delivery, yes: Yes = False, as_json: AsJson = False) -> None:
    """Send one email as soon as pace and hours allow. Example: onbehalf email earlier DELIVERY"""
    _change(delivery, Earlier(), "It leaves as soon as pace and hours allow.", yes=yes, as_json=as_json)


@email_app.command("not-before")
@command
def not_before(
    delivery: Delivery,
    at: Annotated[str, typer.Argument(metavar="TIME", help="With a zone, like 2026-12-24T09:00+01:00.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Send one email at this time at the earliest. Example: onbehalf email not-before DELIVERY 2026-12-24T09:00+01:00"""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise InvalidInput(
            "This is no date and time", where="TIME", fix="Write 2026-12-24T09:00+01:00."
        ) from None
    _change(delivery, NotBefore(moment), "Moved.", yes=yes, as_json=as_json)


@email_app.command("edit")
@command
def edit(
    delivery: Delivery,
    text: Annotated[
        str | None, typer.Option(help="The new text; without it, the present one is shown.")
    ] = None,
    subject: Annotated[str | None, typer.Option(help="The new subject, if it begins a thread.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show one email's text, or give it another; merge fields are filled. Example: onbehalf email edit DELIVERY --text "Hello {{first_name}}" """
    with opened() as runtime:
        with runtime.database.transaction() as tx:
            found = planned.text_of(tx, delivery)
        if text is None and subject is None:
            data = {"id": delivery, "subject": found.subject, "text": found.body, "own": found.own}
            report(f"Subject: {found.subject or '(of its thread)'}\n\n{found.body}", data, as_json=as_json)
            return
        changed = planned.edit(
            runtime,
            delivery,
            subject=subject if subject is not None else found.subject or "",
            body=text if text is not None else found.body,
            mark=found.mark,
            actor=actor(),
        )
    report(
        "Saved. Only this email changes; its receipt records the edit."
        if changed
        else "This text is saved already.",
        {"id": delivery, "changed": changed},
        as_json=as_json,
    )


@candidate_app.command("set")
@command
def set_field(
    person: Annotated[str, typer.Argument(help="The person's address, or their id.")],
    values: Annotated[list[str], typer.Argument(metavar="FIELD=VALUE...")],
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Change fields of a person; what waits takes them. Example: onbehalf candidate set jo@example.org title="Staff engineer" """
    pairs = [each.partition("=") for each in values]
    if wrong := [name for name, sign, _ in pairs if not sign]:
        raise InvalidInput(
            f"{wrong[0]!r} has no value", where="FIELD=VALUE", fix="Write it like title=Engineer."
        )
    changed = []
    with opened() as runtime:
        candidate = find(runtime, "candidate", person, organization)
        for name, _, value in pairs:
            if person_fields.change_field(runtime, candidate, name, value, was=None, actor=actor()):
                changed.append(name)
    if as_json:
        print_json({"candidate": candidate, "changed": changed})
    else:
        report(f"Changed: {', '.join(changed)}." if changed else "Nothing was changed.", None, as_json=False)


@candidate_app.command("stop-all")
@command
def stop_person(
    person: Annotated[str, typer.Argument(help="The person's address, or their id.")],
    because: Because = "stopped by hand",
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Stop all sequences for one person; their address stays allowed. Example: onbehalf candidate stop-all jo@example.org"""
    say_no(
        as_json,
        lambda runtime: withdraw.stop_person(
            runtime,
            find(runtime, "candidate", person, organization),
            only_of=None,
            actor=actor(),
            reason=because,
        ),
    )
