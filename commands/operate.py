"""Running it: migrate, import, rotate keys, probe a mailbox."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

import config
from actions import keys, organization_files, probes
from commands import next_steps, people, staying
from commands.common import (
    IN_DOUBT_REMAINS,
    REFUSED,
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
from commands.withdrawals import say_answer
from db.schema import migrate
from db.views import lookups
from domain.errors import InvalidInput
from importing import encodings, headers, load
from importing import people as importing_people

if TYPE_CHECKING:
    from actions.probes import Finding
    from importing.summary import ImportSummary

keys_app = group("keys")
Wait = Annotated[float, typer.Option(help="Seconds for an email to arrive; more where mail is slow.", min=1)]


@command
def migrate_database(
    check: Annotated[
        bool, typer.Option("--check", help="Show what would be done, and whether it can be; change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the database to the newest schema and give each role its rights; safe to run from several places at once.

    With --check the exit code is 1 when there is something to do, and 3 when it could not be done.
    Examples: onbehalf migrate · onbehalf migrate --check
    """
    settings = config.Settings.from_environment(without=config.SCHEMA_ONLY)
    if check:
        found = migrate.pending(settings.database_url)
        said = (
            f"{len(found.revisions)} migrations would be applied: {', '.join(found.revisions)}."
            if found.revisions
            else "The database is up to date."
        )
        report(said, asdict(found), as_json=as_json)
        if found.revisions:
            raise typer.Exit(REFUSED)
        return
    migrate.upgrade(settings.database_url, secret_keys=settings.secret_keys)
    report("The database is up to date.", {"up_to_date": True}, as_json=as_json)
    if staying.ends_everything():
        report("Waiting: here all processes end when one does.", {"waiting": True}, as_json=as_json)
        staying.until_stopped()


