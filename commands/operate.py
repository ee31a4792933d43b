"""Running it: migrate, import, rotate keys, probe a mailbox."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import Progress

from actions import keys, organization_files, probe_graph
from commands.common import (
    REFUSED,
    UNKNOWN_REMAINS,
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
from commands.withdrawals import say_answer
from config import Settings
from db import lookups, migrate
from importing.summary import ImportSummary

keys_app = typer.Typer(help="The keys that stored tokens are encrypted with.", no_args_is_help=True)


@command
def migrate_database(as_json: AsJson = False) -> None:
    """Bring the database to the newest schema; safe to run from several places at once. Example: onbehalf migrate"""
    migrate.upgrade(Settings.from_environment().database_url)
    report("The database is up to date.", {"up_to_date": True}, as_json=as_json)


@command
def import_data(
    file: Annotated[
        Path, typer.Argument(help="An organization file (.yaml) or candidates (.csv).", metavar="FILE")
    ],
    sequence: Annotated[str | None, typer.Option(help="Enroll the candidates into this sequence.")] = None,
    organization: Annotated[
        str | None,
        typer.Option(
            "--organization",
            "-o",
            help="Whose candidates these are; or the one organization that a file may touch.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what the import would do, and change nothing.")
    ] = False,
    go_on: Annotated[
        bool,
        typer.Option(
            "--continue", help="People who had finished a sequence get the steps that were added to it."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Load organizations, members, mailboxes, grants and sequences (YAML), or candidates (CSV): all of a file or nothing.

    What people have ended since (permissions, connections, pauses) stays ended, and is named. Examples:
    onbehalf import acme.yaml --dry-run · onbehalf import candidates.csv --sequence "Backend engineers"
    """
    with opened() as runtime, Progress(console=errors, transient=True) as bar:
        task = bar.add_task(f"Reading {escape(file.name)}", total=None)
        done = organization_files.import_and_wait(
            runtime,
            file,
            sequence=sequence,
            organization=organization,
            actor=actor(),
            progress=lambda what, done, total: bar.update(
                task, description=what, completed=done, total=total
            ),
            dry_run=dry_run,
            go_on=go_on,
        )
    answer = done.withdrawal
    if as_json:
        stopped = None if answer is None else {**asdict(answer), "complete": answer.complete}
        print_json({**done.summary.to_json(), "dry_run": dry_run, "withdrawal": stopped})
    else:
        _say_imported(done.summary, dry_run=dry_run)
        if answer is not None:
            say_answer(answer)
    if answer is not None and not answer.complete:
        raise typer.Exit(UNKNOWN_REMAINS)


def _say_imported(summary: ImportSummary, *, dry_run: bool) -> None:
    title = "Would be written (nothing was)" if dry_run else "Written"
    rows = [{"what": name.replace("_", " "), "count": value} for name, value in summary.counts().items()]
    show(rows, as_json=False, title=title)
    for heading, sentences in (
        ("What changes for people", summary.edits),
        ("Asked", summary.asked),
        ("Left alone", summary.left_alone),
    ):
        if sentences:
            say(heading, "bold")
            for sentence in sentences:
                say(f"  {sentence}")


@keys_app.command("rotate")
@command
def rotate_keys(as_json: AsJson = False) -> None:
    """Encrypt every stored token with the newest key of SECRET_KEYS. Example: onbehalf keys rotate"""
    with opened() as runtime, errors.status("Encrypting again …"):
        rotated = keys.rotate(runtime, actor=actor())
    if as_json:
        print_json({"rotated": rotated, "left": 0})
    else:
        say(f"{rotated} mailboxes' tokens are now under the newest key; older keys can be taken out.")


@command
def probe(address: str, yes: Yes = False, as_json: AsJson = False) -> None:
    """Find out how this mailbox's Exchange really behaves (assumptions A1 to A6). Sends a few emails to the mailbox itself.

    Example: onbehalf probe-graph ops@acme.example --yes
    """
    confirm(f"Send a few test emails from {address} to itself?", yes=yes)
    with opened() as runtime:
        with runtime.database.transaction() as tx:
            mailbox_id = lookups.by_name(tx, "mailbox", address)
        with errors.status("Asking the mailbox, this takes a minute …"):
            findings = probe_graph.probe(runtime, mailbox_id)
    show([asdict(each) for each in findings], as_json=as_json)
    if any(each.holds is False and each.needed for each in findings):
        raise typer.Exit(REFUSED)
