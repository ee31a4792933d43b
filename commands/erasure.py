"""People: export or erase one."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from actions import people
from commands.common import IN_DOUBT_REMAINS, AsJson, Yes, actor, command, confirm, opened, print_json, say
from commands.tree import group
from commands.withdrawals import find
from db.withdrawing import erasing

people_app = group("people")
Of = Annotated[str, typer.Option("--organization", "-o", help="Whose person it is.")]


@people_app.command("export")
@command
def export(
    address: str,
    organization: Of,
    as_json: Annotated[bool, typer.Option("--json", help="Print it on one line.")] = False,
) -> None:
    """Everything that is known of one person, as JSON. Example: onbehalf people export jo@kestrel.example -o Acme"""
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        with runtime.database.transaction() as tx:
            candidate_id = erasing.by_address(tx, organization_id, address)
        found = people.export(runtime, organization_id, candidate_id, actor=actor())
    print(json.dumps(found, default=str, indent=None if as_json else 1, ensure_ascii=False))


@people_app.command("erase")
@command
def erase(address: str, organization: Of, yes: Yes = False, as_json: AsJson = False) -> None:
    """Erase one person: text, addresses, drafts, incoming mail. A code of the address stays, so that it stays suppressed.

    Example: onbehalf people erase jo@kestrel.example -o Acme
    """
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        with runtime.database.transaction() as tx:
            candidate_id = erasing.by_address(tx, organization_id, address)
        person, known = people.foresee(runtime, organization_id, candidate_id)
        confirm(
            f"Erase {person.name}? {known.messages} messages, {known.by_hand} emails written by hand and {known.drafts} drafts go,"
            f" {known.waiting} emails stop. This cannot be undone.",
            yes=yes,
        )
        done = people.erase(runtime, organization_id, candidate_id, actor=actor())
    if as_json:
        print_json({"withdrawal": asdict(done.withdrawal), "erased": asdict(done.erased)})
    else:
        erased = done.erased
        say(
            f"Erased at {erased.at:%Y-%m-%d %H:%M:%S} UTC, person {erased.candidate_id}: {erased.messages} messages,"
            f" {erased.files} files, {erased.letters} emails written by hand; ids of {erased.deliveries} emails,"
            f" {erased.events} events, {erased.notices} notices. {done.withdrawal.stopped} emails stopped."
            f" The audit trail has this as person_erased."
        )
    if not done.withdrawal.complete:
        say(f"In doubt: {len(done.withdrawal.in_doubt)}. We are looking for them.", "yellow")
        raise typer.Exit(IN_DOUBT_REMAINS)
