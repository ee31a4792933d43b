"""The suppression list: addresses and domains that nobody in an organization writes to."""

import csv
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from actions import suppressions as actions
from commands.common import (
    IN_DOUBT_REMAINS,
    AsJson,
    Yes,
    actor,
    command,
    confirm,
    errors,
    opened,
    print_json,
    report,
    say,
    show,
)
from commands.tree import group
from commands.withdrawals import find, say_answer
from db.withdrawing import suppressions
from domain.errors import NotFound
from domain.suppression import LABELS, Reason, entry
from importing import files
from importing import suppressions as importing_suppressions

suppressions_app = group("suppressions")
_SHOWN = 20  # lines that are no entry; all of them are in the JSON
Because = Annotated[str, typer.Option("--because", help="Why; it is kept in the audit trail.")]


@suppressions_app.command("list")
@command
def list_suppressions(
    organization: str,
    search: Annotated[str, typer.Option("--search", help="Part of an address or domain.")] = "",
    lifted: Annotated[bool, typer.Option("--lifted", help="Those that were lifted.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 100,
    as_json: AsJson = False,
) -> None:
    """The list, newest first. Example: onbehalf suppressions list Acme --search brightwell.example"""
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        with runtime.database.transaction() as tx:
            found = suppressions.entries(tx, organization_id, search=search, lifted=lifted, limit=limit)
    if as_json:
        print_json([{**asdict(each), "address_hash": None} for each in found])
        return
    rows = [
        {
            "id": each.id,
            "value": suppressions.name_of(each),
            "reason": LABELS[Reason(each.reason)],
            "source": each.source,
            "since": each.created_at,
            "by": each.created_by,
            **({"lifted": each.lifted_at, "because": each.lift_reason} if lifted else {}),
        }
        for each in found
    ]
    show(rows, as_json=False, title="Suppressions")


@suppressions_app.command("add")
@command
def add_suppression(
    organization: str,
    value: Annotated[str, typer.Argument(help="An address, or a domain with everything below it.")],
    reason: Annotated[Reason, typer.Option("--reason")] = Reason.BY_HAND,
    source: Annotated[str, typer.Option("--source", help="Where it comes from, in words.")] = "",
    as_json: AsJson = False,
) -> None:
    """Nobody in the organization can email it once this returns. Example: onbehalf suppressions add Acme brightwell.example --source "a client" """
    new = entry(value, reason, source)
    with opened() as runtime, errors.status("Closing the gate, waiting for emails on their way …"):
        organization_id = find(runtime, "organization", organization)
        added, answer = actions.add(runtime, organization_id, [new], actor=actor())
    if as_json:
        print_json({**asdict(added), **asdict(answer), "complete": answer.complete})
    else:
        say(f"{new.value} is on the list." if added.added else f"{new.value} was on the list before.")
        say_answer(answer)
    if not answer.complete:
        raise typer.Exit(IN_DOUBT_REMAINS)


@suppressions_app.command("import")
@command
def import_suppressions(
    organization: str,
    file: Annotated[
        Path, typer.Argument(help="CSV: address or domain, reason, source. - is standard input.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import a list from elsewhere. Example: onbehalf suppressions import Acme optouts.csv --dry-run"""
    sheet = importing_suppressions.read_suppressions(
        str(file), files.read_file(file, max_bytes=importing_suppressions.MAX_BYTES)
    )
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        if dry_run:
            added, answer = actions.foresee(runtime, organization_id, sheet.entries), None
        else:
            added, answer = actions.add(runtime, organization_id, sheet.entries, actor=actor())
    left_out = [{"line": each.line, "why": each.what, "fix": each.fix} for each in sheet.left_out]
    if as_json:
        print_json({"dry_run": dry_run, **asdict(added), "repeated": sheet.repeated, "left_out": left_out})
    else:
        would = "would be " if dry_run else ""
        say(
            f"{added.added} {would}new, {added.known} known, {sheet.repeated} twice in the file."
            f" {added.people} people {'would leave' if dry_run else 'leave'} all sequences."
        )
        for each in sheet.left_out[:_SHOWN]:
            say(f"Left out: {each.text(str(file))}", "yellow")
        if len(left_out) > _SHOWN:
            say(f"… and {len(left_out) - _SHOWN} more (--json lists them).")
        if answer is not None:
            say_answer(answer)
    if answer is not None and not answer.complete:
        raise typer.Exit(IN_DOUBT_REMAINS)


@suppressions_app.command("export")
@command
def export_suppressions(organization: str, as_json: AsJson = False) -> None:
    """Write the list as CSV, to import it elsewhere; erased addresses are not in it. Example: onbehalf suppressions export Acme > list.csv"""
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        rows = suppressions.export(runtime.database, organization_id)
        if as_json:
            print_json([dict(zip(suppressions.COLUMNS, each, strict=True)) for each in rows])
            return
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(suppressions.COLUMNS)
        writer.writerows(rows)


@suppressions_app.command("lift")
@command
def lift_suppression(
    organization: str,
    value: Annotated[str, typer.Argument(help="The address, the domain, or the entry's id.")],
    because: Because,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Allow it again; sends nothing. Example: onbehalf suppressions lift Acme jo@example.org --because "asked for it by phone" """
    confirm(f"Lift {value}? Everybody in {organization} can write there again.", yes=yes)
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        with runtime.database.transaction() as tx:
            entry_id = _entry_id(value)
            if entry_id is None:
                wanted = entry(value, Reason.BY_HAND)
                entry_id = suppressions.active_id(tx, organization_id, wanted.value, kind=wanted.kind)
        if entry_id is None:
            raise NotFound(f"{value} is not on the list.")
        lifted = actions.lift(runtime, organization_id, entry_id, actor=actor(), reason=because)
    sentence = f"{value} may be written to again." if lifted else f"{value} was lifted before."
    report(sentence, {"id": entry_id, "lifted": lifted}, as_json=as_json)


def _entry_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
