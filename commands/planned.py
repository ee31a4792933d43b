"""The outbox, and what can be decided about one planned email or one person's field."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from actions import addresses, person_fields, planned, planned_several, withdraw
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
    say,
    show,
)
from commands.names import completed
from commands.tree import group
from commands.withdrawals import Because, find, say_no
from db.access import authority
from db.views import lookups, outbox
from domain import changes, waiting
from domain.errors import InvalidInput
from domain.waiting import Need

if TYPE_CHECKING:
    from db.core.session import Transaction
    from db.views.due import DueList, Row
    from domain.changes import Change

_MOST = 1000  # lines of a list
_GOES_ON = {  # ``db.sequences.new_address.Goes``
    "again": "step {step} did not arrive, and leaves again to {to}",
    "next": "goes on with step {step}",
    "on": "goes on as planned, to {to}",
}

candidate_app = group("candidate")

email_app = group("email")

Delivery = Annotated[UUID, typer.Argument(metavar="DELIVERY", help="Its id, as the outbox shows it.")]
Deliveries = Annotated[
    list[UUID], typer.Argument(metavar="DELIVERY...", help="Their ids, as the outbox shows them.")
]


def within(tx: "Transaction", organization: str | None, sequence: str | None) -> tuple[UUID, UUID | None]:
    """Return the ids behind the names: of the organization, or of the only one there is, and of the sequence. Raises ``NotFound``."""
    organization_id = (
        lookups.by_name(tx, "organization", organization) if organization else lookups.only_organization(tx)
    )
    return organization_id, (
        lookups.by_name(tx, "sequence", sequence, organization=organization) if sequence else None
    )


def list_due(
    lists: "DueList[Row]",
    shown: "Callable[[Row], dict[str, object]]",
    *,
    title: str,
    organization: str | None,
    sequence: str | None,
    as_json: bool,
) -> None:
    """Print what came due and waits for somebody, the oldest first."""
    with opened() as runtime, runtime.database.transaction() as tx:
        organization_id, sequence_id = within(tx, organization, sequence)
        rows, _ = lists.page(tx, organization_id, None, sequence_id, limit=_MOST)
    show([shown(each) for each in rows], as_json=as_json, title=title)


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
    needs: Annotated[Need | None, typer.Option(help="Only those that need this first.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10000)] = 50,
    as_json: AsJson = False,
) -> None:
    """Planned emails, the first ones first, each with what it waits for. Example: onbehalf outbox --organization Acme"""
    with opened() as runtime, runtime.database.transaction() as tx:
        organization_id, sequence_id = within(tx, organization, sequence)
        mailbox_id = lookups.by_name(tx, "mailbox", mailbox, organization=organization) if mailbox else None
        wanted = outbox.Wanted(organization_id, None, held, mailbox_id, sequence_id, need=needs)
        rows = outbox.planned(tx, wanted, limit=limit)
        stops = authority.blockers(tx, list({each.sequence_id for each in rows}))
    lines = []
    for each in rows:
        waits = waiting.waits_for(each, " ".join(stops.get(each.sequence_id, [])))
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


def _change(deliveries: list[UUID], change: "Change", done: str, *, yes: bool, as_json: bool) -> None:
    if len(deliveries) > 1:
        _change_several(deliveries, change, done, yes=yes, as_json=as_json)
        return
    (delivery,) = deliveries
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


def _change_several(deliveries: list[UUID], change: "Change", done: str, *, yes: bool, as_json: bool) -> None:
    """Say of each what became of it; exit code 1 if one was refused."""
    confirm(f"Change {len(set(deliveries))} emails?", yes=yes)
    with opened() as runtime:
        found = planned_several.change_several(
            runtime, deliveries, change, planned_several.Whose(None), actor=actor()
        )
    rows = [
        {
            "id": each.id,
            "person": each.person,
            "changed": each.changed,
            "refused": None if each.refused is None else str(each.refused),
            "due_at": each.due_at,
        }
        for each in found
    ]
    if as_json:
        print_json(rows)
    else:
        for each in found:
            say(f"{each.person or each.id}: {_became(each, done)}")
    if any(each.refused for each in found):
        raise typer.Exit(1)


def _became(each: "planned_several.Decided", done: str) -> str:
    if each.refused is not None:
        return f"Not changed. {each.refused}"
    return done if each.changed else "This was done before."


@email_app.command("skip")
@command
def skip(deliveries: Deliveries, yes: Yes = False, as_json: AsJson = False) -> None:
    """Leave a step out, of one person or several; the next one counts from now. Example: onbehalf email skip DELIVERY"""
    _change(deliveries, changes.Skip(), "Skipped.", yes=yes, as_json=as_json)


@email_app.command("cancel")
@command
def cancel(deliveries: Deliveries, yes: Yes = False, as_json: AsJson = False) -> None:
    """Do not send one email or several; later ones keep their times. Example: onbehalf email cancel DELIVERY DELIVERY"""
    _change(deliveries, changes.Cancel(), "Cancelled.", yes=yes, as_json=as_json)


@email_app.command("earlier")
@command
def earlier(deliveries: Deliveries, yes: Yes = False, as_json: AsJson = False) -> None:
    """Send one email or several as soon as pace and hours allow. Example: onbehalf email earlier DELIVERY"""
    _change(
        deliveries, changes.Earlier(), "It leaves as soon as pace and hours allow.", yes=yes, as_json=as_json
    )


@email_app.command("not-before")
@command
def not_before(
    deliveries: Deliveries,
    at: Annotated[str, typer.Argument(metavar="TIME", help="With a zone, like 2026-12-24T09:00+01:00.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Send one email or several at this time at the earliest. Example: onbehalf email not-before DELIVERY 2026-12-24T09:00+01:00"""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise InvalidInput(
            "This is no date and time", where="TIME", fix="Write 2026-12-24T09:00+01:00."
        ) from None
    _change(deliveries, changes.NotBefore(moment), "Moved.", yes=yes, as_json=as_json)


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


@candidate_app.command("correct-address")
@command
def correct_address(
    person: Annotated[str, typer.Argument(help="The person's address, or their id.")],
    address: str,
    organization: Organization = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Give a person another address; what came back goes on. Example: onbehalf candidate correct-address jo@old.example jo@new.example"""
    with opened() as runtime:
        candidate = find(runtime, "candidate", person, organization)
        foreseen = addresses.foresee(runtime, candidate, address)
        if not as_json:
            for each in foreseen.places:
                say(f"{each.sequence}: {_GOES_ON[each.goes].format(step=each.step, to=foreseen.address)}")
        confirm(f"Correct {foreseen.email} to {foreseen.address}?", yes=yes)
        done = addresses.correct(runtime, candidate, address, was=foreseen.email, actor=actor())
    report(f"{done.name} has the address {done.address} now.", asdict(done), as_json=as_json)


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
