"""Importing people: what a file did, or would do, in words."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rich.markup import escape
from rich.progress import Progress

from commands import next_steps
from commands.common import actor, errors, opened, print_json, say, show
from domain.enrolling import ADMINS_MAY, Keeps
from importing import files
from importing import people as importing_people

if TYPE_CHECKING:
    from importing.people import Options
    from importing.writing import PeopleSummary

_SHOWN = 20  # rows left out, duplicates and changes; all of them are in the JSON


def run(
    file: Path, sequence: str | None, organization: str | None, options: "Options", *, as_json: bool
) -> None:
    """Import, or foresee it, and say what came of it."""
    name = "standard input" if file == files.STDIN else file.name
    with opened() as runtime, Progress(console=errors, transient=True) as bar:
        task = bar.add_task(f"Reading {escape(name)}", total=None)
        summary = importing_people.import_people(
            runtime.database,
            file,
            sequence=sequence,
            organization=organization,
            actor=actor(),
            progress=lambda what, done, total: bar.update(
                task, description=what, completed=done, total=total
            ),
            options=options,
            keys=runtime.web_keys,
        )
        coming = (
            [] if options.dry_run else next_steps.after_people(runtime, str(file), sequence, organization)
        )
    if as_json:
        print_json(asdict(summary))
        return
    say_summary(summary)
    if summary.dry_run:
        say("Nothing was written. Leave out --dry-run to import.")
    for step in coming:
        say(f"Next: {step}")


def say_summary(summary: "PeopleSummary") -> None:
    """What was written, or would be, in words."""
    for warning in summary.warnings:
        say(f"Warning: {warning}", "yellow")
    _say_numbers(summary)
    _say_kept_out(summary)
    _say_left_out(summary)
    _say_what_leaves(summary)


def _say_numbers(summary: "PeopleSummary") -> None:
    would = "would be " if summary.dry_run else ""
    rows = [
        (f"{would}new", summary.candidates_created),
        (f"{would}changed", summary.candidates_updated),
        ("known, and nothing new", summary.unchanged),
    ]
    if summary.sequence is not None:
        rows += [
            (f"{would}enrolled", summary.enrolled),
            ("in the sequence already", summary.skipped_already_enrolled),
            ("asked for no more emails", summary.skipped_suppressed),
            ("in another sequence", summary.skipped_elsewhere),
            ("written to lately", summary.skipped_contacted),
        ]
    rows += [
        ("twice in the file", len(summary.duplicates)),
        ("no email, by the file", len(summary.declined)),
        ("left out", len(summary.left_out)),
    ]
    show([{"people": what, "count": count} for what, count in rows], as_json=False)
    for each in summary.changes[:_SHOWN]:
        changes = ", ".join(
            f"{name} {was!r} -> {becomes!r}" for name, (was, becomes) in each["changes"].items()
        )
        say(f"{each['email']} would change: {changes}")
    _say_more(len(summary.changes))


def _say_kept_out(summary: "PeopleSummary") -> None:
    ruled = [each for each in summary.kept_out if each["keeps"] in ADMINS_MAY]
    for each in ruled[:_SHOWN]:
        why = (
            f"is in “{each['detail']}”"
            if each["keeps"] == Keeps.ELSEWHERE
            else f"got an email on {each['detail'][:10]}"
        )
        say(f"Not enrolled: {each['email']} {why}.", "yellow")
    _say_more(len(ruled))
    if ruled:
        say('To enroll them anyway: --anyway "WHY". Kept in the audit trail.')


def _say_left_out(summary: "PeopleSummary") -> None:
    for each in summary.duplicates[:_SHOWN]:
        say(f"Line {each['line']}: {each['why']}. The first one counts.")
    _say_more(len(summary.duplicates))
    for kind in (summary.declined, summary.left_out):
        for each in kind[:_SHOWN]:
            say(f"Left out: line {each['line']}: {each['why']}.", "yellow")
        _say_more(len(kind))
    for each in summary.still_written_to[:_SHOWN]:
        say(
            f"Still written to in “{each['sequence']}”: {each['email']}. To end it: onbehalf candidate stop {each['email']}",
            "yellow",
        )
    _say_more(len(summary.still_written_to))
    if summary.declined:
        say('If they agree to be written to, make the column a field: --map "COLUMN=field".')
    if summary.rejects_file is not None:
        say(f"The rows left out are in {summary.rejects_file}. Correct them there and import that file.")


def _say_what_leaves(summary: "PeopleSummary") -> None:
    for each in summary.missing_fields:
        say(
            f"{_people(each['people'])} no {each['field']}, and step {each['step']} has no fallback for it: it waits for them"
            f" (for example {each['for_example']}). Import the value, or write {{{{{each['field']}|…}}}}.",
            "yellow",
        )
    if summary.sequence is None or not summary.enrolled:
        return
    people = "1 person" if summary.enrolled == 1 else f"{summary.enrolled} people"
    if summary.first_step_at is None:
        verb = "would wait" if summary.dry_run else "waits" if summary.enrolled == 1 else "wait"
        say(f"{people} {verb} in “{summary.sequence}”: {summary.waits_because}.", "bold")
    else:
        verb = "would get" if summary.dry_run else "will get"
        at = _local(summary.first_step_at, summary.time_zone)
        say(f"{people} {verb} step 1 of “{summary.sequence}” from {at}, sent by {summary.sender}.", "bold")
    if summary.first_message is not None:
        _say_message(summary.first_message)


def _say_message(message: dict[str, str]) -> None:
    if "refused" in message:
        say(f"The first email, to {message['to']}, could not be sent: {message['refused']}", "red")
        return
    say(
        f"\nThe first of them reads:\nTo: {message['to']}\nSubject: {message['subject']}\n\n{message['text'].strip()}\n"
    )


def _say_more(count: int) -> None:
    if count > _SHOWN:
        say(f"… and {count - _SHOWN} more (--json lists them).")


def _people(count: int) -> str:
    return "1 person has" if count == 1 else f"{count} people have"


def _local(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M on %-d %b %Y} ({zone})"
