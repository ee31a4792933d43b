"""Saying no, and yes again, to sequences and people. Who may send at all: ``commands/connections.py``."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from actions import resume, withdraw
from commands.common import (
    IN_DOUBT_REMAINS,
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
from commands.names import MemberAddress, PersonAddress, SequenceName
from commands.tree import group
from db.sequences import built
from db.views import lookups
from domain.delay import parse_delay
from domain.errors import InvalidInput
from domain.withdrawal import WithdrawalResult

if TYPE_CHECKING:
    from app.runtime import Runtime

sequence_app = group("sequence")
enrollment_app = group("enrollment")
candidate_app = group("candidate")

Because = Annotated[
    str, typer.Option("--because", help="Why, in a few words; it is kept in the audit trail.")
]


def say_no(as_json: bool, call: "Callable[[Runtime], WithdrawalResult]") -> None:
    """Make a withdrawal and say what it stopped. Exits with its own code while anything is in doubt."""
    with opened() as runtime, errors.status("Closing the gate, waiting for emails on their way …"):
        answer = call(runtime)
    finish(answer, say_answer, as_json=as_json)


def finish(answer: WithdrawalResult, words: Callable[[WithdrawalResult], None], *, as_json: bool) -> None:
    """Say what an answer is, in words or as JSON. Exits with its own code while anything is in doubt."""
    if as_json:
        print_json({**asdict(answer), "complete": answer.complete})
    else:
        words(answer)
    if not answer.complete:
        raise typer.Exit(IN_DOUBT_REMAINS)


def say_answer(answer: WithdrawalResult) -> None:
    """What a withdrawal stopped, in words."""
    last = f" (last at {answer.last_left_at:%H:%M:%S} UTC)" if answer.last_left_at else ""
    end = (
        "nothing can leave now" if answer.complete else "we are looking for these, and never send them again"
    )
    say(
        f"Stopped: {answer.stopped} · already sent: {answer.already_sent}{last} · in doubt: {len(answer.in_doubt)} — {end}."
    )
    for delivery_id in answer.in_doubt:
        say(f"  in doubt: {delivery_id}   (onbehalf why, onbehalf review)")


def find(runtime: "Runtime", kind: str, name: str, organization: str | None = None) -> UUID:
    """The id behind a name, or ``NotFound`` with what was meant."""
    with runtime.database.transaction() as tx:
        return lookups.by_name(tx, kind, name, organization=organization)


@sequence_app.command("pause")
@command
def pause_sequence(
    name: SequenceName,
    because: Because = "paused by hand",
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Pause a sequence; none of its emails leave once this returns. Example: onbehalf sequence pause "Backend engineers" """
    say_no(
        as_json,
        lambda runtime: withdraw.pause_sequence(
            runtime, find(runtime, "sequence", name, organization), actor=actor(), reason=because
        ),
    )