@command
def import_data(
    file: Annotated[
        Path,
        typer.Argument(
            help="Organizations (.yaml), or people: .csv, .xlsx, .tsv, .txt; - reads them from standard input.",
            metavar="FILE",
        ),
    ],
    sequence: Annotated[str | None, typer.Option(help="Enroll the people into this sequence.")] = None,
    organization: Annotated[
        str | None,
        typer.Option(
            "--organization",
            "-o",
            help="Whose people these are; or the one organization that a file may touch.",
        ),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            help='What a column is: --map "Email Addresses=email". Nothing after = leaves the column out.',
        ),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="The file's encoding, such as cp1250, if it is not certain.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse the whole file if one row cannot be imported.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Write nothing; show what would be new, changed and left alone, and the first email.",
        ),
    ] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(
            help="Where to write the rows left out; by default FILE.rejects.csv beside the file. Correct them and import that file."
        ),
    ] = None,
    a_day: Annotated[
        int | None,
        typer.Option("--a-day", min=1, help="How many people start on one business day."),
    ] = None,
    anyway: Annotated[
        str,
        typer.Option(
            help="Why people are enrolled who are in another sequence or were written to lately; audited."
        ),
    ] = "",
    member: Annotated[
        str | None,
        typer.Option(help="Without a sequence: the member, by address, who sees these people."),
    ] = None,
    go_on: Annotated[
        bool,
        typer.Option("--continue", help="Give people who had finished a sequence the steps added since."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Load organizations, members, mailboxes, grants and sequences (YAML, all or nothing), or people (CSV, Excel).

    People: columns are recognized by their titles in many languages. Blank or missing values change nothing.
    Rows that cannot be imported are left out and listed. In a running sequence the first emails leave at once: try --dry-run first.

    Organizations: what people have ended since (permissions, connections, pauses) stays ended, and is listed.

    Without a sequence nobody is enrolled: --member says who sees these people meanwhile.

    Examples: onbehalf import acme.yaml --dry-run · onbehalf import people.csv --sequence "Backend engineers" --dry-run
    """
    if file.suffix.lower() not in load.ORGANIZATION_SUFFIXES:
        if go_on:
            raise InvalidInput(
                "--continue is for organization files.", where=str(file), fix="Leave it out for people."
            )
        options = importing_people.Options(
            headers.parse_mapping(mapping or []),
            None if encoding is None else encodings.check_encoding(encoding),
            strict=strict,
            dry_run=dry_run,
            rejects=rejects,
            a_day=a_day,
            anyway=anyway,
            member=member,
        )
        people.run(file, sequence, organization, options, as_json=as_json)
        return
    if mapping or encoding or strict or rejects or sequence or a_day or anyway or member:
        raise InvalidInput(
            "An organization file takes --organization, --dry-run, --continue and --json only.",
            where=str(file),
            fix="The other options are for people.",
        )
    with opened() as runtime, errors.status(f"Reading {escape(file.name)}"):
        done = organization_files.import_and_wait(
            runtime,
            file,
            actor=actor(),
            organization=organization,
            dry_run=dry_run,
            go_on=go_on,
        )
        coming = [] if dry_run else next_steps.after_organizations(runtime, done.summary.names)
    answer = done.withdrawal
    if as_json:
        stopped = None if answer is None else {**asdict(answer), "complete": answer.complete}
        print_json({**done.summary.to_json(), "dry_run": dry_run, "withdrawal": stopped})
    else:
        _say_imported(done.summary, dry_run=dry_run)
        if answer is not None:
            say_answer(answer)
        for step in coming:
            say(f"Next: {step}")
    if answer is not None and not answer.complete:
        raise typer.Exit(IN_DOUBT_REMAINS)


def _say_imported(summary: "ImportSummary", *, dry_run: bool) -> None:
    title = "Would be written (nothing was written)" if dry_run else "Written"
    rows = [{"what": name.replace("_", " "), "count": value} for name, value in summary.counts().items()]
    show(rows, as_json=False, title=title)
    for each in summary.left_out:
        say(f"Not sent: {each}.", "yellow")
    for heading, sentences in (
        ("What changes for people", summary.edits),
        ("Asked", summary.asked),
        ("Left alone", summary.left_alone),
    ):
        if sentences:
            say(heading, "bold")
            for sentence in sentences:
                say(f"  {sentence}")


@keys_app.command("web")
@command
def print_web_keys(as_json: AsJson = False) -> None:
    """Print the keys that the web process gets in place of SECRET_KEYS. Example: onbehalf keys web

    With these, web can seal tokens and passwords for workers, but read none. After changing SECRET_KEYS, start the workers with it
    first, then give web what this prints.
    """
    variables = keys.of_web(config.Settings.from_environment(without=config.KEYS_ONLY).secret_keys)
    if as_json:
        print_json(variables)
    else:
        for name, value in variables.items():
            print(f"{name}={value}")


@keys_app.command("rotate")
@command
def rotate_keys(as_json: AsJson = False) -> None:
    """Encrypt stored tokens, secrets and incoming mail with the newest key of SECRET_KEYS. Example: onbehalf keys rotate

    Opt-out links of emails that have left, erased addresses of the suppression list and audit entries need the key they were made with.
    """
    with opened() as runtime, errors.status("Encrypting again …"):
        rotated = keys.rotate(runtime, actor=actor())
    if as_json:
        print_json({"rotated": rotated, "left": 0})
    else:
        say(
            f"Encrypted {rotated} stored secrets and messages with the newest key. Nothing stored needs the older keys to be read."
            " Keep them in SECRET_KEYS all the same: without them, opt-out links in emails that have left stop working, and erased"
            " addresses of the suppression list are no longer recognised. Remove one only if somebody else may have it."
        )


@command
def probe(
    address: str,
    wait: Wait = probes.WAIT,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Find out how this mailbox's Exchange really behaves (assumptions A1 to A6, L1 to L5). Sends a few emails to the mailbox itself.

    Example: onbehalf probe-graph ops@acme.example --yes
    """
    from actions import probe_graph  # noqa: PLC0415 - heavy

    _probe(probe_graph.probe, address, wait, yes=yes, as_json=as_json)


@command
def probe_at_google(
    address: str,
    wait: Wait = probes.WAIT,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Find out how this mailbox's Gmail really behaves (assumptions G1 to G5). Sends two emails to the mailbox itself.

    Example: onbehalf probe-gmail ops@acme.example --yes
    """
    from actions import probe_gmail  # noqa: PLC0415 - heavy

    _probe(probe_gmail.probe, address, wait, yes=yes, as_json=as_json)


def _probe(
    ask: "Callable[..., list[Finding]]", address: str, wait: float, *, yes: bool, as_json: bool
) -> None:
    confirm(f"Send a few test emails from {address} to itself?", yes=yes)
    with opened() as runtime:
        with runtime.database.transaction() as tx:
            mailbox_id = lookups.by_name(tx, "mailbox", address)
        with errors.status("Asking the mailbox, this takes a minute …"):
            findings = ask(runtime, mailbox_id, wait=wait)
    show([asdict(each) for each in findings], as_json=as_json)
    if any(each.holds is False and each.needed for each in findings):
        raise typer.Exit(REFUSED)
