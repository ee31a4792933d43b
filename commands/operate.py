"""Running it: migrate, import, rotate keys, probe a mailbox."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import Progress

from actions import keys, probe_graph
from commands.common import (
    REFUSED,
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
    show,
)
from config import Settings
from db import lookups, migrate
from importing.load import import_file

keys_app = typer.Typer(help="The keys that stored tokens are encrypted with.", no_args_is_help=True)


@command
def migrate_database(as_json: AsJson = False) -> None:
    """Bring the database to the newest schema; safe to run from several places at once. Example: onbehalf migrate"""
    migrate.upgrade(Settings.from_environment().database_url)
    report("The database is up to date.", {"up_to_date": True}, as_json=as_json)


@command
def import_data(
    file: Annotated[Path, typer.Argument(help="A world file (.yaml) or candidates (.csv).", metavar="FILE")],
    sequence: Annotated[str | None, typer.Option(help="Enroll the candidates into this sequence.")] = None,
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Load organizations, members, mailboxes, grants and sequences (YAML), or candidates (CSV): all of a file or nothing.

    Examples: onbehalf import world.yaml · onbehalf import candidates.csv --sequence "Backend engineers"
    """
    with opened() as runtime, Progress(console=errors, transient=True) as bar:
        task = bar.add_task(f"Reading {escape(file.name)}", total=None)
        summary = import_file(
            runtime.database,
            file,
            sequence=sequence,
            organization=organization,
            actor=actor(),
            default_domain=runtime.settings.default_mail_domain if runtime.settings.default_mail_url else "",
            progress=lambda what, done, total: bar.update(
                task, description=what, completed=done, total=total
            ),
        )
    if as_json:
        print_json(asdict(summary))
    else:
        counts = {name: value for name, value in asdict(summary).items() if name != "left_out"}
        show(
            [{"what": name.replace("_", " "), "count": value} for name, value in counts.items()],
            as_json=False,
        )
        for each in summary.left_out:
            say(f"Not sent: {each}.", "yellow")


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