@sequence_app.command("archive")
@command
def archive_sequence(
    name: SequenceName,
    because: Because = "archived by hand",
    organization: Organization = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """End a sequence for good; nothing is deleted. Example: onbehalf sequence archive "Backend engineers" --yes"""
    confirm(f"Archive {name!r}? Its waiting emails are cancelled and it cannot be resumed.", yes=yes)
    say_no(
        as_json,
        lambda runtime: withdraw.archive_sequence(
            runtime, find(runtime, "sequence", name, organization), actor=actor(), reason=because
        ),
    )


@sequence_app.command("resume")
@command
def resume_sequence(
    name: SequenceName,
    skip_older_than: Annotated[
        str | None, typer.Option(help="Leave out emails that are later than this, for example P3D.")
    ] = None,
    organization: Organization = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """See who would get what and when; then resume. Example: onbehalf sequence resume "Backend engineers" """
    oldest: timedelta | None = None if skip_older_than is None else parse_delay(skip_older_than).duration
    with opened() as runtime:
        sequence_id = find(runtime, "sequence", name, organization)
        preview = resume.preview_resume(runtime, sequence_id, skip_older_than=oldest)
        if not as_json:
            rows = [asdict(each) for each in preview.planned[:20]]
            show(rows, as_json=False, title="Earliest sending times (UTC)", hide=["delivery_id", "reason"])
            if len(preview.planned) > 20:
                say(
                    f"… and {len(preview.planned) - 20} more, the last at {preview.planned[-1].send_at:%Y-%m-%d %H:%M:%S} UTC."
                )
            for note in preview.notes:
                say(note, "yellow")
            if preview.summary:
                say(f"{', '.join(preview.summary)}.")
            for blocker in preview.blockers:
                say(f"Not yet: {blocker}", "red")
        if not preview.blockers:
            confirm(f"Resume {preview.sequence_name!r}?", yes=yes)
        done = resume.resume_sequence(runtime, sequence_id, actor=actor(), skip_older_than=oldest)
    if as_json:
        print_json(asdict(done))
    else:
        say(f"Resumed {done.sequence_name}: {len(done.planned)} people continue.")


@sequence_app.command("resume-all")
@command
def resume_all(owner: MemberAddress, yes: Yes = False, as_json: AsJson = False) -> None:
    """Resume all paused sequences of a member that nobody paused by hand. Example: onbehalf sequence resume-all rita@acme.example"""
    with opened() as runtime:
        owner_id = find(runtime, "member", owner)
        with runtime.database.transaction() as tx:
            organization_id = built.organization_of_member(tx, owner_id)
            plans = resume.preview_paused(tx, organization_id, owner_id)
        free = {key: plan for key, plan in plans.items() if not plan.by_hand and not plan.blockers}
        if not as_json:
            for plan in plans.values():
                say(f"{plan.sequence_name}: {', '.join(plan.summary) or 'nobody is waiting'}.")
                for note in plan.notes:
                    say(f"  {note}", "yellow")
                for blocker in plan.blockers:
                    say(f"  Not yet: {blocker}", "red")
                if plan.by_hand and not plan.blockers:
                    say("  Paused by hand: resume it by its name.", "yellow")
        if free:
            confirm(f"Resume {len(free)} sequences?", yes=yes)
        done = resume.resume_several(runtime, list(free), actor=actor())
    resumed = [plan.sequence_name for plan in done.values() if not plan.blockers]
    report(
        f"Resumed {len(resumed)} sequences.",
        {"resumed": resumed, "items": [{"sequence_id": key, **asdict(each)} for key, each in done.items()]},
        as_json=as_json,
    )


def _enrollment(runtime: "Runtime", text: str) -> UUID:
    with runtime.database.transaction() as tx:
        found = lookups.enrollments_of(tx, text)
    if len(found) != 1:
        listed = " ".join(str(each) for each in found)
        raise InvalidInput(
            f"{text!r} matches {len(found)} enrollments. {listed}".strip(),
            fix="Give one enrollment's id (onbehalf why).",
        )
    return found[0]


@enrollment_app.command("pause")
@command
def pause_enrollment(
    enrollment: PersonAddress, because: Because = "paused by hand", as_json: AsJson = False
) -> None:
    """Pause one person in a sequence. Example: onbehalf enrollment pause jo@example.org"""
    say_no(
        as_json,
        lambda runtime: withdraw.pause_enrollment(
            runtime, _enrollment(runtime, enrollment), actor=actor(), reason=because
        ),
    )


@enrollment_app.command("stop")
@command
def stop_enrollment(
    enrollment: PersonAddress, because: Because = "stopped by hand", as_json: AsJson = False
) -> None:
    """Stop one person: they get no further steps of this sequence. Example: onbehalf enrollment stop jo@example.org --because replied"""
    say_no(
        as_json,
        lambda runtime: withdraw.stop_enrollment(
            runtime, _enrollment(runtime, enrollment), actor=actor(), reason=because
        ),
    )


@enrollment_app.command("resume")
@command
def resume_enrollment(enrollment: PersonAddress, as_json: AsJson = False) -> None:
    """Resume one person in a sequence. Example: onbehalf enrollment resume jo@example.org"""
    with opened() as runtime:
        done = resume.resume_enrollment(runtime, _enrollment(runtime, enrollment), actor=actor())
    report(f"Resumed in {done.sequence_name}.", asdict(done), as_json=as_json)


def _suppress(person: str, reason: str, because: str, organization: str | None, as_json: bool) -> None:
    say_no(
        as_json,
        lambda runtime: withdraw.suppress_candidate(
            runtime,
            find(runtime, "candidate", person, organization),
            actor=actor(),
            reason=reason,
            because=because,
        ),
    )


@candidate_app.command("unsubscribe")
@command
def unsubscribe(
    person: PersonAddress,
    because: Because = "",
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """This person opted out: no sequence of the organization writes again. Example: onbehalf candidate unsubscribe jo@example.org"""
    _suppress(person, "unsubscribed", because, organization, as_json)


@candidate_app.command("stop")
@command
def stop_candidate(
    person: PersonAddress,
    because: Because = "",
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """We stop writing to this person, in all sequences. Example: onbehalf candidate stop jo@example.org"""
    _suppress(person, "stopped", because, organization, as_json)
